import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { accessSync, constants } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { Redis } from 'ioredis'
import { waitFor } from './wait-for'

/** A Redis for one test file: a server of its own, or the one of REDIS_URL with a prefix of its own. */
export interface TestRedis {
  readonly url: string
  readonly prefix: string
  /** A connection for looking at it and upsetting it. */
  readonly client: Redis
  /** Ends the server as `kill -9` does, with all it holds, or starts an empty one on the same port. Own servers only. */
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

const program = 'redis-server'
const hasProgram = (process.env.PATH ?? '').split(path.delimiter).some((folder) => {
  try {
    accessSync(path.join(folder, program), constants.X_OK)
    return true
  } catch {
    return false
  }
})
/** Whether tests on Redis can run here. */
export const hasRedis = hasProgram || Boolean(process.env.REDIS_URL)

if (!hasRedis) {
  const missing = `No ${program} in PATH and no REDIS_URL`
  if (process.env.CI === 'true') throw new Error(`${missing}: tests on Redis may not be skipped here`)
  console.warn(`\n  ***** ${missing}: ALL TESTS ON REDIS ARE SKIPPED *****\n`)
}

/** `describe` for tests that need Redis: skipped loudly without one, and refused in CI. */
export const describeWithRedis = hasRedis ? describe : describe.skip

/** As `describeWithRedis`, for tests that stop and start the server, or empty it. */
export const describeWithOwnRedis = hasProgram ? describe : describe.skip

/** Gives a Redis, without persistence; undefined when this machine has none. `settings` as on its command line. */
export async function testRedis(settings: readonly string[] = []): Promise<TestRedis | undefined> {
  if (!hasRedis) return undefined
  const prefix = `{test-${randomBytes(6).toString('hex')}}`
  return hasProgram ? ownServer(prefix, settings) : sharedServer(prefix, process.env.REDIS_URL ?? '')
}

async function ownServer(prefix: string, settings: readonly string[]): Promise<TestRedis> {
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let server: ChildProcess | undefined
  const client = quietClient(url)
  const start = async () => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...settings]
    server = spawn(program, args, { stdio: 'ignore' })
    await waitFor(async () => (await client.ping()) === 'PONG', { what: `${program} on port ${port}` })
  }
  const kill = async () => {
    const gone = server
    if (!gone || gone.exitCode !== null || gone.signalCode !== null) return
    const exited = new Promise((resolve) => gone.once('exit', resolve))
    gone.kill('SIGKILL')
    await exited
  }
  await start()
  const stop = async () => {
    client.disconnect()
    await kill()
  }
  return { url, prefix, client, kill, start, stop }
}

async function sharedServer(prefix: string, url: string): Promise<TestRedis> {
  const client = quietClient(url)
  const notOurs = () => Promise.reject(new Error('The Redis of REDIS_URL is not started or killed by tests'))
  const stop = async () => {
    const keys = await client.keys(`${prefix}*`)
    if (keys.length > 0) await client.del(keys)
    client.disconnect()
  }
  return { url, prefix, client, kill: notOurs, start: notOurs, stop }
}

function quietClient(url: string): Redis {
  const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: 0 })
  client.on('error', () => undefined)
  return client
}

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
