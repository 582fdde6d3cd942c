import { bufferSource } from '../../src/format/byte-source'
import { defaultArchiveLimits } from '../../src/format/package/archive'
import { openArchive } from '../../src/format/package/zip-reader'
import { writeArchive } from '../../src/format/package/zip-writer'
import { whole } from '../format/package/archives'
import { csv } from '../helpers/build'
import type { PackedEntity } from '../helpers/package'

/** Terms of payment of these names. */
export const terms = (...names: string[]): PackedEntity => ({
  entityName: 'Terms of payment',
  text: csv(
    ['dataAreaId', 'Name', 'NumberOfDays'],
    names.map((name) => ['usmf', name, 30]),
  ),
})

/** Customer groups with their terms of payment. */
export const groups = (...pairs: [group: string, term: string][]): PackedEntity => ({
  entityName: 'Customer groups',
  text: csv(
    ['dataAreaId', 'CustomerGroupId', 'PaymentTermId'],
    pairs.map(([group, term]) => ['usmf', group, term]),
  ),
})

/** A zip of these files, as they are. */
export function zipOf(files: Readonly<Record<string, Buffer | string>>): Promise<Buffer> {
  const entries = Object.entries(files).map(([name, content]) => ({ name, bytes: once(Buffer.from(content)) }))
  return whole(writeArchive(entries))
}

/** The files of a zip. */
export async function unzip(zip: Buffer): Promise<Record<string, Buffer>> {
  const archive = await openArchive(bufferSource(zip), defaultArchiveLimits)
  const files: Record<string, Buffer> = {}
  for (const entry of archive.entries) files[entry.name] = await whole(archive.open(entry))
  return files
}

/** Changes files of a package by their names; undefined takes one out. */
export async function changed(
  zip: Buffer,
  changes: Readonly<Record<string, ((text: string) => string | Buffer) | undefined>>,
): Promise<Buffer> {
  const files: Record<string, Buffer | string> = await unzip(zip)
  for (const [name, change] of Object.entries(changes)) {
    if (change) files[name] = change(String(files[name]))
    else delete files[name]
  }
  return zipOf(files)
}

/** A text in UTF-16LE with its byte order mark, as Dynamics 365 itself writes documents and CSV-Unicode files. */
export function utf16(text: string): Buffer {
  return Buffer.from(`\uFEFF${text}`, 'utf16le')
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}
