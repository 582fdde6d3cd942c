import { promoteStaged, retryExecution, validateStaged } from '../../src/execution/actions'
import { onObservation } from '../../src/platform/observe'
import { addProject, type LineChange, setProjectEntity } from '../../src/project/data-project'
import type { Delivery } from '../../src/source/receive'
import { allFinished, expectAccounted, resultOf } from '../helpers/accounting'
import { addMasterData, csv, termsFile } from '../helpers/build'
import { channel } from '../helpers/channel'
import { packageOf } from '../helpers/package'
import { type QueuePlace, queueBackends } from '../helpers/queues'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { killProcesses, startWorker } from '../helpers/worker-process'

const termColumns = ['dataAreaId', 'Name', 'NumberOfDays']
const terms = (...rows: [company: string, name: string, days?: string][]) =>
  csv(
    termColumns,
    rows.map(([company, name, days = '1']) => [company, name, days]),
  )

describe('a truncating import', () => {
  let hub: TestHub
  beforeEach(async () => {
    hub = await openTestHub()
    await addMasterData(hub)
    await hub.importFile('Legal entities', 'LegalEntityId,Name\nfrrt,France\n')
    await hub.importFile('Terms of payment', terms(['usmf', 'old'], ['demf', 'old'], ['frrt', 'old']))
  })
  afterEach(async () => {
    await expectAccounted(hub)
    await hub.close()
  })
  const send = async (file: string, delivery: Partial<Delivery> = {}) => {
    const activityId = await channel(hub, 'PaymentTermEntity', { truncateEntityData: true })
    return hub.importFile('', file, { activityId, ...delivery })
  }
  const there = async () =>
    (await hub.target('Terms of payment')).map(({ dataAreaId, Name }) => `${dataAreaId} ${Name}`)

  it('replaces the records of its message’s company and of the companies in its file, and no others', async () => {
    const { execution } = await send('dataAreaId,Name,NumberOfDays\nfrrt,new,1\n,new,1\n', { company: 'usmf' })
    expect(await there()).toEqual(['demf old', 'frrt new', 'usmf new'])
    expect(execution.entities[0]!.records).toMatchObject({ inserted: 2, updated: 0 })
  })

  it('inserts again what was there before', async () => {
    const { execution } = await send(terms(['usmf', 'old', '1']))
    expect(execution.entities[0]!.records).toMatchObject({ inserted: 1, unchanged: 0 })
    expect(await there()).toEqual(['demf old', 'frrt old', 'usmf old'])
  })

  it('empties its company even when none of its records is good, but none that only records in error name', async () => {
    await send(terms(['frrt', 'new', 'x']), { company: 'usmf' })
    expect(await there()).toEqual(['demf old', 'frrt old'])
  })

  it('replaces all records of an entity without company', async () => {
    const activityId = await channel(hub, 'CurrencyEntity', { truncateEntityData: true })
    await hub.importFile('', 'CurrencyCode\nCHF\nTOOLONG\n', { activityId })
    expect((await hub.target('Currencies')).map(({ CurrencyCode }) => CurrencyCode)).toEqual(['CHF'])
  })

  it('does not empty anything again when it is retried', async () => {
    const { execution } = await send(terms(['usmf', 'good'], ['usmf', 'bad', 'x']))
    await hub.importFile('Terms of payment', terms(['usmf', 'between']))
    await hub.hub.db.query(`UPDATE staging."PaymentTermEntity" SET "NumberOfDays" = '5' WHERE _state = 'E'`)
    await retryExecution(hub.hub.db, execution.executionId)
    await hub.run()
    expect(await there()).toEqual(['demf old', 'frrt old', 'usmf bad', 'usmf between', 'usmf good'])
  })

  it('says in its log how many records it removed, or would remove', async () => {
    const texts = ({ execution }: Awaited<ReturnType<typeof send>>) => execution.log.map(({ text }) => text)
    const file = terms(['usmf', 'one'], ['frrt', 'two'])
    expect(texts(await send(file, { mode: 'validate' }))).toEqual([
      'PaymentTermEntity: 3 records of the target would be removed before its import',
    ])
    expect(texts(await send(file))).toEqual([
      'PaymentTermEntity: 3 records of the target were removed before its import',
    ])
    expect(texts(await hub.importFile('Terms of payment', file))).toEqual([])
  })

  it('says as a dry run what it would do', async () => {
    const file = terms(['usmf', 'old'], ['usmf', 'new'], ['frrt', 'old', '7'], ['nope', 'old'])
    const dry = await send(file, { mode: 'validate' })
    expect(await there()).toEqual(['demf old', 'frrt old', 'usmf Net30', 'usmf old'])
    const real = await send(file)
    expect(dry.execution.entities[0]!.records).toEqual(real.execution.entities[0]!.records)
    expect(dry.execution.entities[0]!.records).toMatchObject({ inserted: 3, updated: 0, unchanged: 0, error: 1 })
  })

  it('finds relations to what it removes lost, also as a dry run, and those to what it brings not', async () => {
    const name = 'Groups anew'
    const group = { entityName: 'Customer groups', text: 'CustomerGroupId,PaymentTermId\nA,old\nB,new\nC,Net30\n' }
    const file = await packageOf(name, [{ entityName: 'Terms of payment', text: 'Name\nnew\nold2\n' }, group])
    await addProject(hub.hub.db, { name })
    await setProjectEntity(hub.hub.db, name, { entity: 'PaymentTermEntity', truncateEntityData: true })
    await setProjectEntity(hub.hub.db, name, { entity: 'CustCustomerGroupEntity', levelInExecutionUnit: 2 })
    const dry = await hub.importFile('', file, { company: 'usmf', mode: 'validate', project: name })
    const real = await hub.importFile('', file, { company: 'usmf', project: name })
    const seen = ({ errors }: typeof dry) => errors.map(({ recordNumber, code, value }) => [recordNumber, code, value])
    expect(seen(real)).toEqual([
      [1, 'EP101', 'old'],
      [3, 'EP101', 'Net30'],
    ])
    expect(seen(dry)).toEqual(seen(real))
  })

  describe('that is staged first', () => {
    it('empties the target once, before the first of its records is promoted', async () => {
      const file = terms(['usmf', 'one'], ['usmf', 'two'], ['frrt', 'three'], ['usmf', 'bad', 'x'])
      const { execution } = await send(file, { mode: 'stage' })
      const { executionId } = execution
      const { db } = hub.hub
      await validateStaged(db, executionId)
      await hub.run()
      expect(await there()).toEqual(['demf old', 'frrt old', 'usmf Net30', 'usmf old'])
      await promoteStaged(db, executionId, { records: [2] })
      await hub.run()
      expect(await there()).toEqual(['demf old', 'usmf two'])
      await validateStaged(db, executionId)
      await hub.run()
      expect(
        (
          await hub.hub.db.query<{ text: string }>('SELECT text FROM entrepot.execution_log ORDER BY id DESC LIMIT 1')
        )[0]!.text,
      ).toMatch(/2 would be inserted, 0 updated/)
      await promoteStaged(db, executionId, {})
      await hub.run()
      await hub.importFile('Terms of payment', terms(['usmf', 'between']))
      await hub.hub.db.query(`UPDATE staging."PaymentTermEntity" SET "NumberOfDays" = '5' WHERE _state = 'E'`)
      await retryExecution(db, executionId)
      await hub.run()
      expect(await there()).toEqual(['demf old', 'frrt three', 'usmf bad', 'usmf between', 'usmf one', 'usmf two'])
    })

    it('of a package counts relations to what waits before it as kept', async () => {
      const group = { entityName: 'Customer groups', text: 'CustomerGroupId,PaymentTermId\nA,new\nB,none\n' }
      const file = await packageOf('Staged', [{ entityName: 'Terms of payment', text: 'Name\nnew\n' }, group])
      const { execution, message } = await hub.importFile('', file, { company: 'usmf', mode: 'stage' })
      await validateStaged(hub.hub.db, execution.executionId)
      await hub.run()
      const after = await hub.outcome(message.messageId)
      expect(after.errors).toMatchObject([{ recordNumber: 2, code: 'EP101', value: 'none' }])
      await promoteStaged(hub.hub.db, execution.executionId, {})
      await hub.run()
      expect((await hub.target('Customer groups')).map(({ CustomerGroupId }) => CustomerGroupId)).toEqual(['A'])
    })
  })

  it('of a large file leaves the same behind, and dry runs of it say so', async () => {
    const file = termsFile(24_000)
    await hub.importFile('Terms of payment', termsFile(12_000, { from: 20_000 }))
    const dry = await send(file, { mode: 'validate' })
    const real = await send(file)
    expect(dry.execution.entities[0]!.records).toEqual(real.execution.entities[0]!.records)
    expect(real.execution.entities[0]!.records).toMatchObject({ updated: 0, unchanged: 0 })
    const { inserted } = real.execution.entities[0]!.records
    expect(await hub.target('Terms of payment')).toHaveLength(inserted + 2)
  })
})

