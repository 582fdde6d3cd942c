import type { FieldReadings } from './field-reading'
import type { KeySet } from './key-set'

/** Where the rows of an encoder go, and how they are marked. */
export interface EncoderOptions {
  readonly executionEntityId: number
  /** Number of the source's columns. */
  readonly width: number
  /** See `ColumnMap`. */
  readonly sources: readonly number[]
  /** Canonical company of records that name none. */
  readonly company: string | null
  readonly readings?: FieldReadings
  /** Whether the entity's own rule over whole records is asked; it is unless said otherwise. */
  readonly asksRules?: boolean
  /** State of good records: V, R when they are promoted because they were in error before, E when they wait for that. */
  readonly goodState?: 'V' | 'R' | 'E'
  /** Takes the keys as well, of several sources. */
  readonly groupKeys?: KeySet
  /** Expected size of the source in bytes, so that a small message takes little memory. */
  readonly sourceBytes: number
}
