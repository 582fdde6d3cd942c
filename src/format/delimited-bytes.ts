import type { MessageRejected } from '../errors'
import {
  badHeader,
  bytesToHold,
  type DelimitedLane,
  faultText,
  type LaneOptions,
  maxBlockFields,
  quoteReason,
  raggedReason,
  recordTooLarge,
  unclosedQuote,
} from './delimited-lane'
import { RecordScanner } from './delimited-scan'
import { maxFaultTextLength, type RecordBlock, type RecordFault } from './record-block'
import { Slab } from './slab'
import type { DelimitedFormat } from './source-format'

/** Whether the byte lane reads a dialect: one ASCII character each for delimiter and qualifier, and nothing else special. */
export function isByteDialect(format: DelimitedFormat): boolean {
  const { delimiter, qualifier, comment, rowDelimiter } = format
  const isAscii = (text: string) => text.length === 1 && text.charCodeAt(0) < 128
  return (
    isAscii(delimiter) &&
    (qualifier === '' || isAscii(qualifier)) &&
    !comment &&
    rowDelimiter === undefined &&
    (!format.escape || format.escape === qualifier)
  )
}

/**
 * Reads a delimited file on its bytes: finds the ends of fields and records in the buffer, makes no string.
 * Input   valid UTF-8; the chunks may be cut anywhere.
 * Records end with LF, CRLF or a lone CR outside quotes. Lines without a byte are no records. A record of wrong shape
 *         becomes a fault, and reading goes on at the next line end.
 * Throws  (from `header` and `blocks`) MessageRejected EF105 at the end of the file within quotes, EF107 for a record
 *         over the limit; all records before have been handed out then.
 * Source  RFC 4180 section 2.
 */
export class ByteLane implements DelimitedLane {
  readonly #slab: Slab
  readonly #scanner: RecordScanner
  #position = 0
  #line: number
  #recordNumber = 1
  #lines = new Float64Array(0)
  #failure: MessageRejected | undefined

  constructor(
    source: AsyncIterable<Uint8Array>,
    private readonly format: DelimitedFormat,
    private readonly options: LaneOptions,
  ) {
    this.#slab = new Slab(source)
    this.#scanner = new RecordScanner(this.#slab, format.delimiter, format.qualifier)
    this.#line = options.firstLine
  }

  async header(): Promise<readonly string[] | undefined> {
    this.#recordNumber = 0
    while (!this.#scan(0)) {
      this.#throwFailure()
      if (this.#slab.ended) return undefined
      await this.#refill()
    }
    const { faultCode, fields } = this.#scanner
    if (faultCode !== undefined) throw badHeader(this.#quoteFault(0, faultCode, []), this.#line)
    // The number of fields is known now; a second look finds the fields themselves.
    this.#scanner.makeRoom(0, fields)
    this.#scan(0)
    this.#scanner.unescape()
    this.#pass()
    this.#recordNumber = 1
    const { starts, ends } = this.#scanner
    return Array.from({ length: fields }, (_, field) => this.#slab.bytes.toString('utf8', starts[field], ends[field]))
  }

  async *blocks(columns: readonly string[]): AsyncGenerator<RecordBlock, void, undefined> {
    try {
      for (;;) {
        const block = this.#nextBlock(columns)
        if (block.count > 0) yield block
        this.#recordNumber += block.count
        this.#throwFailure()
        if (block.count > 0) continue
        if (this.#slab.ended) return
        await this.#refill()
      }
    } finally {
      await this.close()
    }
  }

  async close(): Promise<void> {
    await this.#slab.close()
  }

  async #refill(): Promise<void> {
    const held = this.#slab.end - this.#position
    await this.#slab.refill(this.#position, bytesToHold(held, this.options))
    this.#position = 0
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** All whole records of the slab, as far as there is room for their offsets. */
  #nextBlock(columns: readonly string[]): RecordBlock {
    const width = columns.length
    const faults: RecordFault[] = []
    const maxCount = Math.max(1, Math.floor(maxBlockFields / Math.max(1, width)))
    let count = 0
    while (count < maxCount) {
      this.#scanner.makeRoom(count, width)
      if (!this.#scan(count)) break
      const fault = this.#faultOf(count, columns)
      if (fault !== undefined) faults.push(fault)
      if (count === this.#lines.length) this.#lines = grown(this.#lines)
      this.#lines[count++] = this.#line
      this.#pass()
    }
    this.#scanner.unescape()
    const { starts, ends } = this.#scanner
    const firstRecordNumber = this.#recordNumber
    return { bytes: this.#slab.bytes, count, firstRecordNumber, starts, ends, lines: this.#lines, faults }
  }

  /** Looks at the next record; false where none is whole, or the file fails here. */
  #scan(index: number): boolean {
    const scanner = this.#scanner
    this.#line += scanner.skipBlankLines(this.#position)
    this.#position = scanner.next
    const isWhole = scanner.scan(this.#position, index * scanner.width)
    const { ended } = this.#slab
    const { maxRecordBytes } = this.options
    const size = scanner.recordEnd - this.#position
    // Of a record that is not whole the size is the least that it will have: a CR at the end is left out.
    if (size > maxRecordBytes) {
      this.#failure = recordTooLarge(maxRecordBytes, this.#line, this.#recordNumber + index, this.#quoted())
    } else if (!isWhole && ended && scanner.openQuote !== -1) {
      this.#failure = unclosedQuote(this.#quoted() ?? '', this.#line, this.#recordNumber + index)
    }
    return isWhole && this.#failure === undefined
  }

  /** The record up to the quote that is open at its end. */
  #quoted(): string | undefined {
    const { openQuote } = this.#scanner
    return openQuote === -1 ? undefined : this.#slab.bytes.toString('utf8', this.#position, openQuote)
  }

  /** Goes on behind the record that was looked at. */
  #pass(): void {
    this.#position = this.#scanner.next
    this.#line += this.#scanner.linesInside + 1
  }

  #faultOf(index: number, columns: readonly string[]): RecordFault | undefined {
    const { faultCode, fields } = this.#scanner
    if (faultCode !== undefined) return this.#quoteFault(index, faultCode, columns)
    if (fields === columns.length) return undefined
    this.#scanner.forgetEscapes()
    const reason = raggedReason(fields, columns.length, this.format.hasHeader)
    return { index, code: 'ER101', reason, text: this.#recordText() }
  }

  #quoteFault(index: number, code: 'ER102' | 'ER103', columns: readonly string[]): RecordFault {
    const { faultAt, fields } = this.#scanner
    const column = columns[fields]
    const reason = quoteReason(code, column, this.#slab.bytes.toString('utf8', this.#position, faultAt), this.#line)
    return { index, code, reason, ...(column === undefined ? {} : { column }), text: this.#recordText() }
  }

  #recordText(): string {
    // A character takes at most 3 bytes for each of its UTF-16 units.
    const end = Math.min(this.#scanner.recordEnd, this.#position + 3 * maxFaultTextLength)
    return faultText(this.#slab.bytes.toString('utf8', this.#position, end))
  }
}

function grown(lines: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * lines.length + 64)
  larger.set(lines)
  return larger
}
