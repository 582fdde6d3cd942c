import type { Context } from '../execution/context'
import { inlineBytes } from '../source/receive'
import type { KeptMessageBytes } from '../source/receive-package'
import { checkLink } from './blob-link'
import { findBlob, openBlob } from './blob-store'
import { signaturesOf } from './blob-url'

/** A link to a file as a client gives it back. */
export interface BlobLink {
  /** What it names. */
  readonly blobId: string
  readonly url: string
  /** The key that links are signed with. */
  readonly key: Buffer
}

/**
 * The bytes of a file that was uploaded by a link, as those of a message: few are copied into its row, more stay where they are, and are the
 * message's from then on.
 * Throws  RequestRefused EA108 when nothing was uploaded, EA121 when the file's time is over or the link
 *         does not allow to read it.
 */
export async function takeBlob(
  context: Context,
  { blobId, url, key }: BlobLink,
): Promise<KeptMessageBytes & { name: string }> {
  const { name } = await findBlob(context.db, blobId)
  // By the name that it was made with: clients spell the one in the link as they like.
  checkLink({ blobId, name }, signaturesOf(url), 'r', key)
  const { bytes, sha256, payloadLocation, read } = await openBlob(context.db, context.payloads, blobId)
  if (bytes > inlineBytes) return { name, bytes, sha256, payload: null, payloadLocation }
  const pieces: Uint8Array[] = []
  for await (const piece of read()) pieces.push(piece)
  return { name, bytes, sha256, payload: Buffer.concat(pieces), payloadLocation: null }
}
