import type { ErrorCode } from '../errors'
import { storable } from './storable'

/** One thing that is wrong with one staged record. */
export interface RecordError {
  readonly recordNumber: number
  readonly line: number
  readonly code: ErrorCode
  readonly field: string | null
  /** The offending text, at most `maxErrorValueLength` characters. */
  readonly value: string | null
  /** A sentence with the values in it. */
  readonly reason: string
  /** Name of the member that the record is of; left out where the execution's entity is no composite. */
  readonly entity?: string
}

/** Enough to recognise a value by, not enough to flood a log or a page. */
export const maxErrorValueLength = 200

/** Cuts a value down to what an error keeps of it, without characters that could not be kept. */
export function shownValue(text: string): string {
  return storable(text.length > maxErrorValueLength ? `${text.slice(0, maxErrorValueLength - 1)}…` : text)
}
