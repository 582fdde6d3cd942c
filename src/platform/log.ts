import pino, { type Logger } from 'pino'
import { EntrepotError, textOf } from '../errors'
import { type Observation, onObservation } from './observe'

type Level = 'debug' | 'info' | 'warn' | 'error'

/** How loud each observation is. Those that tell of a retry or an answer to a producer need nobody at night. */
const levels: Record<Observation['at'], Level> = {
  'hub.started': 'info',
  'hub.stopping': 'info',
  'hub.stopped': 'info',
  'hub.release-failed': 'warn',
  'message.received': 'info',
  'message.rejected': 'warn',
  'message.finished': 'info',
  'stage.finished': 'info',
  'promote.finished': 'info',
  'step.retried': 'warn',
  'step.conflict': 'info',
  'step.failed': 'error',
  'bell.dropped': 'debug',
  'queue.away': 'warn',
  'queue.back': 'info',
  'queue.warning': 'warn',
  'worker.restarted': 'warn',
  'sweep.rang': 'debug',
  'clean.finished': 'info',
  'embedded.notice': 'info',
}

/**
 * Writes what is observed from now on as JSON lines to standard error: `{ level, time, at, … }`.
 * Returns  the function that stops it.
 */
export function logObservations(level: string): () => void {
  // Synchronous: the last lines before a crash are the ones that are wanted.
  const destination = pino.destination({ dest: 2, sync: true })
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  const logger = pino(options, destination)
  return onObservation((event) => render(logger, event))
}

function render(logger: Logger, event: Observation): void {
  const line = 'error' in event ? { ...event, error: errorForLog(event.error) } : event
  logger[levels[event.at]](line)
}

/** An error as fields: its stack only where the place in our code matters, its causes as texts. */
export function errorForLog(error: unknown): Record<string, unknown> {
  if (error instanceof EntrepotError) {
    const { value: _value, ...place } = error.place
    return { code: error.code, message: error.message, ...place, ...causeOf(error) }
  }
  const stack = error instanceof Error ? { stack: error.stack } : {}
  return { message: textOf(error), ...stack, ...(error instanceof Error ? causeOf(error) : {}) }
}

function causeOf(error: Error): { cause?: string } {
  return error.cause === undefined ? {} : { cause: textOf(error.cause) }
}
