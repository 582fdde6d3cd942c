import type { Context } from '../execution/context'
import { inlineBytes } from '../source/receive'
import type { KeptMessageBytes } from '../source/receive-package'
import { openBlob } from './blob-store'

/**
 * The bytes of an uploaded file as those of a message: few are copied into its row, more stay where they are, and are the
 * message's from then on.
 * Throws  RequestRefused EA108 when nothing was uploaded, EA121 when the file's time is over.
 */
export async function takeBlob(context: Context, blobId: string): Promise<KeptMessageBytes & { name: string }> {
  const { name, bytes, sha256, payloadLocation, read } = await openBlob(context.db, context.payloads, blobId)
  if (bytes > inlineBytes) return { name, bytes, sha256, payload: null, payloadLocation }
  const pieces: Uint8Array[] = []
  for await (const piece of read()) pieces.push(piece)
  return { name, bytes, sha256, payload: Buffer.concat(pieces), payloadLocation: null }
}
