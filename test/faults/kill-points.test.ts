import { retryExecution } from '../../src/execution/actions'
import { allFinished, expectAccounted, resultOf } from '../helpers/accounting'
import { addMasterData, groupsFile, termsFile } from '../helpers/build'
import { addOrderMasterData, manyOrders, salesOrders } from '../helpers/orders'
import { packageOf } from '../helpers/package'
import { type QueuePlace, queueBackends } from '../helpers/queues'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { killProcesses, startWorker } from '../helpers/worker-process'

/** The shortest there is: each test waits for it to run out. */
const shortLease = { LEASE_SECONDS: '1' }

/** What is done with a hub before a worker is killed at its work. */
interface Scenario {
  readonly prepare: (hub: TestHub) => Promise<void>
  /** Points and which time the worker comes by: it is killed there. */
  readonly faults: readonly string[]
}

const scenarios: Record<string, Scenario> = {
  'a large message': {
    prepare: async ({ deliver }) =>
      void (await deliver('Terms of payment', termsFile(24_000), { externalId: 'large' })),
    faults: [
      'stage.afterOwnTable:1',
      'stage.inChunk:2',
      'stage.beforeCommit:3',
      'stage.afterChunk:2',
      'stage.afterFinish:1',
      'promote.afterCheck:1',
      'promote.beforeCommit:1',
      'promote.afterPart:2',
      'promote.beforeFinish:1',
    ],
  },
  'small messages': {
    prepare: async ({ deliver }) => {
      for (let n = 0; n < 30; n++) await deliver('Customer groups', groupsFile(n), { externalId: `file ${n}` })
    },
    faults: ['stage.beforeCommit:1', 'stage.afterTogether:1', 'promote.beforeCommit:1'],
  },
  'a package of small files': {
    prepare: async ({ deliver }) => {
      const entities = [
        { entityName: 'Terms of payment', text: termsFile(20, { days: 2 }) },
        { entityName: 'Customer groups', text: groupsFile(1), levelInExecutionUnit: 2 },
        { entityName: 'Currencies', text: 'CurrencyCode\nCHF\nTOOLONG\n', executionUnit: 2, failLevelOnError: true },
        { entityName: 'Vendor groups', text: 'VendorGroupId\n10\n', executionUnit: 2, levelInExecutionUnit: 2 },
      ]
      await deliver('', await packageOf('Small', entities), { company: 'usmf', externalId: 'package' })
    },
    faults: ['stage.beforeCommit:1', 'stage.afterTogether:1', 'promote.beforeCommit:1', 'promote.beforeCommit:2'],
  },
  'a package with a large file': {
    prepare: async ({ deliver }) => {
      const entities = [
        { entityName: 'Terms of payment', text: termsFile(24_000) },
        { entityName: 'Customer groups', text: groupsFile(1) },
        { entityName: 'Vendor groups', text: 'VendorGroupId\n10\n', levelInExecutionUnit: 2 },
      ]
      await deliver('', await packageOf('Large', entities), { company: 'usmf', externalId: 'package' })
    },
    faults: [
      'stage.afterOwnTable:1',
      'stage.beforeCommit:3',
      'stage.afterChunk:2',
      'stage.afterFinish:1',
      'stage.afterFinish:3',
      'promote.afterCheck:1',
      'promote.beforeCommit:1',
      'promote.afterPart:2',
      'promote.beforeFinish:1',
      'promote.afterCheck:2',
      'promote.beforeFinish:2',
    ],
  },
  'a retry of records in error': {
    prepare: async ({ hub, deliver, run }) => {
      const { executionId } = await deliver('Terms of payment', termsFile(24_000), { externalId: 'large' })
      await run()
      await hub.db.query(
        `UPDATE staging."PaymentTermEntity" SET "NumberOfDays" = '1', "dataAreaId" = 'demf' WHERE _state = 'E'`,
      )
      await retryExecution(hub.db, executionId)
    },
    faults: [
      'restage.beforeCommit:1',
      'restage.afterChunk:1',
      'promote.afterCheck:1',
      'promote.beforeCommit:1',
      'promote.beforeFinish:1',
    ],
  },
  'documents of a composite': {
    prepare: async (hub) => {
      await addOrderMasterData(hub)
      await hub.deliver(salesOrders, manyOrders(6_000), { externalId: 'orders', company: 'usmf' })
    },
    faults: [
      'stage.inChunk:2',
      'stage.beforeCommit:3',
      'stage.afterChunk:2',
      'stage.afterFinish:1',
      'promote.afterCheck:1',
      'promote.afterMember:3',
      'promote.beforeCommit:1',
      'promote.afterPart:2',
      'promote.beforeFinish:1',
    ],
  },
  'a retry of documents in error': {
    prepare: async (hub) => {
      await addOrderMasterData(hub)
      const delivery = { externalId: 'orders', company: 'usmf' }
      const { executionId } = await hub.deliver(salesOrders, manyOrders(6_000), delivery)
      await hub.run()
      await hub.hub.db.query(
        `UPDATE staging."SalesOrderLineV2Entity" SET "OrderedSalesQuantity" = '1' WHERE _state = 'E'`,
      )
      await retryExecution(hub.hub.db, executionId)
    },
    faults: [
      'restage.beforeCommit:1',
      'restage.afterChunk:1',
      'promote.afterCheck:1',
      'promote.afterMember:1',
      'promote.beforeCommit:1',
      'promote.beforeFinish:1',
    ],
  },
}

describe.each(Object.entries(scenarios))('a worker that is killed at %s', (_name, { prepare, faults }) => {
  let undisturbed: Record<string, unknown>

  beforeAll(async () => {
    const control = await openTestHub()
    await addMasterData(control)
    await prepare(control)
    await control.run()
    await expectAccounted(control)
    undisturbed = await resultOf(control)
    await control.close()
  })

  let place: QueuePlace
  let hub: TestHub

  async function open(start: () => Promise<QueuePlace>): Promise<void> {
    place = await start()
    hub = await openTestHub(place, shortLease)
    await addMasterData(hub)
    await prepare(hub)
  }
  async function killAt(fault: string): Promise<void> {
    const worker = startWorker({ place, fault: `${fault}:kill`, env: shortLease })
    expect(await worker.exit).toEqual({ code: null, signal: 'SIGKILL' })
  }
  async function expectSameAsUndisturbed(): Promise<void> {
    await hub.work()
    await allFinished(hub)
    await expectAccounted(hub)
    expect(await resultOf(hub)).toEqual(undisturbed)
  }
  afterEach(async () => {
    await killProcesses()
    await hub.close()
    await place.stop()
  })

  it.each(faults)('leaves the same records behind as one that was not, killed at %s', async (fault) => {
    await open(queueBackends[0]!.start)
    await killAt(fault)
    await expectSameAsUndisturbed()
  })

  it.each(queueBackends.slice(-1))(
    'is followed by others that are killed at the next points, with queues on $backend',
    async ({ start }) => {
      await open(start)
      for (const fault of faults) await killAt(fault.replace(/\d+$/, '1'))
      await expectSameAsUndisturbed()
    },
  )
})
