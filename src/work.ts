import { textOf } from './errors'
import type { Hub } from './hub'
import { answerBell, type Step, steps, sweep } from './pipeline'
import type { Lifecycle } from './platform/lifecycle'
import { observe } from './platform/observe'
import type { Queues } from './platform/queues'
import { receiveJob } from './source/inbound'

/** What a worker process may do: the steps by name, the producers' queue, and looking after what the bells missed. */
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
    const answer = async (id: string) => void (await answerBell(hub, queues, step, id))
    const worker = await queues.work(step.name, answer, { concurrency: concurrencies[step.name] })
    lifecycle.onShutdown(`${step.name} worker`, () => worker.close())
  }
  if (roles.includes('inbound')) {
    const worker = await queues.workInbound((data, jobId) => keepJob(hub, queues, data, jobId), {
      concurrency: inboundConcurrency,
    })
    lifecycle.onShutdown('inbound worker', () => worker.close())
  }
  if (roles.includes('sweep')) startSweeping(hub, queues, lifecycle)
}

/** Jobs that are kept at the same time share one commit. */
const inboundConcurrency = 16

async function keepJob(hub: Hub, queues: Queues, data: unknown, jobId: string): Promise<string> {
  const { messageId, workId } = await receiveJob(hub, data, jobId)
  await ringForReceived(queues, workId)
  return messageId
}

/** Rings for a message that was just received. */
export async function ringForReceived(queues: Pick<Queues, 'ringAll'>, workId: number): Promise<void> {
  await queues.ringAll(steps[0]!.name, [{ id: String(workId), jobId: `${steps[0]!.name}-${workId}-e0` }])
}

function startSweeping(hub: Hub, queues: Queues, lifecycle: Lifecycle): void {
  let sweeping: Promise<unknown> = Promise.resolve()
  let isBusy = false
  const once = async () => {
    if (isBusy) return
    isBusy = true
    try {
      await sweep(hub, queues)
    } catch (error) {
      observe({ at: 'step.retried', step: 'sweep', id: '', reason: textOf(error) })
    } finally {
      isBusy = false
    }
  }
  sweeping = once()
  const timer = setInterval(() => {
    sweeping = once()
  }, hub.config.sweepSeconds * 1000)
  lifecycle.onShutdown('sweeper', async () => {
    clearInterval(timer)
    await sweeping
  })
}
