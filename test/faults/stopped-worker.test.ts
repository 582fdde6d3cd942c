import { allFinished, checksums, expectAccounted, resultOf } from '../helpers/accounting'
import { addMasterData, groupsFile, termsFile } from '../helpers/build'
import { type QueuePlace, queueBackends } from '../helpers/queues'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { killProcesses, startWorker } from '../helpers/worker-process'

/** Points at which a worker is stopped, and what it meets when it goes on: its claim is gone, or its transaction is. */
const cases = [
  { fault: 'stage.afterChunk:1', size: 'large', meets: 'step.conflict' },
  { fault: 'stage.inChunk:1', size: 'large', meets: 'step.conflict' },
  { fault: 'stage.beforeCommit:1', size: 'large', meets: 'step.retried' },
  { fault: 'promote.afterCheck:1', size: 'large', meets: 'step.conflict' },
  { fault: 'promote.beforeCommit:1', size: 'large', meets: 'step.retried' },
  { fault: 'stage.beforeCommit:1', size: 'small', meets: 'step.retried' },
  { fault: 'promote.beforeCommit:1', size: 'small', meets: 'step.retried' },
] as const

const shortLease = { LEASE_SECONDS: '1' }

async function prepare({ deliver }: TestHub, size: 'large' | 'small'): Promise<void> {
  if (size === 'large') await deliver('Terms of payment', termsFile(24_000), { externalId: 'large' })
  else for (let n = 0; n < 5; n++) await deliver('Customer groups', groupsFile(n), { externalId: `file ${n}` })
}

describe('a worker that is stopped for longer than its lease', () => {
  let place: QueuePlace
  let hub: TestHub
  const undisturbed: Record<string, unknown> = {}

  beforeAll(async () => {
    for (const size of ['large', 'small'] as const) {
      const control = await openTestHub()
      await addMasterData(control)
      await prepare(control, size)
      await control.run()
      undisturbed[size] = await resultOf(control)
      await control.close()
    }
  })
  afterEach(async () => {
    await killProcesses()
    await hub.close()
    await place.stop()
  })

  it.each(cases)(
    'writes nothing more when another took over, stopped at $fault of $size messages',
    async ({ fault, size, meets }) => {
      // One case of each kind on every backend would show nothing new: what fences is the database.
      place = await queueBackends[cases.findIndex((one) => one.fault === fault) % queueBackends.length]!.start()
      hub = await openTestHub(place, shortLease)
      await addMasterData(hub)
      await prepare(hub, size)
      const worker = startWorker({ place, fault: `${fault}:stop`, env: shortLease })
      await worker.isStopped()

      await hub.work()
      await allFinished(hub)
      await expectAccounted(hub)
      expect(await resultOf(hub)).toEqual(undisturbed[size])

      const before = await checksums(hub)
      worker.signal('SIGCONT')
      await worker.logs(meets)
      worker.signal('SIGTERM')
      expect(await worker.exit).toEqual({ code: 0, signal: null })
      expect(await checksums(hub)).toEqual(before)
    },
  )
})
