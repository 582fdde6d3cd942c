// Bull Board and producers use these classes as they are.
import type { Queue } from 'bullmq'
import { MessageRejected, Unavailable } from '../../src/errors'
import { type Observation, onObservation } from '../../src/platform/observe'
import type { QueueWorker } from '../../src/platform/queue-worker'
import { openQueues, type Queues } from '../../src/platform/queues'
import { type QueuePlace, queueBackends } from '../helpers/queues'
import { waitFor } from '../helpers/wait-for'

describe.each(queueBackends)('queues on $backend', ({ start }) => {
  let place: QueuePlace
  let queues: Queues
  const workers: QueueWorker[] = []
  const seen: Observation[] = []
  let stopObserving: () => void

  beforeAll(async () => {
    place = await start()
    queues = await openQueues({ ...place, allowEviction: false, role: 'worker' })
    stopObserving = onObservation((event) => seen.push(event))
  })
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.close()))
    seen.length = 0
  })
  afterAll(async () => {
    stopObserving()
    await queues.close()
    await place.stop()
  })

  /** Starts a worker of the queue and gives the ids that it is handed. */
  async function collect(queue: 'stage' | 'promote', handler: (id: string) => Promise<void> = async () => undefined) {
    const ids: string[] = []
    const worker = await queues.work(
      queue,
      async (id) => {
        ids.push(id)
        await handler(id)
      },
      { concurrency: 2 },
    )
    workers.push(worker)
    return { ids, worker }
  }

  /** A producer's own queue object, as another program would have it. */
  const producer = () => queues.forBoard.find((queue) => (queue as Queue).name === 'inbound') as Queue

  it('hands each bell to the handler, and keeps nothing of it', async () => {
    const { ids } = await collect('stage')
    await queues.ring('stage', 'execution-1', 'a-1')
    await queues.ringAll('stage', [
      { id: 'execution-2', jobId: 'a-2' },
      { id: 'execution-3', jobId: 'a-3' },
    ])
    await waitFor(() => ids.length === 3, { what: 'three bells' })
    expect([...ids].sort()).toEqual(['execution-1', 'execution-2', 'execution-3'])
    await waitFor(async () => Object.values((await queues.depths()).stage).every((n) => n === 0), { what: 'no jobs' })
  })

  it('runs a bell again that is rung again with the same job id', async () => {
    const { ids } = await collect('promote')
    await queues.ring('promote', 'x', 'same')
    await waitFor(() => ids.length === 1, { what: 'the first bell' })
    await waitFor(async () => (await queues.depths()).promote.active === 0, { what: 'its end' })
    await queues.ring('promote', 'x', 'same')
    await waitFor(() => ids.length === 2, { what: 'the second bell' })
  })

  it('drops a bell whose handler throws, says so, and goes on', async () => {
    const { ids } = await collect('stage', async (id) => {
      if (id === 'bad') throw new Error('broken')
    })
    await queues.ring('stage', 'bad', 'b-1')
    await queues.ring('stage', 'good', 'b-2')
    await waitFor(() => ids.length === 2, { what: 'both bells' })
    await waitFor(async () => Object.values((await queues.depths()).stage).every((n) => n === 0), { what: 'no jobs' })
    expect(seen).toContainEqual(expect.objectContaining({ at: 'step.failed', step: 'stage', id: 'bad' }))
  })

  it('never throws for a bell that cannot be rung', async () => {
    await queues.ring('stage', 'x', 'a:colon')
    expect(seen).toContainEqual(expect.objectContaining({ at: 'bell.dropped', queue: 'stage', bells: 1 }))
  })

  it('counts the jobs that wait', async () => {
    await queues.ringAll('promote', [
      { id: '1', jobId: 'c-1' },
      { id: '2', jobId: 'c-2' },
    ])
    expect((await queues.depths()).promote).toEqual({ waiting: 2, active: 0, delayed: 0, failed: 0 })
    expect(await queues.isReady()).toBe(true)
    const { ids } = await collect('promote')
    await waitFor(() => ids.length === 2, { what: 'both' })
  })

  it('goes on with the same worker after it was built anew', async () => {
    const { ids, worker } = await collect('stage')
    await worker.restart()
    await queues.ring('stage', 'after', 'd-1')
    await waitFor(() => ids.includes('after'), { what: 'the bell' })
    expect(Date.now() - worker.lastActiveAt).toBeLessThan(5_000)
  })

  it('waits for a running handler when it is closed, and takes no other', async () => {
    let finish = () => {}
    const held = new Promise<void>((resolve) => {
      finish = resolve
    })
    const { ids, worker } = await collect('stage', () => held)
    await queues.ring('stage', 'long', 'e-1')
    await waitFor(() => ids.length === 1, { what: 'the start' })
    let ended = false
    const closed = worker.close().then(() => {
      ended = true
    })
    expect(worker.running).toBe(1)
    expect(await queues.isReady()).toBe(true)
    expect(ended).toBe(false)
    finish()
    await closed
    expect(worker.running).toBe(0)
    await queues.ring('stage', 'later', 'e-2')
    const next = await collect('stage')
    await waitFor(() => next.ids.includes('later'), { what: 'the later bell' })
  })

  describe('inbound', () => {
    it("gives the message id as the job's return value, and keeps it", async () => {
      workers.push(await queues.workInbound(async () => 'message-1', { concurrency: 1 }))
      const job = await producer().add('any name', { entity: 'Customers' }, { jobId: 'p-1' })
      const done = await waitFor(async () => (await job.getState()) === 'completed' && producer().getJob('p-1'), {
        what: 'the end of the job',
      })
      expect(done.returnvalue).toBe('message-1')
    })

    it('fails a refused job for good, with code and reason', async () => {
      const refuse = async () => {
        throw new MessageRejected('EF101', 'The file is empty')
      }
      workers.push(await queues.workInbound(refuse, { concurrency: 1 }))
      const job = await producer().add('x', {}, { jobId: 'p-2', attempts: 5 })
      const failed = await waitFor(async () => (await job.getState()) === 'failed' && producer().getJob('p-2'), {
        what: 'the failure',
      })
      expect(failed).toMatchObject({ failedReason: 'EF101: The file is empty', attemptsMade: 1 })
    })

    it('tries again after an outage, also when the producer asked for one attempt only', async () => {
      let tries = 0
      const awayAtFirst = async () => {
        if (++tries === 1) throw new Unavailable('ES102', 'The database is away')
        return 'message-3'
      }
      workers.push(await queues.workInbound(awayAtFirst, { concurrency: 1 }))
      const job = await producer().add('x', {}, { jobId: 'p-3' })
      await waitFor(async () => (await job.getState()) === 'completed', { what: 'the second attempt' })
      expect(tries).toBe(2)
    })
  })
})
