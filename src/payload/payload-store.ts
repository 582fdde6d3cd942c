/** A place where the bytes of larger messages are kept; each kind is one file beside this one. */
export interface PayloadStore {
  /**
   * Keeps the bytes; when it returns they are durable.
   * Returns  the location to open them by.
   * Throws   what reading the bytes throws (nothing is left behind then); Unavailable when the place cannot take them.
   */
  keep(bytes: AsyncIterable<Uint8Array>): Promise<string>
  /**
   * Reads the bytes in pieces, all of them or those of a range.
   * Throws  MessageRejected ES105 when there are none at the location.
   */
  open(location: string, range?: ByteRange): AsyncIterable<Uint8Array>
  /** Removes the bytes; does nothing when they are gone already. */
  remove(location: string): Promise<void>
  /** What was kept before a moment and not written to since, in no order; also what a process that was killed left unfinished. */
  list(before: Date): AsyncIterable<StoredPayload>
}

/** A payload, or the beginning of one. */
export interface StoredPayload {
  readonly location: string
  readonly bytes: number
}

/** Bytes from `from` on, up to but not including `to`; both within the payload. */
export interface ByteRange {
  readonly from: number
  readonly to: number
}
