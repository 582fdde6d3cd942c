import { skipMessage } from '../../src/execution/actions'
import { lockExecutions } from '../../src/execution/finish'
import { claimWork, findDueWork, releaseWork } from '../../src/execution/work'
import { answerBell, steps } from '../../src/pipeline'
import { addActivity } from '../../src/project/activity'
import { allFinished, expectAccounted } from '../helpers/accounting'
import { addMasterData, csv } from '../helpers/build'
import { type PackedEntity, packageOf } from '../helpers/package'
import { type QueuePlace, queueBackends } from '../helpers/queues'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { waitFor } from '../helpers/wait-for'
import { killProcesses, startWorker } from '../helpers/worker-process'

type Place = [unit: number, level: number, sequence: number]
const at = ([executionUnit, levelInExecutionUnit, sequenceInLevel]: Place) => ({
  executionUnit,
  levelInExecutionUnit,
  sequenceInLevel,
})

const terms: PackedEntity = { entityName: 'Terms of payment', text: 'Name\nA\n' }
const groups: PackedEntity = { entityName: 'Customer groups', text: 'CustomerGroupId,PaymentTermId\n1,A\n' }
const vendors: PackedEntity = { entityName: 'Vendor groups', text: 'VendorGroupId\n10\n' }
const currencies: PackedEntity = { entityName: 'Currencies', text: 'CurrencyCode\nCHF\n' }
const customers: PackedEntity = { entityName: 'Customers V3', text: 'CustomerAccount,CustomerGroupId\nC,1\n' }
const unreadable = { text: 'Nothing,of,this\n1,2,3\n' }
const lost = { text: 'CustomerGroupId,PaymentTermId\n1,none\n2,\n' }

interface EntityRow {
  readonly id: number
  readonly entity: string
  readonly state: string
  readonly claimed: boolean
}

