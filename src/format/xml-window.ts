import { isAscii } from 'node:buffer'

const lineFeed = 0x0a
const carriageReturn = 0x0d

/**
 * The part of the input that is not read yet, in one buffer, so that a record that spans chunks can be scanned
 * as a whole. A zero byte follows the last one, so that a scan needs no test for the end at each byte.
 */
export class XmlWindow {
  bytes: Buffer
  /** The next byte to read and the end of what is here. */
  start = 0
  end = 0
  readonly #chunks: AsyncIterator<Buffer>
  #chunk: Buffer = Buffer.alloc(0)
  #ended = false
  /** A position whose column is known: counting goes on from there. */
  #anchor = 0
  #anchorColumn = 0

  /** Input: valid UTF-8, whole characters in each chunk; about `stepBytes` are read at a time. */
  constructor(
    chunks: AsyncIterable<Buffer>,
    private readonly stepBytes: number,
  ) {
    this.bytes = Buffer.alloc(4 * stepBytes)
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  get length(): number {
    return this.end - this.start
  }

  /** Reads on until twice as much is here (so that a long record is scanned few times); false at the end of the input. */
  async more(): Promise<boolean> {
    const wanted = Math.max(this.stepBytes, 2 * this.length)
    let grew = false
    while (this.length < wanted) {
      if (!(await this.#fetch())) return grew
      this.#append(wanted - this.length)
      grew = true
    }
    return true
  }

  /** Number of characters between the last line end and `index`, which must not lie before an earlier one. */
  columnAt(index: number): number {
    const span = this.bytes.subarray(this.#anchor, index)
    const lineEnd = Math.max(span.lastIndexOf(lineFeed), span.lastIndexOf(carriageReturn))
    const column = (lineEnd === -1 ? this.#anchorColumn : 0) + charactersIn(span.subarray(lineEnd + 1))
    this.setColumn(index, column)
    return column
  }

  setColumn(index: number, column: number): void {
    this.#anchor = index
    this.#anchorColumn = column
  }

  /** Stops reading, so that the source of the bytes can be closed. */
  async close(): Promise<void> {
    await this.#chunks.return?.()
  }

  async #fetch(): Promise<boolean> {
    while (this.#chunk.length === 0 && !this.#ended) {
      const next = await this.#chunks.next()
      if (next.done === true) this.#ended = true
      else this.#chunk = next.value
    }
    return !this.#ended
  }

  /** Takes at most about `wanted` bytes of the chunk, whole characters only: the rest of a huge chunk stays where it is. */
  #append(wanted: number): void {
    let length = Math.min(this.#chunk.length, Math.max(wanted, 4))
    while (length < this.#chunk.length && (this.#chunk[length]! & 0xc0) === 0x80) length -= 1
    this.#makeRoom(length + 1)
    this.#chunk.copy(this.bytes, this.end, 0, length)
    this.end += length
    this.bytes[this.end] = 0
    this.#chunk = this.#chunk.subarray(length)
  }

  #makeRoom(length: number): void {
    if (this.end + length <= this.bytes.length) return
    this.columnAt(this.start)
    const size = this.length + length
    const into = size * 2 <= this.bytes.length ? this.bytes : Buffer.alloc(size * 2)
    this.bytes.copy(into, 0, this.start, this.end)
    this.bytes = into
    this.end -= this.start
    this.start = 0
    this.#anchor = 0
  }
}

/** Characters in a piece of UTF-8: each byte but the continuing ones. */
function charactersIn(bytes: Buffer): number {
  if (isAscii(bytes)) return bytes.length
  let count = 0
  for (const byte of bytes) if ((byte & 0xc0) !== 0x80) count += 1
  return count
}
