import { allFinished, expectAccounted } from '../helpers/accounting'
import { addMasterData, csv } from '../helpers/build'
import { type QueuePlace, queueBackends } from '../helpers/queues'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { killProcesses, startWorker } from '../helpers/worker-process'

describe.each(queueBackends)('imports of one entity at the same time, with queues on $backend', ({ start }) => {
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

  it('end right when they hold the same keys in opposite orders', async () => {
    const keys = 20_000
    const file = (n: number) => {
      const names = Array.from({ length: keys }, (_, i) => `K${n % 2 === 0 ? i : keys - 1 - i}`)
      return csv(
        ['dataAreaId', 'Name', 'Description'],
        names.map((name) => ['usmf', name, `of file ${n}, whole and undivided`]),
      )
    }
    const small = (n: number) =>
      csv(
        ['dataAreaId', 'Name', 'Description'],
        [0, 7, 9].map((i) => ['usmf', `K${n % 2 === 0 ? i : 9 - i}`, `of small file ${n}`]),
      )
    const ids = await Promise.all(
      [0, 1, 2, 3].map(
        async (n) => (await hub.deliver('Terms of payment', file(n), { externalId: `file ${n}` })).messageId,
      ),
    )
    for (let n = 0; n < 20; n++) ids.push((await hub.deliver('Terms of payment', small(n))).messageId)
    const settings = { STAGE_CONCURRENCY: '4', PROMOTE_CONCURRENCY: '4' }
    const workers = [startWorker({ place, env: settings }), startWorker({ place, env: settings })]
    await allFinished(hub, 60_000)
    await expectAccounted(hub)
    for (const id of ids) {
      const { message, errors } = await hub.outcome(id)
      expect(message).toMatchObject({ status: 'Processed', error: null })
      expect(errors).toEqual([])
    }
    // Whoever came first inserted, and every record is as one of the files has it.
    const records = (await hub.target('Terms of payment')).filter(({ Name }) => String(Name).startsWith('K'))
    expect(records).toHaveLength(keys)
    expect(records.every(({ Description }) => /^of (small )?file \d+/.test(String(Description)))).toBe(true)
    for (const { lines } of workers) expect(lines.filter(({ at }) => at === 'step.failed' || at === 'text')).toEqual([])
  })
})
