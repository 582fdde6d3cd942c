import { blockBytes, maxFaultTextLength, type RecordBlock, type RecordFault } from './record-block'

/** Offsets a block may hold, of starts and of ends each: 0.5 MB, so that a block of tiny records stays small too. */
const maxOffsets = 128 * 1024

/**
 * Gathers records into blocks, for both XML lanes. The byte lane writes values straight into `bytes` and the
 * offsets of the record under way; the saxes lane hands whole records to `add`.
 */
export class XmlBlockBuilder {
  bytes = Buffer.allocUnsafe(2 * blockBytes)
  /** Where the next value goes in `bytes`; taken back when a record is given up. */
  length = 0
  readonly starts: Int32Array
  readonly ends: Int32Array
  readonly width: number
  count = 0
  readonly #lines: Float64Array
  readonly #maxRecords: number
  #firstRecordNumber = 1
  #sourceBytes = 0
  #faults: RecordFault[] = []

  constructor(width: number) {
    this.width = width
    this.#maxRecords = Math.max(1, Math.floor(maxOffsets / Math.max(1, width)))
    this.starts = new Int32Array(this.#maxRecords * width)
    this.ends = new Int32Array(this.#maxRecords * width)
    this.#lines = new Float64Array(this.#maxRecords)
  }

  get isFull(): boolean {
    return this.#sourceBytes >= blockBytes || this.count === this.#maxRecords
  }

  /** How many records were gathered since the file began. */
  get total(): number {
    return this.#firstRecordNumber - 1 + this.count
  }

  /** Makes room for values of this many bytes in all. A value is never longer than its source. */
  reserve(bytes: number): void {
    if (this.length + bytes <= this.bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + bytes))
    this.bytes.copy(grown, 0, 0, this.length)
    this.bytes = grown
  }

  /** Counts the record whose offsets were written at `count * width`. */
  commit(line: number, sourceBytes: number): void {
    this.#lines[this.count] = line
    this.count += 1
    this.#sourceBytes += sourceBytes
  }

  /** Adds a record by its values, one a column; undefined for a field that the record does not give. */
  add(values: readonly (string | undefined)[], line: number, sourceBytes: number): void {
    this.reserve(sourceBytes)
    const row = this.count * this.width
    for (let column = 0; column < this.width; column++) {
      const value = values[column]
      this.starts[row + column] = value === undefined ? -1 : this.length
      if (value !== undefined) this.length += this.bytes.write(value, this.length)
      this.ends[row + column] = value === undefined ? -1 : this.length
    }
    this.commit(line, sourceBytes)
  }

  /** Adds a record whose shape is wrong. */
  addFault(fault: Omit<RecordFault, 'index'>, line: number, sourceBytes: number): void {
    const row = this.count * this.width
    this.starts.fill(-1, row, row + this.width)
    this.ends.fill(-1, row, row + this.width)
    this.#faults.push({ ...fault, index: this.count, text: fault.text.slice(0, maxFaultTextLength) })
    this.commit(line, sourceBytes)
  }

  /** Hands out the block and begins the next one in the same buffers. */
  take(): RecordBlock {
    const { count, width } = this
    const block: RecordBlock = {
      bytes: this.bytes,
      count,
      firstRecordNumber: this.#firstRecordNumber,
      starts: this.starts.subarray(0, count * width),
      ends: this.ends.subarray(0, count * width),
      lines: this.#lines.subarray(0, count),
      faults: this.#faults,
    }
    this.#firstRecordNumber += count
    this.count = 0
    this.length = 0
    this.#sourceBytes = 0
    this.#faults = []
    return block
  }
}