describe('the entities of an execution', () => {
  let hub: TestHub
  beforeEach(async () => {
    hub = await openTestHub()
    await addMasterData(hub)
  })
  afterEach(async () => {
    await expectAccounted(hub)
    await hub.close()
  })

  const deliver = async (...entities: PackedEntity[]) =>
    hub.deliver('', await packageOf('Order', entities), { company: 'usmf' })
  const rows = (executionId: string) =>
    hub.hub.db.query<EntityRow>(
      `SELECT id, entity, state, lease_until IS NOT NULL AS claimed FROM entrepot.execution_entity
       WHERE execution_id = $1 ORDER BY id`,
      [executionId],
    )
  const states = async (executionId: string) => (await rows(executionId)).map(({ state }) => state)
  /** Stages all that is due, and promotes nothing. */
  async function stageAll(): Promise<void> {
    const due = async () => (await findDueWork(hub.hub.db, 5)).filter(({ state }) => state === 'Staging')
    for (let [next] = await due(); next; [next] = await due()) {
      await answerBell(hub.hub, { ringAll: async () => undefined }, steps[0]!, String(next.id))
    }
  }
  const claimPromotion = (id: number) =>
    claimWork(hub.hub.db, id, { state: 'Promoting', leaseSeconds: 60, maxAttempts: 5 })

  it('are promoted beside those of other units and of the same sequence, and behind those before them in their unit', async () => {
    const { executionId } = await deliver(
      { ...terms, ...at([1, 1, 1]) },
      { ...vendors, ...at([1, 1, 1]) },
      { ...groups, ...at([1, 1, 2]) },
      { ...customers, ...at([1, 2, 1]) },
      { ...currencies, ...at([2, 1, 5]) },
    )
    await stageAll()
    expect(new Set(await states(executionId))).toEqual(new Set(['Promoting']))
    const [first, , third, fourth] = await rows(executionId)
    // What stands behind another cannot be claimed.
    expect([await claimPromotion(third!.id), await claimPromotion(fourth!.id)]).toEqual([[], []])
    const held = await claimPromotion(first!.id)
    expect(held).toHaveLength(1)
    await hub.run()
    expect(await states(executionId)).toEqual(['Promoting', 'Finished', 'Promoting', 'Promoting', 'Finished'])
    await releaseWork(hub.hub.db, held, { afterSeconds: 0, countsAsTry: false })
    await hub.run()
    expect(new Set(await states(executionId))).toEqual(new Set(['Finished']))
  })

  it('are staged whatever their order', async () => {
    const { executionId } = await deliver({ ...groups, ...at([1, 1, 2]) }, { ...terms, ...at([1, 1, 1]) })
    const [later] = await rows(executionId)
    const claimed = await claimWork(hub.hub.db, later!.id, { state: 'Staging', leaseSeconds: 60, maxAttempts: 5 })
    expect(claimed).toHaveLength(1)
    await releaseWork(hub.hub.db, claimed, { afterSeconds: 0, countsAsTry: false })
    await hub.run()
  })

  describe('behind one that cannot be read', () => {
    const rest = (switches: object) => [
      { ...groups, ...unreadable, ...at([1, 1, 2]), ...switches },
      { ...terms, ...at([1, 1, 1]) },
      { ...vendors, ...at([1, 1, 3]) },
      { ...customers, text: 'CustomerAccount,CustomerGroupId\nC,9\n', ...at([1, 2, 1]) },
      { ...currencies, ...at([2, 2, 3]) },
    ]
    it.each([
      { switches: {}, ran: ['Failed', 'Finished', 'Finished', 'Finished', 'Finished'] },
      { switches: { failLevelOnError: true }, ran: ['Failed', 'Finished', 'Finished', 'NotRun', 'Finished'] },
      { switches: { failExecutionUnitOnError: true }, ran: ['Failed', 'Finished', 'NotRun', 'NotRun', 'Finished'] },
    ])('are stopped as its switches $switches say, staged or not', async ({ switches, ran }) => {
      const { executionId, messageId } = await deliver(...rest(switches))
      await hub.run()
      expect(await states(executionId)).toEqual(ran)
      const { message, execution } = await hub.outcome(messageId)
      expect([message.status, message.error?.code, execution.status]).toEqual([
        'ProcessedWithErrors',
        'EF102',
        'PartiallySucceeded',
      ])
      expect(execution.log.filter(({ code }) => code === 'EP107')).toHaveLength(
        ran.filter((state) => state === 'NotRun').length,
      )
    })

    it('are stopped in the middle of their staging, and write nothing more', async () => {
      const { executionId } = await deliver(...rest({ failExecutionUnitOnError: true }))
      const [failing, , follower] = await rows(executionId)
      const options = { state: 'Staging', leaseSeconds: 60, maxAttempts: 5 } as const
      const held = await claimWork(hub.hub.db, follower!.id, options)
      const failed = await claimWork(hub.hub.db, failing!.id, options)
      await steps[0]!.run(hub.hub, failed)
      expect((await states(executionId))[2]).toBe('NotRun')
      await expect(steps[0]!.run(hub.hub, held)).rejects.toThrow(/taken over or cancelled/)
      await hub.run()
      expect(await hub.target('Vendor groups')).toEqual([])
    })

    it('and nothing else: the message is rejected as a whole', async () => {
      const { messageId } = await deliver(
        { ...terms, ...unreadable, ...at([1, 1, 1]), failExecutionUnitOnError: true },
        { ...groups, ...at([1, 1, 2]) },
      )
      await hub.run()
      const { message, execution } = await hub.outcome(messageId)
      expect([message.status, execution.status]).toEqual(['PreProcessingError', 'Failed'])
    })
  })

  it('are ended by whoever locks their message first, so that a person’s action and an end cannot wait for each other', async () => {
    const { executionId, messageId } = await deliver(terms)
    const { db } = hub.hub
    let ended: Promise<void> | undefined
    await db.transaction(async (action) => {
      await action.query('SELECT FROM entrepot.message WHERE id = $1 FOR UPDATE', [messageId])
      ended = db.transaction((end) => lockExecutions(end, [executionId]))
      await waitFor(
        async () =>
          (
            await db.query(
              `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
            )
          ).length === 1,
        { what: 'the end to wait for the action' },
      )
      await action.query('SELECT FROM entrepot.execution WHERE id = $1 FOR UPDATE', [executionId])
    })
    await ended
    await hub.run()
  })
})

describe.each(queueBackends)('executions of several workers, with queues on $backend', ({ start }) => {
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
  const env = { STAGE_CONCURRENCY: '4', PROMOTE_CONCURRENCY: '4' }

  it('keep their order', async () => {
    // More than a group takes, so that each entity is work of its own.
    const many = (from: number) =>
      csv(
        ['Name', 'Description'],
        Array.from({ length: 3_000 }, (_, i) => [`N${from + i}`, `A description that makes it large, ${i * 7_919}`]),
      )
    for (let n = 0; n < 6; n++) {
      const file = await packageOf(`Order ${n}`, [
        { ...customers, ...at([1, 2, 1]) },
        { ...groups, ...at([1, 1, 7]) },
        { ...terms, text: `${many(n * 5_000)}A,all\r\n`, ...at([1, 1, 3]) },
        { ...currencies, ...at([2, 3, 1]) },
        { ...vendors, ...at([2, 1, 1]) },
      ])
      await hub.deliver('', file, { company: 'usmf' })
    }
    const workers = [startWorker({ place, env }), startWorker({ place, env })]
    await allFinished(hub, 60_000)
    await expectAccounted(hub)
    const wrong = await hub.hub.db.query(
      `SELECT a.entity, b.entity AS behind FROM entrepot.execution_entity a JOIN entrepot.execution_entity b
         ON b.execution_id = a.execution_id AND b.execution_unit = a.execution_unit
         AND (a.level_in_unit, a.sequence_in_level) < (b.level_in_unit, b.sequence_in_level)
       WHERE a.target_finished_at > b.target_started_at`,
    )
    expect(wrong).toEqual([])
    const errors = await hub.hub.db.query('SELECT code, reason FROM entrepot.record_error')
    expect(errors).toEqual([])
    for (const { lines } of workers) expect(lines.filter(({ at: what }) => what === 'step.failed')).toEqual([])
  })

  it('whose entities fail at the same time do not wait for each other', async () => {
    for (let n = 0; n < 20; n++) {
      const padding = 'x'.repeat(n % 2 === 0 ? 1 : 70_000)
      const file = await packageOf(`Fails ${n}`, [
        { ...groups, ...(n % 3 === 0 ? unreadable : lost), ...at([1, 1, 1]), failExecutionUnitOnError: true },
        {
          ...vendors,
          text: `VendorGroupId,PaymentTermId\n1,none\n2,${padding}\n`,
          ...at([1, 1, 1]),
          failLevelOnError: true,
        },
        { ...terms, ...at([1, 1, 2]) },
        { ...customers, ...at([1, 2, 1]) },
      ])
      await hub.deliver('', file, { company: 'usmf' })
    }
    const workers = [startWorker({ place, env }), startWorker({ place, env })]
    await allFinished(hub, 60_000)
    await expectAccounted(hub)
    const ends = await hub.hub.db.query(
      `SELECT entity, array_agg(DISTINCT state ORDER BY state) AS states FROM entrepot.execution_entity
       WHERE execution_unit IS NOT NULL GROUP BY 1 ORDER BY 1`,
    )
    expect(ends).toEqual([
      { entity: 'CustCustomerGroupEntity', states: ['Failed', 'Finished'] },
      { entity: 'CustCustomerV3Entity', states: ['NotRun'] },
      { entity: 'PaymentTermEntity', states: ['NotRun'] },
      { entity: 'VendVendorGroupEntity', states: ['Finished'] },
    ])
    for (const { lines } of workers) {
      expect(lines.filter(({ at: what }) => what === 'step.failed' || what === 'text')).toEqual([])
      expect(
        lines.filter(({ at: what, reason }) => what === 'step.retried' && /deadlock/.test(String(reason))),
      ).toEqual([])
    }
  })

  it('of an ordered activity follow one another, packages too, and wait behind one that fails', async () => {
    const { db } = hub.hub
    const entities = ['PaymentTermEntity', 'CustCustomerGroupEntity'].map((entity) => ({ entity, sourceFormat: null }))
    const { id: activityId } = await addActivity(db, { name: 'In order', entities, ordered: true, company: 'usmf' })
    const send = async (n: number, more: Partial<PackedEntity> = {}) =>
      hub.deliver(
        '',
        await packageOf('In order', [
          { ...terms, text: `Name,Description\nA,package ${n}\n` },
          { ...groups, text: `CustomerGroupId,Description\n1,package ${n}\n`, ...more },
        ]),
        { activityId },
      )
    const described = async () =>
      [...(await hub.target('Terms of payment')), ...(await hub.target('Customer groups'))].flatMap(
        ({ Description }) => (String(Description).startsWith('package') ? [Description] : []),
      )
    for (let n = 1; n <= 4; n++) await send(n)
    const failing = await send(5, unreadable)
    const behind = await send(6)
    startWorker({ place, env })
    startWorker({ place, env })
    await waitFor(async () => (await hub.outcome(behind.messageId)).message.waitsFor === failing.messageId, {
      what: 'the sixth package to wait for the fifth',
      timeoutMs: 30_000,
    })
    expect(await described()).toEqual(['package 5', 'package 4'])
    await skipMessage(db, failing.messageId)
    await allFinished(hub)
    expect(await described()).toEqual(['package 6', 'package 6'])
    const wrong = await db.query(
      `SELECT a.message_seq FROM entrepot.execution_entity a JOIN entrepot.execution_entity b
         ON b.ordered_activity = a.ordered_activity AND b.message_seq > a.message_seq
       WHERE a.target_finished_at > b.staging_started_at`,
    )
    expect(wrong).toEqual([])
    await expectAccounted(hub)
  })
})
