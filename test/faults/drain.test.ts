import { allFinished, expectAccounted } from '../helpers/accounting'
import { addMasterData, groupsFile, termsFile } from '../helpers/build'
import { type QueuePlace, queueBackends } from '../helpers/queues'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { killProcesses, startWorker } from '../helpers/worker-process'

describe.each(queueBackends)('a worker that is asked to end, with queues on $backend', ({ start }) => {
  let place: QueuePlace
  let hub: TestHub

  beforeEach(async () => {
    place = await start()
    hub = await openTestHub(place)
    await addMasterData(hub)
  })
  afterEach(async () => {
    await killProcesses()
    await hub.close()
    await place.stop()
  })

  it('finishes or gives back its work and exits with code 0, so that the next one goes on at once', async () => {
    await hub.deliver('Terms of payment', termsFile(60_000))
    for (let n = 0; n < 5; n++) await hub.deliver('Customer groups', groupsFile(n))
    // A lease that outlives the test: work that was not given back would never be done.
    const worker = startWorker({ place, env: { LEASE_SECONDS: '600' } })
    await worker.logs('sweep.rang')
    worker.signal('SIGTERM')
    expect(await worker.exit).toEqual({ code: 0, signal: null })
    const held = await hub.hub.db.query('SELECT id, state FROM entrepot.execution_entity WHERE lease_until IS NOT NULL')
    expect(held).toEqual([])

    await hub.work()
    await allFinished(hub)
    await expectAccounted(hub)
  })

  it('exits with code 0 when it has nothing to do', async () => {
    const worker = startWorker({ place })
    await worker.logs('hub.started')
    worker.signal('SIGTERM')
    expect(await worker.exit).toEqual({ code: 0, signal: null })
  })
})
