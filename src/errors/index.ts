import { type ErrorCode, errorCodes } from './codes'

/** Every error that Entrepot can name, and the kinds of failure by who acts next. Imports nothing, so that every folder may use it. */
export { type ErrorCode, errorCodes } from './codes'

/** Where in the input an error was seen; every property is optional. Lines and columns are 1-based. */
export interface ErrorPlace {
  readonly messageId?: string
  readonly executionId?: string
  readonly entity?: string
  readonly recordNumber?: number
  readonly field?: string
  readonly value?: string
  readonly line?: number
  readonly column?: number
}

/** A failure with a stable code, a sentence with the values in it, a hint and its place. */
export class EntrepotError extends Error {
  readonly hint: string
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly place: ErrorPlace = {},
    options: { cause?: unknown; hint?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.hint = options.hint ?? errorCodes[code].hint
  }
}

/** This message can never pass: the producer has to act. */
export class MessageRejected extends EntrepotError {}

/** The request is wrong or not allowed: the caller has to act. `status` is the HTTP status. */
export class RequestRefused extends EntrepotError {
  constructor(
    readonly status: number,
    code: ErrorCode,
    message: string,
    place: ErrorPlace = {},
  ) {
    super(code, message, place)
  }
}

/** Something that we depend on is away or busy: try again later, with backoff. */
export class Unavailable extends EntrepotError {}

/** Someone else was faster, or took the work over: stop, write nothing, let them go on. */
export class Conflict extends Error {
  override readonly name = 'Conflict'
}

/** The process was set up wrongly: an operator has to act before it can start. */
export class SetupFault extends EntrepotError {}

/** What a caller is shown of an error: `{ error: { code, message, target, details, innererror } }` (OData JSON 4.01, 19). */
export function errorBody(error: EntrepotError): { error: Record<string, unknown> } {
  const { field, ...place } = error.place
  return {
    error: {
      code: error.code,
      message: error.message,
      ...(field === undefined ? {} : { target: field }),
      details: [],
      innererror: { type: error.name, hint: error.hint, ...place },
    },
  }
}

/** The text of an unknown thrown value, for logs and reasons. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
