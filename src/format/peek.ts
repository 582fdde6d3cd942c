/** The first bytes of a stream, and the stream with nothing taken from it. */
export interface Peeked {
  /** At most the number of bytes asked for; fewer only where the stream is shorter. */
  readonly head: Buffer
  /** The whole stream from byte `from` (within the head) on; it can be read once. */
  rest(from?: number): AsyncIterableIterator<Buffer>
  /** Closes the stream when `rest` will not be read. */
  close(): Promise<void>
}

/** Reads the first `size` bytes of a stream without taking them from it. */
export async function peek(bytes: AsyncIterable<Uint8Array>, size: number): Promise<Peeked> {
  const iterator = bytes[Symbol.asyncIterator]()
  const chunks: Buffer[] = []
  let held = 0
  while (held < size) {
    const next = await iterator.next()
    if (next.done) break
    const chunk = asBuffer(next.value)
    if (chunk.length > 0) chunks.push(chunk)
    held += chunk.length
  }
  const close = async () => {
    await iterator.return?.()
  }
  return {
    head: Buffer.concat(chunks).subarray(0, size),
    rest: (from = 0) => replay(chunks, from, iterator, close),
    close,
  }
}

/** The same bytes as a Buffer; nothing is copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A plain iterator, because a generator that was never started does not close its source. */
function replay(
  chunks: Buffer[],
  from: number,
  iterator: AsyncIterator<Uint8Array>,
  close: () => Promise<void>,
): AsyncIterableIterator<Buffer> {
  let skip = from
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      for (let held = chunks.shift(); held !== undefined; held = chunks.shift()) {
        const rest = held.subarray(Math.min(skip, held.length))
        skip -= held.length - rest.length
        if (rest.length > 0) return { done: false, value: rest }
      }
      const next = await iterator.next()
      return next.done ? { done: true, value: undefined } : { done: false, value: asBuffer(next.value) }
    },
    async return() {
      await close()
      return { done: true, value: undefined }
    },
  }
}