describe.each(queueBackends.slice(-1))(
  'a worker that is killed at a truncating import, with queues on $backend',
  ({ start }) => {
    let place: QueuePlace
    let hub: TestHub
    const env = { LEASE_SECONDS: '1' }

    async function prepare(into: TestHub): Promise<void> {
      await addMasterData(into)
      await into.importFile('Terms of payment', termsFile(200, { days: 3 }))
      const activityId = await channel(into, 'PaymentTermEntity', { truncateEntityData: true })
      await into.deliver('', termsFile(24_000), { activityId, externalId: 'large' })
    }
    afterEach(async () => {
      await killProcesses()
      await hub.close()
      await place.stop()
    })

    it('leaves the same behind as one that was not, wherever it was', async () => {
      const control = await openTestHub()
      await prepare(control)
      await control.run()
      await expectAccounted(control)
      const undisturbed = await resultOf(control)
      await control.close()

      place = await start()
      hub = await openTestHub(place, env)
      await prepare(hub)
      for (const fault of [
        'stage.afterFinish:1',
        'promote.afterCheck:1',
        'promote.beforeCommit:1',
        'promote.afterPart:1',
        'promote.beforeFinish:1',
      ]) {
        const worker = startWorker({
          place,
          fault: `${fault}:kill`,
          env,
        })
        expect(await worker.exit).toEqual({ code: null, signal: 'SIGKILL' })
      }
      startWorker({ place })
      await allFinished(hub)
      await expectAccounted(hub)
      expect(await resultOf(hub)).toEqual(undisturbed)
    })
  },
)

