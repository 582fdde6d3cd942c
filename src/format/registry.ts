import { RequestRefused } from '../errors'
import { delimitedWriter, openDelimited } from './delimited'
import { defaultReadLimits, type ReadLimits, type RecordShape, type RecordSource } from './record-block'
import type { RecordWriter } from './record-writer'
import { type SourceFormat, type SourceFormatName, sourceFormats } from './source-format'
import { openXml } from './xml'
import { xmlWriter } from './xml-writer'

export type { RecordWriter } from './record-writer'
export { type SourceFormat, type SourceFormatName, sourceFormats } from './source-format'

/**
 * Opens a file of any format as records.
 * Throws  MessageRejected EF… where the file cannot be read; RequestRefused 400 EA109 for a format that contradicts itself.
 */
export function openRecords(
  bytes: AsyncIterable<Uint8Array>,
  format: SourceFormat,
  shape: RecordShape,
  limits: ReadLimits = defaultReadLimits,
): Promise<RecordSource> {
  return format.kind === 'xml' ? openXml(bytes, format, shape, limits) : openDelimited(bytes, format, shape, limits)
}

/** Writes a file of any format; `recordName` names the record elements of XML. */
export function recordWriter(format: SourceFormat, recordName: string, columns: readonly string[]): RecordWriter {
  return format.kind === 'xml' ? xmlWriter(format, recordName, columns) : delimitedWriter(format, columns)
}

/** A source data format with its name, spelt as it was given to it. */
export interface NamedFormat {
  readonly name: string
  readonly format: SourceFormat
}

/** The built-in source data format of a name, in upper or lower case. */
export function builtInFormat(name: string): NamedFormat | undefined {
  const wanted = name.trim().toLowerCase()
  const names = Object.keys(sourceFormats) as SourceFormatName[] // Object.keys forgets the type of the keys
  const known = names.find((each) => each.toLowerCase() === wanted)
  return known && { name: known, format: sourceFormats[known] }
}

/**
 * The built-in source data format of a name, for who has no database at hand.
 * Throws  RequestRefused 400 EA115, listing the names.
 */
export function sourceFormatNamed(name: string): NamedFormat {
  const known = builtInFormat(name)
  if (known === undefined) throw unknownFormat(name, Object.keys(sourceFormats))
  return known
}

/** Whether a name asks for Excel workbooks, as data packages do. */
export function isWorkbookName(name: string): boolean {
  return ['excel', 'xls', 'xlsx'].includes(name.trim().toLowerCase())
}

/** The refusal of a name that no source data format has: EA115. */
export function unknownFormat(name: string, known: readonly string[], status = 400): RequestRefused {
  const shown = name.slice(0, 60)
  const sentence = isWorkbookName(name)
    ? `The source data format '${shown}' is not taken: Excel workbooks are not read. Save the sheet as CSV and send that.`
    : `The source data format '${shown}' is not known. Known are ${known.join(', ')}.`
  return new RequestRefused(status, 'EA115', sentence)
}
