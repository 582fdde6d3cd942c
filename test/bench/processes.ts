import { type ChildProcess, fork, spawn } from 'node:child_process'
import { connect as connectTo, createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A process that runs beside a bench. */
export interface Companion<T> {
  /** What it told when it was ready. */
  readonly told: T
  /** Ends it in order, and at once when it takes too long. */
  stop(): Promise<void>
}

/** Starts a Node process of this folder and waits until it sends its parent a message. */
export async function startProcess<T>(
  name: string,
  env: NodeJS.ProcessEnv,
  nodeOptions: readonly string[] = [],
): Promise<Companion<T>> {
  const child = fork(path.join(__dirname, name), { env, execArgv: [...nodeOptions] })
  const told = await new Promise<T>((resolve, reject) => {
    child.once('message', (message) => resolve(message as T)) // what it sends stands in its own file
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it was ready`)))
  })
  return { told, stop: () => stop(child) }
}

/** Starts a Redis that is written to disk every second, as Redis is usually run for queues; undefined where there is none. */
export async function startRedis(folder: string): Promise<Companion<string> | undefined> {
  const port = await freePort()
  const settings = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec', '--dir', folder]
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', ...settings], { stdio: 'ignore' })
  const isThere = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false))
    child.once('spawn', () => resolve(true))
  })
  if (!isThere) return undefined
  await untilListening(port)
  return { told: `redis://127.0.0.1:${port}`, stop: () => stop(child) }
}

/** Waits until something listens on the port of this machine. Throws after ten seconds. */
async function untilListening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await listens(port)) return
    await sleep(50)
  }
  throw new Error(`Nothing listens on port ${port} after ten seconds`)
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTo(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/** A port that is free now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

const patienceMs = 10_000

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  await ended
  clearTimeout(late)
}
