import { asBuffer } from './peek'

const lineFeed = 10

/**
 * A piece of a stream in one buffer that is used again: what a scanner works on. However the stream is cut into
 * chunks, the same bytes come to stand in the slab, so that a scanner cannot depend on the cuts.
 */
export class Slab {
  /** Behind `end` stands a line feed, so that a loop that stops at line ends needs no check of the bounds. */
  bytes: Buffer = Buffer.alloc(0)
  end = 0
  /** Nothing comes after `end`. */
  ended = false
  readonly #source: AsyncIterator<Uint8Array>
  /** The part of the last chunk that found no room yet. */
  #rest: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Drops the bytes before `from`, then reads until `bytesToHold` are there or the stream ends. */
  async refill(from: number, bytesToHold: number): Promise<void> {
    this.#dropBefore(from, bytesToHold)
    while (this.end < bytesToHold && !this.ended) {
      if (this.#rest.length === 0) await this.#pull()
      this.#makeRoom(Math.min(bytesToHold, this.end + this.#rest.length))
      const taken = this.#rest.copy(this.bytes, this.end, 0, bytesToHold - this.end)
      this.end += taken
      this.#rest = this.#rest.subarray(taken)
    }
    this.#makeRoom(this.end)
    this.bytes[this.end] = lineFeed
  }

  async close(): Promise<void> {
    await this.#source.return?.()
  }

  #dropBefore(from: number, bytesToHold: number): void {
    // A slab that a large record made grow is given back after it.
    const isFit = this.bytes.length <= 2 * bytesToHold + 1
    const to = isFit ? this.bytes : Buffer.allocUnsafeSlow(bytesToHold + 1)
    this.end = this.bytes.copy(to, 0, from, this.end)
    this.bytes = to
  }

  /** Room for so many bytes and the line feed; it grows with what is there, as most messages are far smaller than a block. */
  #makeRoom(bytes: number): void {
    if (this.bytes.length > bytes) return
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes + 1, 2 * this.bytes.length))
    this.bytes.copy(larger, 0, 0, this.end)
    this.bytes = larger
  }

  async #pull(): Promise<void> {
    const next = await this.#source.next()
    if (next.done) this.ended = true
    else this.#rest = asBuffer(next.value)
  }
}
