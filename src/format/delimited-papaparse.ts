import Papa from 'papaparse'
import type { MessageRejected } from '../errors'
import { type Cut, countLineEnds, cutRecord, type WholeRecord } from './delimited-cut'
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
import type { RecordBlock, RecordFault } from './record-block'
import type { DelimitedFormat } from './source-format'

/** A whole record, with what is needed to read it. */
interface TextRecord extends Pick<WholeRecord, 'plainText'> {
  readonly line: number
  readonly text: string
  readonly fault?: Omit<RecordFault, 'index' | 'text'>
}

/**
 * Reads a delimited file of any dialect through papaparse: delimiters of several characters, row delimiters, escape
 * characters, comment lines. Says the same as the byte lane, fault for fault, where both can read a dialect.
 * Input   UTF-8 in buffers of whole characters.
 * papaparse is given whole, well-formed records only: its own streaming loses characters and line ends at the edges
 *         of chunks, and it reads on silently behind wrong quotes.
 * Throws  (from `header` and `blocks`) MessageRejected EF105 and EF107 like the byte lane.
 */
export class PapaparseLane implements DelimitedLane {
  readonly #pieces: AsyncIterator<Buffer>
  #text = ''
  #position = 0
  #isLast = false
  #line: number
  #recordNumber = 1
  #failure: MessageRejected | undefined

  constructor(
    source: AsyncIterable<Buffer>,
    private readonly format: DelimitedFormat,
    private readonly options: LaneOptions,
  ) {
    this.#pieces = source[Symbol.asyncIterator]()
    this.#line = options.firstLine
  }

  async header(): Promise<readonly string[] | undefined> {
    this.#recordNumber = 0
    const [header] = await this.#take(1, [])
    this.#recordNumber = 1
    if (header === undefined) return undefined
    if (header.fault !== undefined) throw badHeader(header.fault, header.line)
    return this.#split([header])[0]
  }

  async *blocks(columns: readonly string[]): AsyncGenerator<RecordBlock, void, undefined> {
    const maxRecords = Math.max(1, Math.floor(maxBlockFields / Math.max(1, columns.length)))
    try {
      for (;;) {
        const records = await this.#take(maxRecords, columns)
        if (records.length === 0) return
        yield this.#block(records, columns)
        this.#recordNumber += records.length
      }
    } finally {
      await this.close()
    }
  }

  async close(): Promise<void> {
    await this.#pieces.return?.()
  }

  /** Some of the next records, none at the end. */
  async #take(maxRecords: number, columns: readonly string[]): Promise<readonly TextRecord[]> {
    for (;;) {
      const records: TextRecord[] = []
      while (records.length < maxRecords && this.#failure === undefined) {
        const record = this.#next(this.#recordNumber + records.length, columns)
        if (record === undefined) break
        records.push(record)
      }
      if (records.length > 0) return records
      if (this.#failure !== undefined) throw this.#failure
      if (this.#isLast) return records
      await this.#fill()
    }
  }

  async #fill(): Promise<void> {
    const pieces = [this.#text.slice(this.#position)]
    let held = this.#text.length - this.#position
    const wanted = bytesToHold(held, this.options, Buffer.byteLength(this.format.rowDelimiter ?? '\r\n'))
    while (held < wanted && !this.#isLast) {
      const next = await this.#pieces.next()
      const piece = next.done ? '' : next.value.toString('utf8')
      this.#isLast = next.done === true
      pieces.push(piece)
      held += piece.length
    }
    this.#text = pieces.join('')
    this.#position = 0
  }

  /** The next record; undefined where none is whole or the file fails. */
  #next(recordNumber: number, columns: readonly string[]): TextRecord | undefined {
    for (;;) {
      const start = this.#position
      const cut = cutRecord(this.#text, start, this.#isLast, this.format)
      if (cut.kind === 'unfinished') return this.#unfinished(recordNumber, cut.openQuote)
      this.#position = cut.next
      const line = this.#line
      this.#line += this.#linesOf(cut, start)
      if (cut.kind === 'nothing') continue
      const text = this.#text.slice(start, cut.end)
      if (this.#isTooLarge(text)) {
        this.#failure = recordTooLarge(this.options.maxRecordBytes, line, recordNumber)
        return undefined
      }
      const record = { line, text, plainText: cut.plainText }
      if (cut.fault === undefined) return record
      const { code, field, at } = cut.fault
      const column = columns[field]
      const reason = quoteReason(code, column, this.#text.slice(start, at), line)
      return { ...record, fault: { code, reason, ...(column === undefined ? {} : { column }) } }
    }
  }

  /** How many lines further the next record starts. */
  #linesOf(cut: Exclude<Cut, { kind: 'unfinished' }>, start: number): number {
    if (this.format.rowDelimiter !== undefined) return countLineEnds(this.#text.slice(start, cut.next))
    return cut.kind === 'record' ? cut.linesInside + 1 : 1
  }

  #unfinished(recordNumber: number, openQuote?: number): undefined {
    const { maxRecordBytes } = this.options
    const text = this.#text.slice(this.#position)
    const before = openQuote === undefined ? undefined : this.#text.slice(this.#position, openQuote)
    // What is held may be too long only because the end of the record is not there as a whole yet.
    if (this.#isTooLarge(this.#isLast ? text : withoutCutEnd(text, this.format.rowDelimiter ?? '\r\n'))) {
      this.#failure = recordTooLarge(maxRecordBytes, this.#line, recordNumber, before)
    } else if (this.#isLast && before !== undefined) {
      this.#failure = unclosedQuote(before, this.#line, recordNumber)
    }
  }

  #isTooLarge(text: string): boolean {
    const { maxRecordBytes } = this.options
    // A character takes at most 3 bytes for each of its UTF-16 units.
    return 3 * text.length > maxRecordBytes && Buffer.byteLength(text) > maxRecordBytes
  }

