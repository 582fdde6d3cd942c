import { MessageRejected } from '../errors'
import { maxFaultTextLength, type RecordBlock, type RecordFault } from './record-block'

/** One of the two ways of reading a delimited file; both read the same dialects alike. */
export interface DelimitedLane {
  /** The first record as text, undefined in a file without records. Comes before `blocks`. */
  header(): Promise<readonly string[] | undefined>
  /** The other records. Without a call of `header` before, all. */
  blocks(columns: readonly string[]): AsyncIterable<RecordBlock>
  /** Closes the source when `blocks` will not be read. */
  close(): Promise<void>
}

/** What a lane needs besides the bytes and the dialect. */
export interface LaneOptions {
  readonly maxRecordBytes: number
  /** Bytes of source in a block. */
  readonly blockBytes: number
  /** Number of the first line, where a line before it was taken away. */
  readonly firstLine: number
}

/** A block's offsets take at most 8 MB, so that many short records under a wide header need no more. */
export const maxBlockFields = 1024 * 1024

/** The shapes of a bad record. */
export type ShapeFaultCode = 'ER101' | 'ER102' | 'ER103'

/**
 * How much to hold in order to go on with a record of which `heldBytes` are there already: doubling bounds the work,
 * and as many bytes beyond the largest record as its end may have are enough to see it.
 */
export function bytesToHold(heldBytes: number, { blockBytes, maxRecordBytes }: LaneOptions, rowEndBytes = 2): number {
  return Math.max(blockBytes, Math.min(2 * heldBytes, maxRecordBytes + rowEndBytes))
}

/** Where a place in a record stands: `before` is the record up to the place, `line` the line on which it starts. */
export function placeAfter(before: string, line: number): { line: number; column: number } {
  const lines = before.split(/\r\n|\r|\n/)
  const last = lines[lines.length - 1] ?? ''
  return { line: line + lines.length - 1, column: [...last].length + 1 }
}

/** The sentence on text after a closing quote (ER102) or a quote in an unquoted field (ER103). */
export function quoteReason(code: 'ER102' | 'ER103', column: string | undefined, before: string, line: number): string {
  const place = placeAfter(before, line)
  const field = column === undefined ? 'a field' : `the field ${column}`
  const at = `(line ${place.line}, column ${place.column})`
  return code === 'ER102'
    ? `Text follows the closing quote of ${field} ${at}.`
    : `A quote stands inside ${field} ${at}.`
}

/** The sentence on a record of another length than the header's. */
export function raggedReason(fields: number, expected: number, hasHeader: boolean): string {
  const noun = fields === 1 ? 'field' : 'fields'
  return `The record has ${fields} ${noun} where the ${hasHeader ? 'header' : 'entity'} has ${expected}.`
}

/** The text of a fault, cut to what is kept, never within a character. */
export function faultText(text: string): string {
  return text.length <= maxFaultTextLength ? text : text.slice(0, maxFaultTextLength).replace(/[\uD800-\uDBFF]$/, '')
}

/** A header that cannot be read ends the reading: no record would have columns. */
export function badHeader(fault: Pick<RecordFault, 'code' | 'reason'>, line: number): MessageRejected {
  return new MessageRejected(fault.code, `The header cannot be read. ${fault.reason}`, { line })
}

/** `before` is the record up to the quote that is never closed. */
export function unclosedQuote(before: string, line: number, recordNumber: number): MessageRejected {
  const place = placeAfter(before, line)
  const message = `The quote that opens in line ${place.line}, column ${place.column} is never closed.`
  return new MessageRejected('EF105', message, { ...place, ...recordPlace(recordNumber) })
}

/** `before` is the record up to a quote that is still open, where there is one. */
export function recordTooLarge(
  maxRecordBytes: number,
  line: number,
  recordNumber: number,
  before?: string,
): MessageRejected {
  const place = before === undefined ? undefined : placeAfter(before, line)
  const quote = place === undefined ? '' : ` A quote opens in line ${place.line}, column ${place.column}.`
  const message = `The record that starts in line ${line} is larger than ${maxRecordBytes} bytes.${quote}`
  return new MessageRejected('EF107', message, { line, ...recordPlace(recordNumber) })
}

/** The header has number 0: it is no record. */
function recordPlace(recordNumber: number): { recordNumber?: number } {
  return recordNumber === 0 ? {} : { recordNumber }
}
