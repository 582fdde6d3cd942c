import {
  type BackendFactory,
  createPostgresBackend,
  createRedisBackend,
  DelayedError,
  type IQueueBackend,
  type Job,
  type JobProgress,
  PostgresConnection,
  Queue,
  type QueueOptions,
  UnrecoverableError,
  Worker,
} from 'bullmq'
import { SetupFault } from '../errors'
import { databaseError } from './database-errors'
import type { Outage } from './outage'

/** BullMQ's classes, with the type parameters that do not matter here left open. */
export type BullQueue = Queue<unknown, unknown, string, unknown, unknown, string, IQueueBackend, unknown>
export type BullWorker = Worker<unknown, unknown, string, IQueueBackend, JobProgress, unknown>
export type BullJob = Job<unknown, unknown, string>

/** Where the queues are kept, and what BullMQ needs to get there. */
export interface BullBackend {
  readonly kind: 'redis' | 'postgres'
  readonly outage: Outage
  /** What the keys in Redis begin with. */
  readonly prefix: string
  /** BullMQ's `connection` for queues: an ioredis client, or options of a pool. */
  readonly queueConnection: unknown
  /** The same for one worker, with what cuts it off when it does not close in time. */
  connectWorker(): WorkerConnection
  /** Throws when it is known that no answer will come. */
  assertReachable(): void
  close(): void
}

export interface WorkerConnection {
  readonly connection: unknown
  disconnect(): void
}

// A factory is typed by its connection options; ours is chosen at run time together with connections of its kind.
const factories = {
  redis: createRedisBackend as unknown as BackendFactory<IQueueBackend, unknown>,
  postgres: createPostgresBackend as unknown as BackendFactory<IQueueBackend, unknown>,
}

/** redis.ts asks for the version; BullMQ would ask on each connection, and stay broken when that question fails. */
function baseOptions({ kind, prefix }: BullBackend) {
  return kind === 'redis' ? { prefix, skipVersionCheck: true } : {}
}

export function newQueue(backend: BullBackend, name: string): BullQueue {
  const options: QueueOptions<unknown> = {
    connection: backend.queueConnection,
    ...baseOptions(backend),
    streams: { events: { maxLen: 100 } }, // nobody reads them: Bull Board polls
  }
  return new Queue(name, options, factories[backend.kind])
}

export interface WorkerSettings {
  readonly concurrency: number
  /** How many finished jobs to keep. */
  readonly keepCompleted: number
  readonly keepFailed: number
}

export function newWorker(
  backend: BullBackend,
  connection: unknown,
  name: string,
  { concurrency, keepCompleted, keepFailed }: WorkerSettings,
  process: (job: BullJob, token: string) => Promise<unknown>,
): BullWorker {
  const options = {
    connection,
    ...baseOptions(backend),
    concurrency,
    removeOnComplete: { count: keepCompleted },
    removeOnFail: { count: keepFailed },
    lockDuration: 60_000, // parsing holds the event loop for a second at most; renewed at half of it
    stalledInterval: 30_000,
    maxStalledCount: 1_000, // a crash of ours is no fault of the job; the database counts attempts
    runRetryDelay: 1_000, // BullMQ's 15 s is longer than a restart of Postgres takes
  }
  return new Worker(name, (job: BullJob, token?: string) => process(job, token ?? ''), options, factories[backend.kind])
}

/** The error that fails a job for good, whatever attempts it has left. */
export function failForGood(reason: string): Error {
  return new UnrecoverableError(reason)
}

/** Puts a running job off; throws what tells BullMQ so. It does not count as an attempt. */
export async function putOff(job: BullJob, token: string, delayMs: number): Promise<never> {
  await job.moveToDelayed(Date.now() + delayMs, token)
  throw new DelayedError()
}

/**
 * Options from which BullMQ makes a pool of its own for each queue and each worker; a worker listens on one connection
 * more. Its tables are in the schema `bullmq`.
 */
export function postgresConnection(connectionString: string, applicationName: string) {
  return {
    connectionString,
    schema: 'bullmq',
    max: 2, // one for fetching, one for finishing and renewing
    application_name: applicationName,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  }
}

/** Prepares the database for queues that are kept in it. Throws SetupFault ES109, Unavailable ES102. */
export async function migrateQueues({ databaseUrl }: { databaseUrl: string }): Promise<void> {
  const connection = new PostgresConnection({ ...postgresConnection(databaseUrl, 'entrepot migrate'), migrate: true })
  connection.on('error', () => undefined) // thrown below
  try {
    await connection.waitUntilReady()
  } catch (error) {
    throw backendError(error)
  } finally {
    await connection.close()
  }
}

/** The error to throw for one of BullMQ's about the database. */
export function backendError(error: unknown): unknown {
  const name = error instanceof Error ? error.name : ''
  if (name === 'SchemaVersionMismatchError') {
    return new SetupFault('ES109', 'The tables of the queues are those of a newer BullMQ', {}, { cause: error })
  }
  if (name === 'SchemaMigrationRequiredError') {
    const hint = 'Run: entrepot migrate'
    return new SetupFault('ES102', 'The database has no tables for the queues', {}, { cause: error, hint })
  }
  return databaseError(error)
}
