import type { ErrorCode } from '../errors'

/**
 * Some records of a source, as bytes with offsets: what every reader hands on and what staging encodes.
 * No string is made per field, so that a million records cost no million objects.
 *
 * A block is valid until the next one is asked for: readers use its buffers again.
 */
export interface RecordBlock {
  /** UTF-8, values already unquoted and unescaped; the offsets below point into it. */
  readonly bytes: Buffer
  /** How many records the block holds. */
  readonly count: number
  /** Number of the first record in the source (1-based, header not counted, bad records counted). */
  readonly firstRecordNumber: number
  /**
   * Field c of record r is `bytes[starts[r * width + c], ends[r * width + c])`, where width is the number of
   * the source's columns; a start of -1 says that the record does not give the field (XML only).
   */
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** Line (1-based) on which each record starts; a line end inside a field counts. */
  readonly lines: Float64Array
  /** The records that have no fields because their shape is wrong, by ascending index. */
  readonly faults: readonly RecordFault[]
}

/** The text of a field; undefined where the source (-1) or the record does not give it. `width` is the number of the source's columns. */
export function textAt(block: RecordBlock, width: number, record: number, source: number): string | undefined {
  if (source === -1) return undefined
  const at = record * width + source
  const start = block.starts[at]!
  return start === -1 ? undefined : block.bytes.toString('utf8', start, block.ends[at]!)
}

/** A record whose shape is wrong: its offsets in the block mean nothing, its text is kept whole. */
export interface RecordFault {
  /** Index of the record in its block. */
  readonly index: number
  readonly code: ErrorCode
  /** A sentence with the values in it. */
  readonly reason: string
  /** Name of the source column, where one column is at fault. */
  readonly column?: string
  /** The record as it stood in the source, decoded, without its line end; at most `maxFaultTextLength` characters. */
  readonly text: string
}

/** How much of a bad record's text is kept. */
export const maxFaultTextLength = 100_000

/** An opened file: its columns, then its records in file order. */
export interface RecordSource {
  /** Column names in source order, trimmed, as the file spells them (XML: the field names asked for). */
  readonly columns: readonly string[]
  /** Throws MessageRejected (EF…) where the file is unreadable from some place on. */
  readonly blocks: AsyncIterable<RecordBlock>
  /** XML only: names met so far that are no field asked for (as spelt in the file). */
  readonly unknownNames: ReadonlySet<string>
}

/** What a reader must know of the entity to find its records. */
export interface RecordShape {
  /** Names a record element may have, compared without regard to case (XML). */
  readonly recordNames: readonly string[]
  /** Field names in declared order; the columns of a file without a header. */
  readonly fieldNames: readonly string[]
}

/** Bounds of what a reader accepts and holds. */
export interface ReadLimits {
  /** Largest record in bytes of UTF-8; a larger one is EF107. */
  readonly maxRecordBytes: number
}

/** A record of 1 MB is 1,000 times the usual one; beyond that a quote or line end is missing. */
export const defaultReadLimits: ReadLimits = { maxRecordBytes: 4 * 1024 * 1024 }

/** Largest block in bytes of source: bounds memory and keeps one turn of the event loop to a few milliseconds. */
export const blockBytes = 512 * 1024
