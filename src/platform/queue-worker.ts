import { Conflict, EntrepotError, MessageRejected, RequestRefused, textOf, Unavailable } from '../errors'
import {
  type BullBackend,
  type BullJob,
  type BullWorker,
  backendError,
  failForGood,
  newWorker,
  putOff,
  type WorkerSettings,
} from './bull'
import { observe } from './observe'
import { type Outage, within } from './outage'

/** What runs the bells of one queue in this process. */
export interface QueueWorker {
  /** When it last took or finished a job, or was built (milliseconds of Date.now). */
  readonly lastActiveAt: number
  /** How many jobs it is at. */
  readonly running: number
  /** Builds it anew, for a worker that takes no jobs although work is due. Jobs that run go on. */
  restart(): Promise<void>
  /** Takes no more jobs, and waits for those that run. */
  close(): Promise<void>
}

type Process = (job: BullJob, token: string) => Promise<unknown>

/** A worker of a queue of bells; see `Queues.work`. */
export function startBellWorker(
  backend: BullBackend,
  queue: string,
  handler: (id: string) => Promise<void>,
  { concurrency }: { concurrency: number },
): Promise<QueueWorker> {
  return startWorker(backend, queue, { concurrency, keepCompleted: 0, keepFailed: 0 }, async ({ data, id: jobId }) => {
    const id = idOf(data)
    try {
      if (id === undefined) throw new Error(`The job ${jobId} of the queue ${queue} names no work`)
      await handler(id)
    } catch (error) {
      observe({ at: 'step.failed', step: queue, id: id ?? '', error })
    }
  })
}

function idOf(data: unknown): string | undefined {
  return typeof data === 'object' && data !== null && 'id' in data && typeof data.id === 'string' ? data.id : undefined
}

/** The first pause after Unavailable, doubled each time up to the longest. */
const putOffMs = { first: 1_000, longest: 60_000 }

/** The worker of the producers' queue; see `Queues.workInbound`. */
export function startInboundWorker(
  backend: BullBackend,
  queue: string,
  handler: (data: unknown, jobId: string) => Promise<string>,
  { concurrency }: { concurrency: number },
): Promise<QueueWorker> {
  // Enough for producers to look up what became of theirs; 5,000 failed ones so that a bad night can be read the next day.
  const settings = { concurrency, keepCompleted: 1_000, keepFailed: 5_000 }
  return startWorker(backend, queue, settings, async (job, token) => {
    try {
      return await handler(job.data, identityOf(job))
    } catch (error) {
      if (error instanceof MessageRejected || error instanceof RequestRefused) {
        throw failForGood(`${error.code}: ${error.message}`)
      }
      if (error instanceof Unavailable || error instanceof Conflict) return retryLater(job, token, error)
      observe({ at: 'step.failed', step: queue, id: job.id ?? '', error })
      throw error
    }
  })
}

/**
 * What makes a job the same one when it comes again. An id that the producer chose says it; BullMQ's own numbers begin at
 * 1 again when Redis was emptied, so the time of adding goes with them.
 */
function identityOf({ id = '', timestamp }: BullJob): string {
  return /^\d+$/.test(id) ? `${id}-${timestamp}` : id
}

/** Not a failed attempt: how many of those a job has is the producer's choice, and our outages are not its fault. */
function retryLater(job: BullJob, token: string, error: Error): Promise<never> {
  const delayMs = Math.min(putOffMs.first * 2 ** Math.min(job.attemptsStarted - 1, 10), putOffMs.longest)
  const code = error instanceof EntrepotError ? { code: error.code } : {}
  observe({ at: 'step.retried', step: job.queueName, id: job.id ?? '', reason: error.message, ...code })
  return putOff(job, token, delayMs)
}

/** Past this many errors in a second a worker only spins: BullMQ fetches again at once after most errors. */
const errorsInSecond = 10
/** Finishing a job on a backend that is away can take for ever; the database is told first, so nothing is lost by leaving. */
const closeMs = 2_000

async function startWorker(
  backend: BullBackend,
  queue: string,
  settings: WorkerSettings,
  process: Process,
): Promise<QueueWorker> {
  let lastActiveAt = Date.now()
  const running = new Set<Promise<unknown>>()
  const tracked: Process = async (job, token) => {
    backend.outage.worked()
    lastActiveAt = Date.now()
    const run = process(job, token)
    running.add(run)
    try {
      return await run
    } finally {
      running.delete(run)
      lastActiveAt = Date.now()
    }
  }
  let current = await buildWorker(backend, queue, settings, tracked)
  let closing: Promise<void> | undefined
  return {
    get lastActiveAt() {
      return lastActiveAt
    },
    get running() {
      return running.size
    },
    async restart() {
      if (closing) return
      observe({ at: 'worker.restarted', queue })
      const old = current
      current = await buildWorker(backend, queue, settings, tracked)
      lastActiveAt = Date.now()
      await leave(old, old.worker.close(true))
    },
    close() {
      closing ??= finish()
      return closing
    },
  }

  async function finish(): Promise<void> {
    const gone = current.worker.close()
    gone.catch(() => undefined) // awaited below
    await Promise.allSettled(running)
    await leave(current, gone)
  }
}

interface ConnectedWorker {
  readonly worker: BullWorker
  disconnect(): void
}

async function leave({ disconnect }: ConnectedWorker, closing: Promise<void>): Promise<void> {
  await within(closeMs, closing).catch(() => undefined)
  disconnect()
}

async function buildWorker(
  backend: BullBackend,
  queue: string,
  settings: WorkerSettings,
  process: Process,
): Promise<ConnectedWorker> {
  const { connection, disconnect } = backend.connectWorker()
  const worker = newWorker(backend, connection, queue, settings, process)
  calmDown(worker, backend.outage)
  // On Postgres BullMQ remembers a failed first contact for good; on Redis it waits for one that succeeds.
  if (backend.kind === 'postgres') {
    await worker.waitUntilReady().catch(async (error) => {
      await worker.close(true).catch(() => undefined)
      throw backendError(error)
    })
  }
  return { worker, disconnect }
}

/** Reports a worker's errors, and lets it rest when it only produces errors. */
function calmDown(worker: BullWorker, outage: Outage): void {
  let errors = 0
  let windowEndsAt = 0
  worker.on('error', (error) => {
    // Errors about one job (its lock was lost) say nothing about the backend.
    if (/lock|job/i.test(error.message)) observe({ at: 'queue.warning', backend: worker.name, reason: textOf(error) })
    else outage.failed(textOf(error))
    const now = Date.now()
    if (now > windowEndsAt) [errors, windowEndsAt] = [0, now + 1_000]
    errors++
    if (errors !== errorsInSecond) return
    worker.pause(true).catch(() => undefined)
    setTimeout(() => worker.closing || worker.resume().catch(() => undefined), 1_000).unref()
  })
}
