import { cancelExecution } from '../../src/execution/actions'
import type { Queues } from '../../src/platform/queues'
import { allFinished, checksums, expectAccounted } from '../helpers/accounting'
import { addMasterData, groupsFile, termsFile } from '../helpers/build'
import { type QueuePlace, queueBackends } from '../helpers/queues'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { waitFor } from '../helpers/wait-for'

describe.each(queueBackends)('bells on $backend', ({ start }) => {
  let place: QueuePlace
  let hub: TestHub
  let queues: Queues
  let rung = 0

  beforeEach(async () => {
    place = await start()
    hub = await openTestHub(place)
    await addMasterData(hub)
  })
  afterEach(async () => {
    await hub.close()
    await place.stop()
  })

  /** Rings for both steps, each time as a bell of its own. */
  async function ring(ids: readonly string[], times = 1): Promise<void> {
    for (const queue of ['stage', 'promote'] as const) {
      const again = Array.from({ length: times }, () => ids).flat()
      await queues.ringAll(
        queue,
        again.map((id) => ({ id, jobId: `crafted-${rung++}` })),
      )
    }
  }
  const allAnswered = () =>
    waitFor(async () => Object.values(await queues.depths()).every(({ waiting, active }) => waiting + active === 0), {
      what: 'the last bell to be answered',
    })

  it('do no harm when they ring ten times at once', async () => {
    const large = await hub.deliver('Terms of payment', termsFile(20_000))
    const small = await hub.deliver('Customer groups', groupsFile(1))
    queues = await hub.work()
    await ring([String(large.works[0]!.id), String(small.works[0]!.id)], 10)
    await allFinished(hub)
    await allAnswered()
    await expectAccounted(hub)
    const { execution } = await hub.outcome(large.messageId)
    expect(execution.entities[0]!.records.read).toBe(20_010)
  })

  it('change nothing for work that is finished, cancelled or unknown, or when they name nothing at all', async () => {
    const finished = await hub.deliver('Customer groups', groupsFile(1))
    await hub.run()
    const cancelled = await hub.deliver('Customer groups', groupsFile(2))
    await cancelExecution(hub.hub.db, cancelled.executionId)
    queues = await hub.work()
    const before = await checksums(hub)
    await ring(
      [
        String(finished.works[0]!.id),
        String(cancelled.works[0]!.id),
        '999999',
        '0',
        '-1',
        '1e3',
        '',
        "'; --",
        'é'.repeat(500),
        '9'.repeat(30),
      ],
      2,
    )
    await allAnswered()
    expect(await checksums(hub)).toEqual(before)
  })

  it('need not ring at all: the sweeper finds what is due', async () => {
    const { messageId } = await hub.deliver('Customer groups', groupsFile(1))
    await hub.work()
    await allFinished(hub)
    expect((await hub.outcome(messageId)).message.status).toBe('ProcessedWithErrors')
  })
})
