import { EntrepotError } from './errors'
import { openHub } from './hub'
import { type Config, readConfig } from './platform/config'
import { endOnSignals, openLifecycle } from './platform/lifecycle'
import { logObservations } from './platform/log'
import { observe } from './platform/observe'
import { startWorkers, type WorkerRole } from './work'

/**
 * Runs a worker process until a signal ends it; a process that cannot start says why and exits with code 1.
 * Input   `bounds`: in place of those of the environment, for tests.
 */
export async function runWorker(roles: readonly WorkerRole[], bounds: Partial<Config> = {}): Promise<void> {
  const lifecycle = openLifecycle()
  try {
    const config = { ...readConfig(), ...bounds }
    logObservations(config.logLevel)
    const role = roles.join('+')
    endOnSignals(lifecycle)
    const hub = await openHub(config, lifecycle, role)
    await startWorkers(hub, await hub.openQueues('worker'), lifecycle, roles)
    observe({ at: 'hub.started', role })
  } catch (error) {
    process.stderr.write(`${startFailure(error)}\n`)
    await lifecycle.shutdown('cannot start')
    process.exit(1)
  }
}

/** What a person reads when a process cannot start. */
export function startFailure(error: unknown): string {
  if (error instanceof EntrepotError) return `${error.code}: ${error.message}\n  ${error.hint}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
