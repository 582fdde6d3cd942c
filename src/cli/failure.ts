import { EntrepotError, MessageRejected, RequestRefused, textOf } from '../errors'
import { paint, tell } from './terminal'

/** What the exit code of a command means. */
export const exitCodes = {
  /** All is done, and all of it is good. */
  good: 0,
  /** It is done, and some records are in error; for `migrate`, `up`, `serve` and `work`: it could not start. */
  inError: 1,
  /** The command, the request or the file is wrong: it can never pass as it is. */
  refused: 2,
  /** The database, Redis or the set-up stood in the way: the same may pass later. */
  unavailable: 3,
} as const

/** The exit code that goes with an error. */
export function exitCodeOf(error: unknown): number {
  const isRefusal = error instanceof MessageRejected || error instanceof RequestRefused
  return isRefusal ? exitCodes.refused : exitCodes.unavailable
}

/** Says what went wrong, where and what to do; the stack only of what nobody foresaw. */
export function tellError(error: unknown): void {
  if (error instanceof EntrepotError) {
    tellProblem(error)
    return
  }
  tell(`${paint('red', 'ES901', process.stderr)}: ${textOf(error)}`)
  if (error instanceof Error && error.stack) tell(error.stack.split('\n').slice(1).join('\n'))
}

/** What is told of a problem; the error of a message is kept in the database without being one. */
export interface Problem {
  readonly code: string
  readonly message: string
  readonly hint?: string | undefined
  readonly place?: object | undefined
}

/** Writes `CODE: message`, the place where the message does not say it, and the hint. */
export function tellProblem({ code, message, hint, place = {} }: Problem, say = tell): void {
  say(`${paint('red', code, process.stderr)}: ${message}`)
  const places = new Map(Object.entries(place))
  const where = shownPlaces.flatMap(([name, noun]) => (places.has(name) ? [`${noun} ${places.get(name)}`] : []))
  if (where.length > 0) say(`  at ${where.join(', ')}`)
  if (hint) say(`  ${hint}`)
}

const shownPlaces = [
  ['line', 'line'],
  ['column', 'column'],
  ['recordNumber', 'record'],
  ['field', 'field'],
] as const
