import { ringForReceived } from '../../src/work'
import { allFinished, expectAccounted } from '../helpers/accounting'
import { addMasterData, groupsFile, termsFile } from '../helpers/build'
import { createTestDatabase, type TestDatabase } from '../helpers/postgres'
import { describeWithOwnRedis, type TestRedis, testRedis } from '../helpers/redis'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { killProcesses, type StartedProcess, startWorker } from '../helpers/worker-process'

describeWithOwnRedis('a Redis that fails', () => {
  let redis: TestRedis
  let database: TestDatabase
  let hub: TestHub
  let place: Parameters<typeof startWorker>[0]['place'] & { stop(): Promise<void> }

  beforeEach(async () => {
    redis = (await testRedis())!
    database = await createTestDatabase()
    place = { databaseUrl: database.url, redisUrl: redis.url, prefix: redis.prefix, stop: database.drop }
    hub = await openTestHub(place)
    await addMasterData(hub)
  })
  afterEach(async () => {
    await killProcesses()
    await hub.close()
    await redis.stop()
    await database.drop()
  })

  /** Delivers as a server does: the bell rings after the message is kept. */
  async function deliverAndRing(from: number, count: number): Promise<void> {
    const queues = await hub.hub.openQueues('producer')
    for (let n = from; n < from + count; n++) {
      const received = await hub.deliver('Customer groups', groupsFile(n))
      ringForReceived(queues, received)
    }
  }
  async function expectFinished(messages: number): Promise<void> {
    await allFinished(hub)
    await expectAccounted(hub)
    const [{ finished } = {}] = await hub.hub.db.query<{ finished: number }>(
      `SELECT count(*) AS finished FROM entrepot.message WHERE state = 'ProcessedWithErrors' AND entity = 'CustCustomerGroupEntity'`,
    )
    expect(finished).toBe(messages)
  }
  const ready = (worker: StartedProcess) => worker.logs('hub.started')

  it('loses nothing when it is emptied again and again while work is under way', async () => {
    const worker = startWorker({ place })
    await ready(worker)
    await hub.deliver('Terms of payment', termsFile(24_000))
    for (let round = 0; round < 4; round++) {
      await deliverAndRing(round * 5, 5)
      await redis.client.flushall()
    }
    await expectFinished(20)
  })

  it('loses nothing when it is killed with all it holds and comes back empty; messages are kept meanwhile', async () => {
    const worker = startWorker({ place })
    await ready(worker)
    await deliverAndRing(0, 5)
    await redis.kill()
    await deliverAndRing(5, 5)
    await redis.start()
    await expectFinished(10)
  })

  it('may be absent when everything starts', async () => {
    await redis.kill()
    const worker = startWorker({ place })
    await deliverAndRing(0, 5)
    await ready(worker)
    await redis.start()
    await expectFinished(5)
  })
})
