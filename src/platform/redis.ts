import { Redis, type RedisOptions } from 'ioredis'
import { SetupFault, textOf } from '../errors'
import { observe } from './observe'
import { type Outage, within } from './outage'

/** The oldest Redis that BullMQ recommends, whose scripts it is tested with. */
const leastVersion = [6, 2] as const
/** How long a start waits for Redis: it goes on without, so this only bounds how late a wrong setting is noticed. */
const firstContactMs = 2_000

/** Replies that waiting does not cure. */
const refusals = /NOAUTH|WRONGPASS|NOPERM|invalid password|DB index is out of range/

interface RedisUse {
  readonly url: string
  /** Shown by CLIENT LIST. */
  readonly name: string
  readonly outage: Outage
}

/** A connection for callers who would rather have no answer than a late one: commands fail within a second. */
export function openImpatientRedis(use: RedisUse): Redis {
  return open(use, { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 1_000 })
}

/** A worker's connections: their commands wait until Redis is back, as BullMQ demands. */
export interface PatientRedis {
  readonly client: Redis
  /** Cuts them all at once, whatever state they are in. */
  disconnect(): void
}

/** Opens a connection for one worker, and keeps hold of the copy that BullMQ makes of it for its blocking commands. */
export function openPatientRedis(use: RedisUse): PatientRedis {
  let leaving = false
  const retryStrategy = (times: number) => (leaving ? null : retryMs(times))
  const client = open(use, { maxRetriesPerRequest: null, retryStrategy })
  const connections = [client]
  const duplicate = client.duplicate.bind(client)
  client.duplicate = (override) => {
    const copy = duplicate(override)
    connections.push(copy)
    return copy
  }
  return {
    client,
    disconnect() {
      leaving = true
      for (const connection of connections) end(connection)
    },
  }
}

/**
 * Brings a connection to its end, with the commands that wait on it. Told to disconnect while it is between two attempts,
 * ioredis never says that it ended, and BullMQ waits for that for ever: one more attempt, which is the last, does end it.
 */
function end(connection: Redis): void {
  if (connection.status === 'reconnecting' || connection.status === 'close') {
    connection.once('ready', () => connection.disconnect())
    connection.connect().catch(() => undefined)
  } else {
    connection.disconnect()
  }
}

/** The pause before the next attempt to connect: short at first for a restart, then at most 2 s. */
function retryMs(times: number): number {
  return Math.min(50 * 2 ** times, 2_000)
}

type Patience = Pick<RedisOptions, 'enableOfflineQueue' | 'maxRetriesPerRequest' | 'commandTimeout' | 'retryStrategy'>

function open({ url, name, outage }: RedisUse, options: Patience): Redis {
  const client = new Redis(url, {
    retryStrategy: retryMs,
    ...options,
    connectionName: name,
    connectTimeout: 3_000,
    keepAlive: 10_000,
  })
  client.on('error', (error) => outage.failed(textOf(error)))
  client.on('ready', () => outage.worked())
  return client
}

/**
 * Checks that Redis will keep what it is given. When it cannot be reached the check is made once it can, and then only warns.
 * Throws  SetupFault ES103 when it refuses us, is too old, or evicts keys and that is not allowed.
 */
export async function checkRedis(client: Redis, options: { allowEviction: boolean }): Promise<void> {
  const contact = await within(firstContactMs, readiness(client)).catch((error) => new Error(textOf(error)))
  if (contact === 'ready') {
    const problem = await findProblem(client, options.allowEviction)
    if (problem) throw new SetupFault('ES103', problem)
    return
  }
  if (refusals.test(contact.message)) throw new SetupFault('ES103', `Redis refuses the connection: ${contact.message}`)
  client.once('ready', async () => {
    const problem = await findProblem(client, options.allowEviction)
    if (problem) warn(problem)
  })
}

function readiness(client: Redis): Promise<'ready' | Error> {
  if (client.status === 'ready') return Promise.resolve('ready')
  return new Promise((resolve) => {
    client.once('ready', () => resolve('ready'))
    client.once('error', resolve)
  })
}

/** What is wrong with this Redis; questions that it does not answer are warned about and count as answered well. */
async function findProblem(client: Redis, allowEviction: boolean): Promise<string | undefined> {
  try {
    const version = /redis_version:(\d+)\.(\d+)/.exec(await client.info('server'))
    if (version && !isAtLeast(Number(version[1]), Number(version[2]))) {
      return `Redis is ${version[1]}.${version[2]}; it must be ${leastVersion.join('.')} or newer`
    }
    const [, policy] = (await client.config('GET', 'maxmemory-policy')) as string[]
    if (policy !== undefined && policy !== 'noeviction' && !allowEviction) {
      return `The maxmemory-policy of Redis is ${policy}: when memory is short it would delete jobs that wait`
    }
  } catch (error) {
    warn(`Redis could not be checked: ${textOf(error)}`)
  }
  return undefined
}

function isAtLeast(major: number, minor: number): boolean {
  return major > leastVersion[0] || (major === leastVersion[0] && minor >= leastVersion[1])
}

function warn(reason: string): void {
  observe({ at: 'queue.warning', backend: 'redis', reason })
}