  #block(records: readonly TextRecord[], columns: readonly string[]): RecordBlock {
    const faults: RecordFault[] = []
    const wellFormed = records.filter(({ fault }) => fault === undefined)
    const split = this.#split(wellFormed)
    const writer = new BlockWriter(records, columns.length)
    let next = 0
    for (const [index, { text, fault }] of records.entries()) {
      const values = fault === undefined ? split[next++]! : []
      if (fault !== undefined) {
        faults.push({ ...fault, index, text: faultText(text) })
      } else if (values.length !== columns.length) {
        const reason = raggedReason(values.length, columns.length, this.format.hasHeader)
        faults.push({ index, code: 'ER101', reason, text: faultText(text) })
      } else {
        writer.write(index, values)
      }
    }
    return { ...writer.written(), count: records.length, firstRecordNumber: this.#recordNumber, faults }
  }

  /** The fields of well-formed records. */
  #split(records: readonly TextRecord[]): readonly (readonly string[])[] {
    if (records.length === 0) return []
    const { delimiter, qualifier, rowDelimiter } = this.format
    // Values with line ends and nothing around them: papaparse would split there.
    if (qualifier === '' && rowDelimiter !== undefined)
      return records.map(({ plainText }) => plainText.split(delimiter))
    // Papa.parse would take a byte order mark from the first value; its parser itself leaves values alone.
    // Without a qualifier only the fast mode is right: it splits at delimiters and line ends.
    const plain = qualifier === ''
    const parser = new Papa.Parser({
      delimiter,
      newline: '\n',
      ...(plain ? { fastMode: true } : { quoteChar: qualifier }),
    })
    const text = records.map(({ plainText }) => plainText).join('\n')
    const { data } = parser.parse(text, 0, false) as { data: string[][] } // papaparse's types say any
    if (data.length !== records.length) throw new Error(`papaparse reads ${records.length} records as ${data.length}`)
    return data
  }
}

/** The text without the beginning of a record's end that it may end with. */
function withoutCutEnd(text: string, rowEnd: string): string {
  for (let length = rowEnd.length - 1; length > 0; length--) {
    if (text.endsWith(rowEnd.slice(0, length))) return text.slice(0, -length)
  }
  return text
}

/** Writes the values of a block one behind the other. */
class BlockWriter {
  readonly #bytes: Buffer
  readonly #starts: Int32Array
  readonly #ends: Int32Array
  readonly #lines: Float64Array
  #at = 0

  constructor(
    records: readonly TextRecord[],
    private readonly width: number,
  ) {
    this.#bytes = Buffer.allocUnsafe(records.reduce((sum, { plainText }) => sum + 3 * plainText.length, 0))
    this.#starts = new Int32Array(records.length * width)
    this.#ends = new Int32Array(records.length * width)
    this.#lines = Float64Array.from(records, ({ line }) => line)
  }

  write(index: number, values: readonly string[]): void {
    for (const [field, value] of values.entries()) {
      this.#starts[index * this.width + field] = this.#at
      this.#at += this.#bytes.write(value, this.#at)
      this.#ends[index * this.width + field] = this.#at
    }
  }

  written(): Pick<RecordBlock, 'bytes' | 'starts' | 'ends' | 'lines'> {
    return { bytes: this.#bytes, starts: this.#starts, ends: this.#ends, lines: this.#lines }
  }
}
