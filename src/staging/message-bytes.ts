import { MessageRejected } from '../errors'
import type { Context } from '../execution/context'
import type { Work } from '../execution/work'
import { defaultArchiveLimits } from '../format/package/archive'
import { openArchive } from '../format/package/zip-reader'
import { payloadSource } from '../payload/payload-source'

/** What says where the bytes of a work's file are. */
export type FilePlace = Pick<Work, 'payload' | 'payloadLocation' | 'messageBytes' | 'sourceEntry' | 'entity'>

/**
 * The bytes of an entity's file: the message itself, or one of the files in a package, which is read where it is.
 * Throws  MessageRejected ES105, EF3… when the package cannot be read (any more); so does reading the bytes.
 */
export async function openFile(context: Context, place: FilePlace): Promise<AsyncIterable<Uint8Array>> {
  const { payload, payloadLocation, messageBytes, sourceEntry, entity } = place
  if (sourceEntry === null) return payload === null ? context.payloads.open(payloadLocation!) : once(payload)
  const source = payloadSource(context.payloads, { bytes: messageBytes, payload, payloadLocation })
  const archive = await openArchive(source, defaultArchiveLimits)
  const entry = archive.entries.find(({ name }) => name === sourceEntry)
  if (!entry) throw new MessageRejected('ES105', `The package has no file ${sourceEntry} any more`, { entity })
  return archive.open(entry)
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}