describe('an import with tasks of its own', () => {
  let hub: TestHub
  beforeAll(async () => {
    hub = await openTestHub()
    await addMasterData(hub)
  })
  afterAll(() => hub.close())

  /** Imports a file, and says in how many parts it was promoted. */
  async function parts(line: Partial<LineChange>, file: string) {
    const { db } = hub.hub
    const activityId = await channel(hub, 'PaymentTermEntity', line)
    const { execution } = await hub.importFile('', file, { activityId })
    const [row] = await db.query<{ parts: number }>(
      'SELECT cardinality(promoted_chunks) AS parts FROM entrepot.execution_entity WHERE execution_id = $1',
      [execution.executionId],
    )
    await expectAccounted(hub)
    return { parts: row!.parts, records: execution.entities[0]!.records }
  }

  it.each([
    { what: 'in a staging table of its own', count: 24_000, one: 5 },
    { what: 'in the staging table of all', count: 12_000, one: 1 },
  ])('is promoted in that many parts from the threshold on, with the same result, $what', async ({ count, one }) => {
    const failures: unknown[] = []
    const stop = onObservation((event) => event.at === 'step.failed' && failures.push(event))
    const file = termsFile(count, { from: count * 2 })
    const usual = await parts({}, file)
    expect(usual.parts).not.toBe(7)
    for (const [line, wanted] of [
      [{ taskCount: 7, importThreshold: count + 10 }, 7],
      [{ taskCount: 7, importThreshold: count + 11 }, usual.parts],
      [{ taskCount: 7 }, 7],
      [{ taskCount: 32, importThreshold: 0 }, 32],
      [{ taskCount: 1 }, one],
      [{ importThreshold: 1 }, usual.parts],
    ] as const) {
      const { parts: seen, records } = await parts(line, file)
      expect([line, seen]).toEqual([line, wanted])
      // What the first one inserted the others leave alone.
      expect([line, records]).toEqual([line, { ...usual.records, inserted: 0, unchanged: usual.records.inserted }])
    }
    const anew = await parts({ taskCount: 7, truncateEntityData: true }, file)
    expect(anew).toEqual({ parts: 7, records: usual.records })
    stop()
    expect(failures).toEqual([])
  })
})
