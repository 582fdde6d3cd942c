import { RequestRefused } from '../errors'
import type { RecordWriter } from './record-writer'
import type { DelimitedFormat } from './source-format'

/**
 * Writes records as delimited text that the reader of the same format reads back unchanged; null is written as ''.
 * Lines end with the format's row delimiter, CRLF by default; a value is qualified only where it would be read
 * differently without.
 * Throws  RequestRefused 400 EA109 where a format without qualifier cannot hold a value.
 * Source  RFC 4180 section 2.
 */
export function delimitedWriter(format: DelimitedFormat, columns: readonly string[]): RecordWriter {
  const rowEnd = format.rowDelimiter ?? '\r\n'
  const line = (values: readonly (string | null)[]) =>
    values.map((value, index) => fieldText(value ?? '', index, values.length, format)).join(format.delimiter) + rowEnd
  return {
    header: () => (format.hasHeader ? line(columns) : ''),
    record: line,
    raw: (text) => text + rowEnd,
    footer: () => '',
  }
}

function fieldText(value: string, index: number, count: number, format: DelimitedFormat): string {
  const { qualifier } = format
  const sign = format.escape || qualifier
  if (!needsQualifier(value, index, count, format)) return value
  if (qualifier === '') {
    const shown = JSON.stringify(value.slice(0, 60))
    throw new RequestRefused(
      400,
      'EA109',
      `The format has no text qualifier, so that it cannot hold the value ${shown}.`,
    )
  }
  const escaped = sign === qualifier ? value : value.replaceAll(sign, sign + sign)
  return qualifier + escaped.replaceAll(qualifier, sign + qualifier) + qualifier
}

/** Also finds a sign that would begin in the value and end behind it: 'a|' before '||'. */
function beginsWithin(value: string, sign: string): boolean {
  return (value + sign).indexOf(sign) < value.length
}

/** At the start of a file these would be read as a delimiter line, a byte order mark or a zip. */
const specialStart = /^(?:sep=|\uFEFF)/i
const zipStart = 'PK\x03\x04'

function needsQualifier(value: string, index: number, count: number, format: DelimitedFormat): boolean {
  const { delimiter, qualifier, comment, rowDelimiter } = format
  if (qualifier !== '' && value.includes(qualifier)) return true
  if (rowDelimiter === undefined ? /[\r\n]/.test(value) : beginsWithin(value, rowDelimiter)) return true
  if (beginsWithin(value, delimiter)) return true
  // Behind blank fields too, as a tab or space before it hides no XML.
  if (/^\s*</.test(value)) return index === 0 || qualifier !== ''
  if (index > 0) return false
  // A line with nothing on it is no record.
  if (count === 1 && value === '') return true
  return specialStart.test(value) || value.startsWith(zipStart) || Boolean(comment && value.startsWith(comment))
}
