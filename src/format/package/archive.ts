/** How large an archive may be inside. */
export interface ArchiveLimits {
  readonly maxEntries: number
  /** All entries together, inflated. */
  readonly maxInflatedBytes: number
}

/** A package has about as many files as its project has entities; the bytes are those of four of the largest messages. */
export const defaultArchiveLimits: ArchiveLimits = { maxEntries: 1_000, maxInflatedBytes: 20 * 1024 ** 3 }

/** One file of an archive. */
export interface ArchiveEntry {
  readonly name: string
  /** Inflated, as the directory says; reading the entry holds it to that. */
  readonly bytes: number
  readonly compressedBytes: number
}

/** The files of an archive, folders left out, in the order of its directory. */
export interface Archive {
  readonly entries: readonly ArchiveEntry[]
  /**
   * Reads an entry in pieces; any number of times, and several at once.
   * Throws  MessageRejected EF306 for a zip within the zip, EF307 for data that are not what the directory says.
   */
  open(entry: ArchiveEntry): AsyncIterable<Uint8Array>
}
