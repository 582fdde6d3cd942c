import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Hub } from '../hub'
import { settings } from '../platform/config'
import type { Lifecycle } from '../platform/lifecycle'
import { observe } from '../platform/observe'

/** The program as it was built: the same file that runs here. */
const program = path.join(__dirname, '..', 'cli.js')

/** A worker that dies at once is started again after a second, then two, up to this long: whatever kills it may last. */
const restartMs = { first: 1_000, most: 30_000 }
/** A worker that lived so long was well: the next restart is quick again. */
const wellAfterMs = 60_000
/** Work is given back within a few seconds; one that does not end must not use up the time that the rest needs to close. */
const stopMs = 15_000

/**
 * Keeps one process with all workers running beside this one, so that parsing never holds up an HTTP answer. It is
 * started again when it dies, and stopped first when the hub closes.
 */
export function startWorkerProcess(hub: Hub, lifecycle: Lifecycle): void {
  let worker: ChildProcess | undefined
  const stopping = new AbortController()
  const keepRunning = async () => {
    let waitMs = restartMs.first
    while (!stopping.signal.aborted) {
      const startedAt = Date.now()
      worker = startWorker(hub)
      // An error is that it could not even be started, which goes the same way.
      await once(worker, 'exit').catch(() => undefined)
      if (stopping.signal.aborted) return
      observe({ at: 'worker.restarted', queue: 'all' })
      waitMs = Date.now() - startedAt > wellAfterMs ? restartMs.first : Math.min(waitMs * 2, restartMs.most)
      await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }
  const kept = keepRunning()
  lifecycle.onShutdown('worker process', async () => {
    stopping.abort()
    worker?.kill('SIGTERM')
    const late = setTimeout(() => worker?.kill('SIGKILL'), stopMs)
    await kept
    clearTimeout(late)
  })
}

/** In a process group of its own: Ctrl-C is ours to pass on, once. It ends by itself when this process is gone. */
function startWorker(hub: Hub): ChildProcess {
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const
  return fork(program, ['work'], { env: environmentOf(hub), detached: true, stdio: [...stdio] })
}

/** The settings of this hub as variables, and nothing of those that this process was started with. */
function environmentOf({ db, config }: Hub): NodeJS.ProcessEnv {
  const { payloadStore } = config
  const env = { ...process.env }
  for (const [key, { name }] of Object.entries(settings)) {
    delete env[`${name}_FILE`]
    const value = config[key as keyof typeof settings] // Object.entries forgets the type of the keys
    if (value === undefined) delete env[name]
    else env[name] = String(value)
  }
  return {
    ...env,
    DATABASE_URL: db.url,
    PAYLOAD_STORE: payloadStore.kind === 'file' ? `file:${payloadStore.folder}` : 'postgres',
  }
}
