import { removeExpiredBlobs } from './connector/blob-store'
import { textOf } from './errors'
import { startCleaning } from './execution/clean-schedule'
import { findDueWork } from './execution/work'
import type { Hub } from './hub'
import { type Bells, openAnswering, ringFor, type Step, steps, sweep } from './pipeline'
import type { Lifecycle } from './platform/lifecycle'
import { observe } from './platform/observe'
import type { Queues, QueueWorker } from './platform/queues'
import { receiveJob } from './source/inbound'
import type { StoredMessage } from './source/message-insert'

/** What a worker process may do: the steps by name, the producers' queue, and looking after what the bells missed and what is old. */
export type WorkerRole = Step['name'] | 'inbound' | 'sweep'
export const workerRoles: readonly WorkerRole[] = [...steps.map(({ name }) => name), 'inbound', 'sweep']

/** Starts the workers of these roles in this process; the lifecycle ends them, chunks finished or released. */
export async function startWorkers(
  hub: Hub,
  queues: Queues,
  lifecycle: Lifecycle,
  roles: readonly WorkerRole[],
): Promise<void> {
  const concurrencies = { stage: hub.config.stageConcurrency, promote: hub.config.promoteConcurrency }
  for (const step of steps.filter(({ name }) => roles.includes(name))) {
    const answering = openAnswering(hub, queues, step)
    const answer = async (id: string) => void (await answering.answer(id))
    const worker = await queues.work(step.name, answer, { concurrency: concurrencies[step.name] })
    lifecycle.onShutdown(`${step.name} worker`, () => {
      answering.stop()
      return worker.close()
    })
    watch(hub, lifecycle, step, worker)
  }
  if (roles.includes('inbound')) {
    const worker = await queues.workInbound((data, jobId) => keepJob(hub, queues, data, jobId), {
      concurrency: inboundConcurrency,
    })
    lifecycle.onShutdown('inbound worker', () => worker.close())
  }
  if (roles.includes('sweep')) {
    startSweeping(hub, queues, lifecycle)
    startCleaning(hub, hub.config, lifecycle)
  }
}

/** A worker that took no job for so long, though work is due, has lost its queue without noticing. */
const deafAfterMs = 30_000

/** Builds a worker anew that takes no jobs although its step has work that is due. */
function watch(hub: Hub, lifecycle: Lifecycle, step: Step, worker: QueueWorker): void {
  let seemedDeaf = false
  const look = async () => {
    const isQuiet = worker.running === 0 && Date.now() - worker.lastActiveAt >= deafAfterMs
    const due = isQuiet ? await findDueWork(hub.db, hub.limits.maxAttempts) : []
    const seemsDeaf = due.some(({ state }) => state === step.takes)
    // Work that has only just become due is about to be rung for: twice in a row is another matter.
    if (seemsDeaf && seemedDeaf) await worker.restart()
    seemedDeaf = seemsDeaf
  }
  // A database that is away is noticed by everyone else; the next look comes soon.
  const timer = setInterval(() => void look().catch(() => undefined), deafAfterMs / 2)
  lifecycle.onShutdown(`${step.name} watch`, () => clearInterval(timer))
}

/** Jobs that are kept at the same time share one commit. */
const inboundConcurrency = 16

async function keepJob(hub: Hub, queues: Queues, data: unknown, jobId: string): Promise<string> {
  const received = await receiveJob(hub, data, jobId)
  ringForReceived(queues, received)
  return received.messageId
}

/** Ringing ten times a second costs next to nothing, and a worker takes in all that has come since. */
const bellPauseMs = 100

/** What a process has received and not yet rung for, and when it rang last. */
interface Ringing {
  waiting: StoredMessage[]
  lastAt: number
}
const ringings = new WeakMap<Bells, Ringing>()

/**
 * Rings for a message that was received: at once, or when the pause since the last ringing is over. Small messages that
 * wait together share one bell, since whoever answers it takes all that are due: a bell each would cost more than they do.
 */
export function ringForReceived(bells: Bells, received: StoredMessage): void {
  const ringing = ringings.get(bells) ?? { waiting: [], lastAt: 0 }
  ringings.set(bells, ringing)
  ringing.waiting.push(received)
  if (ringing.waiting.length > 1) return
  const sinceLastMs = performance.now() - ringing.lastAt
  setTimeout(
    () => {
      const batch = ringing.waiting
      ringing.waiting = []
      ringing.lastAt = performance.now()
      const works = batch.flatMap((each) => each.works)
      const due = [...works.filter(({ isSmall }) => isSmall).slice(-1), ...works.filter(({ isSmall }) => !isSmall)]
      void ringFor(
        bells,
        due.map(({ id }) => ({ id, epoch: 0, state: 'Staging' })),
      )
    },
    Math.max(0, bellPauseMs - sinceLastMs),
  )
}

function startSweeping(hub: Hub, queues: Queues, lifecycle: Lifecycle): void {
  let isBusy = false
  const once = async () => {
    if (isBusy) return
    isBusy = true
    try {
      await sweep(hub, queues)
      await removeExpiredBlobs(hub)
    } catch (error) {
      observe({ at: 'step.retried', step: 'sweep', id: '', reason: textOf(error) })
    } finally {
      isBusy = false
    }
  }
  let sweeping = once()
  const timer = setInterval(() => {
    sweeping = once()
  }, hub.config.sweepSeconds * 1000)
  lifecycle.onShutdown('sweeper', async () => {
    clearInterval(timer)
    await sweeping
  })
}
