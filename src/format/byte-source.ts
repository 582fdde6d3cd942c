/** Bytes whose number is known and of which any range can be read: a file on a disk, a payload, a buffer. */
export interface ByteSource {
  readonly bytes: number
  /**
   * Reads from `from` up to but not including `to`, in pieces.
   * Throws  what the place of the bytes throws when they are gone or cannot be reached.
   */
  open(from: number, to: number): AsyncIterable<Uint8Array>
}

/** A buffer as a source of bytes. */
export function bufferSource(buffer: Buffer): ByteSource {
  return {
    bytes: buffer.length,
    async *open(from, to) {
      if (from < to) yield buffer.subarray(from, to)
    },
  }
}

/** All bytes of a source. */
export function wholeOf(source: ByteSource): AsyncIterable<Uint8Array> {
  return source.open(0, source.bytes)
}
