import { MessageRejected } from '../errors'
import type { Context } from '../execution/context'
import type { Work } from '../execution/work'
import { type Archive, defaultArchiveLimits } from '../format/package/archive'
import { openArchive } from '../format/package/zip-reader'
import { type PayloadSource, payloadSource } from '../payload/payload-source'
import type { PayloadStore } from '../payload/payload-store'

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
  const archive = await (payloadLocation === null
    ? openArchive(source, defaultArchiveLimits)
    : openOnce(context.payloads, payloadLocation, source))
  const entry = archive.entries.find(({ name }) => name === sourceEntry)
  if (!entry) throw new MessageRejected('ES105', `The package has no file ${sourceEntry} any more`, { entity })
  return archive.open(entry)
}

/** As many packages as a process is at work on at a time. */
const openedPackages = 8
const opened = new WeakMap<PayloadStore, Map<string, Promise<Archive>>>()

/**
 * A large package is looked through once and not for each of its files again: of many files that would be as many looks
 * at as many headers.
 */
function openOnce(payloads: PayloadStore, location: string, source: PayloadSource): Promise<Archive> {
  const archives = opened.get(payloads) ?? new Map<string, Promise<Archive>>()
  opened.set(payloads, archives)
  const archive = archives.get(location) ?? openArchive(source, defaultArchiveLimits)
  archives.delete(location)
  archives.set(location, archive) // the newest is the last one
  for (const oldest of archives.keys()) {
    if (archives.size <= openedPackages) break
    archives.delete(oldest)
  }
  archive.catch(() => archives.delete(location))
  return archive
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}
