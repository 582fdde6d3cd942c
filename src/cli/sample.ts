import path from 'node:path'
import type { Sample } from '../entity'
import { MessageRejected } from '../errors'
import { detectFormat } from '../format/detect'
import { peek } from '../format/peek'
import type { RecordSource } from '../format/record-block'
import { openRecords, type SourceFormat, sourceFormatNamed } from '../format/registry'
import { openFile } from './open-file'

/** Enough to see lengths, kinds and keys; a few seconds of reading at most. */
const sampleRecords = 10_000
/** From this much of a file a format is told, and the names of an XML file's elements are read. */
const headBytes = 4 * 1024 * 1024

/**
 * Reads the first records of a file of any format as texts.
 * Throws  MessageRejected EF… where it cannot be read, RequestRefused EA112, EA115.
 */
export async function readSample(file: string, formatName?: string): Promise<Sample> {
  const { head, close } = await peek((await openFile(file)).bytes, headBytes)
  await close()
  const format = formatName === undefined ? detectFormat(head, file).format : sourceFormatNamed(formatName).format
  return format.kind === 'xml' ? sampleXml(head, format) : sampleDelimited(head, format, file)
}

async function sampleDelimited(head: Buffer, format: SourceFormat, file: string): Promise<Sample> {
  const source = await openRecords(once(head), format, { recordNames: [], fieldNames: [] })
  const isCut = head.length === headBytes
  const records = await readRecords(source, isCut)
  // The last line may have been cut in two with the head.
  return {
    fileName: file === '-' ? 'records' : path.basename(file),
    columns: source.columns,
    records: isCut ? records.slice(0, -1) : records,
  }
}

/**
 * Reads an XML file thrice: for the name of its record elements, for the names of their fields, and for the values.
 * The entity is named after the record element, not after the file, because its records are found by it.
 */
async function sampleXml(head: Buffer, format: SourceFormat): Promise<Sample> {
  const isCut = head.length === headBytes
  const [recordName] = await namesMet(head, format, [])
  if (recordName === undefined) throw new MessageRejected('EF204', 'The XML has no element below its root')
  const columns = await namesMet(head, format, [recordName])
  const shape = { recordNames: [recordName], fieldNames: columns }
  const source = await openRecords(once(head), format, shape)
  return { fileName: entityWords(recordName), columns, records: await readRecords(source, isCut) }
}

/**
 * Record elements are named `WAREHOUSEENTITY` by Dynamics 365 and `Warehouse` by others: a name that both follow from, since
 * records are found without regard to letter case by the entity's name and its public name.
 */
function entityWords(recordName: string): string {
  const base = recordName.replace(/^.*:/, '').replace(/(?<=.)entity$/i, '')
  return base === base.toUpperCase() ? base.charAt(0) + base.slice(1).toLowerCase() : base
}

/** The names that a reader meets which it was not asked for: of record elements at first, of fields when these are known. */
async function namesMet(head: Buffer, format: SourceFormat, recordNames: readonly string[]): Promise<string[]> {
  const source = await openRecords(once(head), format, { recordNames, fieldNames: [] })
  try {
    for await (const { count } of source.blocks) if (count < 0) break
  } catch (error) {
    // No record was found, as expected where none was asked for; or the file ends where the head was cut.
    if (!(error instanceof MessageRejected) || source.unknownNames.size === 0) throw error
  }
  return [...source.unknownNames]
}

/** The values of the first good records; trouble at the end of a head that was cut is no trouble of the file. */
async function readRecords(source: RecordSource, isCut: boolean): Promise<(string | undefined)[][]> {
  const records: (string | undefined)[][] = []
  const width = source.columns.length
  try {
    for await (const { bytes, count, starts, ends, faults } of source.blocks) {
      const faulty = new Set(faults.map(({ index }) => index))
      for (let at = 0; at < count && records.length < sampleRecords; at++) {
        if (faulty.has(at)) continue
        const value = (column: number) => {
          const start = starts[at * width + column]!
          return start === -1 ? undefined : bytes.toString('utf8', start, ends[at * width + column])
        }
        records.push(Array.from({ length: width }, (_, column) => value(column)))
      }
      if (records.length >= sampleRecords) break
    }
  } catch (error) {
    if (!isCut || records.length === 0) throw error
  }
  return records
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}
