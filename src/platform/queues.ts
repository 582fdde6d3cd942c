import { textOf, Unavailable } from '../errors'
import { type BullBackend, type BullQueue, backendError, newQueue, postgresConnection } from './bull'
import { observe } from './observe'
import { watchOutage, within } from './outage'
import { type QueueWorker, startBellWorker, startInboundWorker } from './queue-worker'
import { checkRedis, openImpatientRedis, openPatientRedis } from './redis'

export { migrateQueues } from './bull'
export type { QueueWorker } from './queue-worker'

/** The queues: one for each step's bells, and `inbound`, where producers put jobs of their own. */
export const queueNames = ['stage', 'promote', 'inbound'] as const
export type QueueName = (typeof queueNames)[number]

/** A bell for one piece of work. `jobId` names this ringing of it: no ':', not digits only; a second one with it is dropped. */
export interface Bell {
  readonly id: string
  readonly jobId: string
}

export interface QueueDepth {
  readonly waiting: number
  readonly active: number
  readonly delayed: number
  readonly failed: number
}

/**
 * The queues of BullMQ. They ring bells and hold no state: any bell may be lost, doubled, late or out of order, because
 * due work is found in the database and rung for again.
 */
export interface Queues {
  /** Rings for a piece of work. Never throws and takes a second at most: when the backend is away the bell is dropped. */
  ring(queue: QueueName, id: string, jobId: string): Promise<void>
  /** As `ring`, for many at once in one round trip. */
  ringAll(queue: QueueName, bells: readonly Bell[]): Promise<void>
  /**
   * Hands the ids of bells to the handler. What the handler throws is observed and the bell is gone all the same.
   * Throws  Unavailable ES102 when the queues are in a database that is away (a Redis that is away is waited for).
   */
  work(queue: QueueName, handler: BellHandler, options: { concurrency: number }): Promise<QueueWorker>
  /**
   * Hands the jobs of producers to the handler, whose message id becomes the job's return value. MessageRejected and
   * RequestRefused fail the job for good with `<code>: <message>`; Unavailable and Conflict put it off, without limit.
   */
  workInbound(handler: InboundHandler, options: { concurrency: number }): Promise<QueueWorker>
  /** How many jobs wait where. Throws Unavailable ES103 when there is no answer within a second. */
  depths(): Promise<Record<QueueName, QueueDepth>>
  /** BullMQ's own queue objects, for Bull Board. */
  readonly forBoard: readonly unknown[]
  /** Whether the backend answers within a second. */
  isReady(): Promise<boolean>
  /** Closes the connections; close the workers first. */
  close(): Promise<void>
}

export type BellHandler = (id: string) => Promise<void>
export type InboundHandler = (data: unknown, jobId: string) => Promise<string>

export interface QueueSettings {
  /** Without it the queues are in the database, which `migrateQueues` must have prepared. */
  readonly redisUrl?: string | undefined
  readonly prefix: string
  readonly databaseUrl: string
  readonly allowEviction: boolean
  /** Part of the connections' names. */
  readonly role: 'producer' | 'worker'
}

const answerMs = 1_000
/** A bell leaves no trace: an id that is kept would silence the next bell with it. */
const bellOptions = { removeOnComplete: true, removeOnFail: true }

/**
 * Opens the queues: on Redis, or in the database when there is no `redisUrl`. Succeeds while Redis is away.
 * Throws  SetupFault ES103 for a Redis that is not fit; Unavailable ES102 for a database that is away.
 */
