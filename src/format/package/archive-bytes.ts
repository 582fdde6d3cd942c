import { MessageRejected } from '../../errors'
import type { ByteSource } from '../byte-source'

/** What is fetched at a time: a source may pay a query for each fetch, and most packages fit in one. */
const blockBytes = 256 * 1024

/** One entry's header, its end, the directory and one to spare. */
const maxBlocks = 4

/** Largest directory of an archive; one of a thousand ordinary entries has 100 KB. */
const maxReadBytes = 8 * 1024 ** 2

/** Fetches for an archive's own records; an entry in a large archive takes two. */
const maxFetches = 4_000

/**
 * Random reads of an archive's records as few fetches of large blocks: what zip.js reads an archive through.
 * The reads of a hostile archive are bounded in size and number, so that they end.
 */
export class ArchiveBytes {
  readonly size: number
  /** What the source threw, or what is refused here: to be told from what zip.js throws. */
  failure: unknown
  readonly #blocks = new Map<number, Buffer>()
  #fetches = 0

  constructor(private readonly source: ByteSource) {
    this.size = source.bytes
  }

  /** Reads `length` bytes from `index` on, fewer at the end. */
  async readUint8Array(index: number, length: number): Promise<Uint8Array> {
    try {
      return await this.#read(index, Math.min(index + length, this.size))
    } catch (error) {
      this.failure = error
      throw error
    }
  }

  async #read(from: number, to: number): Promise<Uint8Array> {
    if (from < 0) throw new MessageRejected('EF301', 'The zip file is damaged: a record begins in front of it.')
    const bytes = new Uint8Array(Math.max(0, to - from))
    if (bytes.length > maxReadBytes) {
      throw new MessageRejected(
        'EF305',
        `The directory of the zip has ${bytes.length} bytes, more than ${maxReadBytes}.`,
      )
    }
    for (let at = from; at < to; ) {
      const start = at - (at % blockBytes)
      const block = await this.#block(start)
      const piece = block.subarray(at - start, to - start)
      bytes.set(piece, at - from)
      at += piece.length
    }
    return bytes
  }

  async #block(start: number): Promise<Buffer> {
    const block = this.#blocks.get(start) ?? (await this.#fetch(start, Math.min(start + blockBytes, this.size)))
    // The one used last stands last.
    this.#blocks.delete(start)
    this.#blocks.set(start, block)
    const [oldest] = this.#blocks.keys()
    if (this.#blocks.size > maxBlocks) this.#blocks.delete(oldest!)
    return block
  }

  async #fetch(from: number, to: number): Promise<Buffer> {
    this.#fetches += 1
    if (this.#fetches > maxFetches)
      throw new MessageRejected('EF301', 'The records of the zip point in all directions.')
    const pieces: Uint8Array[] = []
    for await (const piece of this.source.open(from, to)) pieces.push(piece)
    const block = Buffer.concat(pieces)
    if (block.length !== to - from) throw new Error(`A source of bytes gave ${block.length} of ${to - from} bytes`)
    return block
  }
}
