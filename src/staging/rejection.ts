import { type EntrepotError, MessageRejected, RequestRefused } from '../errors'
import type { Work } from '../execution/work'

/** A message that can never pass, and why. */
export interface Rejection {
  readonly work: Work
  readonly error: EntrepotError
}

/** Whether an error says that the message can never pass as it is. */
export function isRejection(error: unknown): error is EntrepotError {
  return error instanceof MessageRejected || error instanceof RequestRefused
}