export async function openQueues(settings: QueueSettings): Promise<Queues> {
  const backend = settings.redisUrl ? await redisBackend(settings, settings.redisUrl) : postgresBackend(settings)
  const { outage } = backend
  const queues = Object.fromEntries(queueNames.map((name) => [name, openQueue(backend, name)])) as Record<
    QueueName,
    BullQueue
  >
  if (!settings.redisUrl) await ready(Object.values(queues))
  let closing: Promise<void> | undefined

  async function ringAll(queue: QueueName, bells: readonly Bell[]): Promise<void> {
    if (bells.length === 0) return
    const jobs = bells.map(({ id, jobId }) => ({ name: queue, data: { id }, opts: { ...bellOptions, jobId } }))
    try {
      backend.assertReachable()
      await within(answerMs, queues[queue].addBulk(jobs))
      outage.worked()
    } catch (error) {
      outage.failed(textOf(error))
      observe({ at: 'bell.dropped', queue, bells: bells.length, reason: textOf(error) })
    }
  }

  async function depths(): Promise<Record<QueueName, QueueDepth>> {
    try {
      backend.assertReachable()
      const depthOf = async (name: QueueName) => [name, await readDepth(queues[name])] as const
      const entries = await within(answerMs, Promise.all(queueNames.map(depthOf)))
      return Object.fromEntries(entries) as Record<QueueName, QueueDepth>
    } catch (error) {
      throw new Unavailable('ES103', `The queues give no answer: ${textOf(error)}`, {}, { cause: error })
    }
  }

  return {
    ring: (queue, id, jobId) => ringAll(queue, [{ id, jobId }]),
    ringAll,
    work: (queue, handler, options) => startBellWorker(backend, queue, handler, options),
    workInbound: (handler, options) => startInboundWorker(backend, 'inbound', handler, options),
    depths,
    forBoard: Object.values(queues),
    isReady: () =>
      depths().then(
        () => true,
        () => false,
      ),
    close() {
      closing ??= closeAll()
      return closing
    },
  }

  async function closeAll(): Promise<void> {
    // A queue of BullMQ whose connection never came up waits for it when closed.
    await Promise.all(Object.values(queues).map((queue) => within(answerMs, queue.close()).catch(() => undefined)))
    backend.close()
  }
}

function openQueue(backend: BullBackend, name: QueueName): BullQueue {
  const queue = newQueue(backend, name)
  queue.on('error', (error) => backend.outage.failed(textOf(error)))
  return queue
}

async function readDepth(queue: BullQueue): Promise<QueueDepth> {
  const counts = await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed')
  return {
    waiting: (counts.waiting ?? 0) + (counts.prioritized ?? 0),
    active: counts.active ?? 0,
    delayed: counts.delayed ?? 0,
    failed: counts.failed ?? 0,
  }
}

/** BullMQ remembers a failed first contact with Postgres for good: such queues must not be kept. */
async function ready(queues: readonly BullQueue[]): Promise<void> {
  try {
    await Promise.all(queues.map((queue) => queue.waitUntilReady()))
  } catch (error) {
    await Promise.all(queues.map((queue) => queue.close().catch(() => undefined)))
    throw backendError(error)
  }
}

async function redisBackend({ role, prefix, allowEviction }: QueueSettings, url: string): Promise<BullBackend> {
  const outage = watchOutage('redis')
  const use = { url, name: `entrepot-${role}`, outage }
  const impatient = openImpatientRedis(use)
  await checkRedis(impatient, { allowEviction }).catch((error) => {
    impatient.disconnect()
    throw error
  })
  return {
    kind: 'redis',
    outage,
    prefix,
    queueConnection: impatient,
    connectWorker() {
      const { client, disconnect } = openPatientRedis(use)
      return { connection: client, disconnect }
    },
    assertReachable() {
      // Without this, each bell of a long outage would leave a promise behind.
      if (impatient.status !== 'ready') throw new Error(`Redis is not connected (${impatient.status})`)
    },
    close: () => impatient.disconnect(),
  }
}

function postgresBackend({ databaseUrl, role }: QueueSettings): BullBackend {
  const connection = postgresConnection(databaseUrl, `entrepot ${role} queue`)
  return {
    kind: 'postgres',
    outage: watchOutage('postgres'),
    prefix: '',
    queueConnection: connection,
    // Its pool ends itself once the last query has.
    connectWorker: () => ({ connection, disconnect: () => undefined }),
    assertReachable: () => undefined,
    close: () => undefined,
  }
}
