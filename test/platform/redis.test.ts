import { type Observation, onObservation } from '../../src/platform/observe'
import type { QueueWorker } from '../../src/platform/queue-worker'
import { openQueues, type Queues } from '../../src/platform/queues'
import { describeWithOwnRedis, type TestRedis, testRedis } from '../helpers/redis'
import { waitFor } from '../helpers/wait-for'

const databaseUrl = 'postgres://unused'

describeWithOwnRedis('queues on a Redis in trouble', () => {
  let redis: TestRedis
  let queues: Queues
  let worker: QueueWorker
  const ids: string[] = []
  const seen: Observation[] = []
  let stopObserving: () => void

  const open = (allowEviction = false) =>
    openQueues({ redisUrl: redis.url, prefix: redis.prefix, databaseUrl, allowEviction, role: 'worker' })
  const start = async () => {
    queues = await open()
    worker = await queues.work('stage', async (id) => void ids.push(id), { concurrency: 2 })
  }
  let rung = 0
  const ringUntilHeard = async (id: string) => {
    await waitFor(
      async () => {
        await queues.ring('stage', id, `ring-${rung++}`)
        return ids.includes(id)
      },
      { what: `the bell ${id}` },
    )
  }

  beforeEach(async () => {
    redis = (await testRedis())!
    stopObserving = onObservation((event) => seen.push(event))
  })
  afterEach(async () => {
    stopObserving()
    await worker?.close()
    await queues?.close()
    await redis.stop()
    ids.length = 0
    seen.length = 0
  })

  it('hears new bells after everything was deleted under it', async () => {
    await start()
    await ringUntilHeard('before')
    await redis.client.flushall()
    await ringUntilHeard('after')
  })

  it('hears new bells after Redis was killed and came back empty, and says so once each way', async () => {
    await start()
    await ringUntilHeard('before')
    await redis.kill()
    await waitFor(() => seen.some(({ at }) => at === 'queue.away'), { what: 'queue.away' })
    const started = Date.now()
    await queues.ring('stage', 'lost', 'lost-1')
    expect(Date.now() - started).toBeLessThan(1_500)
    expect(await queues.isReady()).toBe(false)
    await redis.start()
    await ringUntilHeard('after')
    await waitFor(() => seen.some(({ at }) => at === 'queue.back'), { what: 'queue.back' })
    expect(seen.filter(({ at }) => at === 'queue.away')).toHaveLength(1)
    expect(seen.filter(({ at }) => at === 'queue.back')).toHaveLength(1)
  })

  it('starts while Redis is away, and works when it comes', async () => {
    await redis.kill()
    await start()
    await queues.ring('stage', 'early', 'early-1')
    expect(seen).toContainEqual(expect.objectContaining({ at: 'bell.dropped' }))
    await redis.start()
    await ringUntilHeard('later')
  })

  it('closes while Redis is away', async () => {
    await start()
    await redis.kill()
    const started = Date.now()
    await worker.close()
    await queues.close()
    expect(Date.now() - started).toBeLessThan(6_000)
  })

  it('drops a bell within about a second when Redis is paused', async () => {
    await start()
    await redis.client.client('PAUSE', 3_000, 'ALL')
    const started = Date.now()
    await queues.ring('stage', 'late', 'late-1')
    expect(Date.now() - started).toBeLessThan(1_500)
    expect(seen).toContainEqual(expect.objectContaining({ at: 'bell.dropped' }))
    await ringUntilHeard('after')
  })

  it('refuses a Redis that may delete jobs, unless that is allowed', async () => {
    await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await expect(open()).rejects.toMatchObject({ code: 'ES103', message: expect.stringContaining('allkeys-lru') })
    const allowed = await open(true)
    expect(await allowed.isReady()).toBe(true)
    await allowed.close()
  })

  it('refuses to start with a wrong password', async () => {
    await redis.client.config('SET', 'requirepass', 'secret')
    await expect(open()).rejects.toMatchObject({ code: 'ES103' })
  })

  it('opens on a Redis that is full', async () => {
    await redis.client.config('SET', 'maxmemory', '1mb')
    await start()
    await queues.ring('stage', 'x', 'x-1')
    await redis.client.config('SET', 'maxmemory', '0')
    await ringUntilHeard('after')
  })
})
