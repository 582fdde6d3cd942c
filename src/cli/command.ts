import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { type EntrepotError, errorBody, MessageRejected, RequestRefused } from '../errors'
import { exitCodeOf, exitCodes, tellError } from './failure'
import { printJson } from './terminal'

export { Argument, Command, CommanderError, InvalidArgumentError, Option }

/** The option of commands whose answer machines can read. */
export const asJson = ['--json', 'prints JSON for machines'] as const

/** Values of an option that may be given several times. */
export function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value]
}

/** Reads a whole number of an option. Throws InvalidArgumentError. */
export function whole(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,16}$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`'${text}' is no whole number from ${least} to ${most}.`)
  }
}

type Action<A extends unknown[]> = (...args: A) => Promise<unknown>

/** What `--json` prints of a refusal: an object with `error`. */
type ErrorShape = (error: EntrepotError) => object

/**
 * An action whose exit code is what it returns, or goes with what it throws.
 * With --json a refusal is printed on standard output as well, as one JSON object.
 */
export function run<A extends unknown[]>(
  action: Action<A>,
  shape: ErrorShape = errorBody,
): (...args: A) => Promise<void> {
  return ended(action, exitCodeOf, shape)
}

/** As `run`, for what cannot start: the exit code that supervisors expect. */
export function start<A extends unknown[]>(action: Action<A>): (...args: A) => Promise<void> {
  return ended(action, () => exitCodes.inError, errorBody)
}

function ended<A extends unknown[]>(
  action: Action<A>,
  codeOf: (error: unknown) => number,
  shape: ErrorShape,
): (...args: A) => Promise<void> {
  return async (...args) => {
    try {
      const code = await action(...args)
      if (typeof code === 'number') process.exitCode = code
    } catch (error) {
      const isRefusal = error instanceof MessageRejected || error instanceof RequestRefused
      if (isRefusal && wantsJson(args)) printJson(shape(error))
      tellError(error)
      process.exitCode = codeOf(error)
    }
  }
}

/** Commander calls an action with its arguments, its options and the command that was called. */
function wantsJson(args: readonly unknown[]): boolean {
  const command = args.at(-1)
  return command instanceof Command && command.opts().json === true
}
