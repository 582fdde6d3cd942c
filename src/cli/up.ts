import { type Hub, openHub } from '../hub'
import { type Config, readConfig } from '../platform/config'
import { endOnSignals, type Lifecycle, openLifecycle } from '../platform/lifecycle'
import { logObservations } from '../platform/log'
import { observe } from '../platform/observe'
import { runWorker } from '../run-worker'
import { type WorkerRole, workerRoles } from '../work'
import { paint, print } from './terminal'
import { version } from './version'
import { startWorkerProcess } from './worker-process'

/** A hub that answers at a URL. */
export interface RunningHub {
  readonly hub: Hub
  readonly url: string
}

/** Starts the HTTP server in this process and, unless told not to, the workers in one beside it. */
export async function startHub(
  config: Config,
  lifecycle: Lifecycle,
  { withWorkers }: { withWorkers: boolean },
): Promise<RunningHub> {
  const role = withWorkers ? 'up' : 'serve'
  const hub = await openHub(config, lifecycle, role)
  const queues = await hub.openQueues('producer')
  // Only here: loading the libraries of the server takes longer than most commands take to be done.
  const { startServer } = await import('../serve')
  const { url } = await startServer(hub, queues, lifecycle)
  // Last, so that it is the first to be closed.
  if (withWorkers) startWorkerProcess(hub, lifecycle)
  observe({ at: 'hub.started', role, url })
  return { hub, url }
}

/** Runs everything on this machine until a signal ends it. Resolves once it is up. */
export async function up(): Promise<void> {
  const config = readConfig()
  // Somebody who looks on wants to see what is wrong; a log file wants all.
  const logLevel = process.stderr.isTTY && !process.env.LOG_LEVEL ? 'warn' : config.logLevel
  const { url } = await startForGood({ ...config, logLevel }, { withWorkers: true })
  print(`${paint('bold', `Entrepot ${version()}`)} is up at ${paint('cyan', url)}
${urlLines(url)}
Ctrl-C stops it.`)
}

/** Runs the HTTP server until a signal ends it. Resolves once it is up. */
export async function serve(): Promise<void> {
  const { url } = await startForGood(readConfig(), { withWorkers: false })
  print(`Entrepot ${version()} answers at ${url}`)
}

async function startForGood(config: Config, options: { withWorkers: boolean }): Promise<RunningHub> {
  logObservations(config.logLevel)
  const lifecycle = openLifecycle()
  endOnSignals(lifecycle)
  try {
    return await startHub(config, lifecycle, options)
  } catch (error) {
    await lifecycle.shutdown('cannot start')
    throw error
  }
}

/** What there is to look at. */
export function urlLines(url: string): string {
  const lines = [
    ['push a file', `POST ${url}/api/connector/enqueue/{activity}?entity=…`],
    ['its status', `GET  ${url}/api/connector/jobstatus/{activity}?jobId={message}`],
    ['package API', `POST ${url}/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.{action}`],
    ['the queues', `${url}/ops/queues`],
    ['health', `${url}/healthz  ${url}/readyz  ${url}/metrics`],
  ] as const
  return lines.map(([what, where]) => `  ${paint('dim', what.padEnd(12))} ${where}`).join('\n')
}

/** Runs the workers of these roles (by default all) until a signal ends them, or the process that forked this one is gone. */
export async function work(roles: readonly WorkerRole[] = workerRoles): Promise<void> {
  if (process.connected) process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  await runWorker(roles)
}
