import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { WorkerRole } from '../../src/work'
import type { QueuePlace } from './queues'
import { waitFor } from './wait-for'

/** How a process ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A line that a process logged. */
export interface LoggedLine {
  readonly at: string
  readonly [field: string]: unknown
}

/** A process of its own, to be killed, stopped and let go on. */
export interface StartedProcess {
  readonly exit: Promise<Exit>
  readonly lines: readonly LoggedLine[]
  signal(name: NodeJS.Signals): void
  /** Waits until the process logs such a line. */
  logs(at: string, where?: (line: LoggedLine) => boolean): Promise<LoggedLine>
  /** Waits until the process is stopped by SIGSTOP. */
  isStopped(): Promise<void>
}

interface ProcessOptions {
  readonly place: Pick<QueuePlace, 'databaseUrl' | 'redisUrl' | 'prefix'>
  /** `name:nth:action`, see `platform/faults.ts`. */
  readonly fault?: string
  readonly env?: Record<string, string>
}

/** Starts a worker process of these roles (all of them by default) on the real queues, with low bounds and short leases. */
export function startWorker({ roles = [], ...options }: ProcessOptions & { roles?: WorkerRole[] }): StartedProcess {
  return startProcess(path.join(__dirname, 'worker.ts'), roles, options)
}

const started = new Set<ChildProcess>()

/** Starts a TypeScript file as a process of its own. */
export function startProcess(file: string, args: readonly string[], options: ProcessOptions): StartedProcess {
  const { place, fault, env } = options
  const child = spawn(process.execPath, ['-r', path.join(__dirname, 'register-typescript.js'), file, ...args], {
    stdio: ['ignore', 'inherit', 'pipe'],
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: place.databaseUrl,
      ...(place.redisUrl ? { REDIS_URL: place.redisUrl, QUEUE_PREFIX: place.prefix } : {}),
      LEASE_SECONDS: '2',
      SWEEP_SECONDS: '1',
      LOG_LEVEL: 'debug',
      ...(fault ? { ENTREPOT_FAULT: fault } : {}),
      ...env,
    },
  })
  started.add(child)
  const lines: LoggedLine[] = []
  createInterface({ input: child.stderr! }).on('line', (line) => lines.push(readLine(line)))
  let ended = false
  const exit = new Promise<Exit>((resolve) =>
    child.once('close', (code, signal) => {
      ended = true
      started.delete(child)
      resolve({ code, signal })
    }),
  )
  return {
    exit,
    lines,
    signal: (name) => void child.kill(name),
    async logs(at, where = () => true) {
      const find = () => lines.find((line) => line.at === at && where(line))
      await waitFor(() => ended || find() !== undefined, { what: `${at} in ${file}`, timeoutMs: 30_000 })
      const line = find()
      if (!line) throw new Error(`${file} has ended without ${at}`)
      return line
    },
    isStopped: () =>
      waitFor(() => stateOf(child).startsWith('T'), { what: `${file} to be stopped`, timeoutMs: 20_000 }).then(
        () => {},
      ),
  }
}

/** Kills what is left of the processes that this test file started. */
export async function killProcesses(): Promise<void> {
  const left = [...started]
  const gone = left.map((child) => new Promise((resolve) => child.once('close', resolve)))
  for (const child of left) child.kill('SIGKILL')
  await Promise.all(gone)
}

/** What is no log line is what a process says when it cannot start, or a crash: shown with the test that fails. */
function readLine(line: string): LoggedLine {
  try {
    return JSON.parse(line)
  } catch {
    return { at: 'text', line }
  }
}

function stateOf({ pid }: ChildProcess): string {
  return execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).trim()
}
