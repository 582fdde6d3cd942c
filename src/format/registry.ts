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

/**
 * The source data format of a name, in upper or lower case.
 * Throws  RequestRefused 400 EA109, listing the names.
 */
export function sourceFormatNamed(name: string): { name: SourceFormatName; format: SourceFormat } {
  const names = Object.keys(sourceFormats) as SourceFormatName[] // Object.keys forgets the type of the keys
  const known = names.find((each) => each.toLowerCase() === name.trim().toLowerCase())
  if (known !== undefined) return { name: known, format: sourceFormats[known] }
  const sentence = `The source data format '${name.slice(0, 60)}' is not known. Known are ${names.join(', ')}.`
  throw new RequestRefused(400, 'EA109', sentence)
}
