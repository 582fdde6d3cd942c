import { retryExecution } from '../../src/execution/actions'
import { armFaults } from '../../src/platform/faults'
import type { FieldMap } from '../../src/project/mapping'
import { getNumberSequence, numberText, setNumberSequence } from '../../src/project/number-sequence'
import { correctStaged } from '../../src/staging/correct-staged'
import { allFinished, expectAccounted } from '../helpers/accounting'
import { addMasterData } from '../helpers/build'
import { channel } from '../helpers/channel'
import { type QueuePlace, queueBackends } from '../helpers/queues'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { killProcesses, startWorker } from '../helpers/worker-process'

const numbered: FieldMap[] = [
  { field: 'Name', source: 'NO', numberSequence: 'Terms' },
  { field: 'Description', source: 'TEXT' },
  { field: 'NumberOfDays', source: 'DAYS' },
]

/** A file of records without numbers, each with a text of its own; those that `isBad` says are in error. */
function records(from: number, count: number, isBad: (n: number) => boolean = () => false): string {
  const lines = Array.from(
    { length: count },
    (_, i) => `record ${from + i} of a file that is large,${isBad(i) ? 'x' : 1}\n`,
  )
  return `TEXT,DAYS\n${lines.join('')}`
}

describe('numberText', () => {
  it('fills the digits of the format, and keeps all digits of a number that has more', () => {
    expect(['C-###', '###/x', '#'].map((format) => numberText(format, 7))).toEqual(['C-007', '007/x', '7'])
    expect(numberText('C-##-x', 12345)).toBe('C-12345-x')
  })
})

describe('setNumberSequence', () => {
  let hub: TestHub
  beforeAll(async () => {
    hub = await openTestHub()
  })
  afterAll(() => hub.close())

  it('adds one, and changes it while its numbers go on', async () => {
    const { db } = hub.hub
    expect(await setNumberSequence(db, { name: 'A', format: 'A-##', gapless: false })).toEqual({
      name: 'A',
      format: 'A-##',
      next: 1,
      gapless: false,
    })
    await setNumberSequence(db, { name: 'A', format: 'A-##', gapless: false, next: 50 })
    await setNumberSequence(db, { name: 'A', format: 'B####', gapless: true })
    expect(await getNumberSequence(db, 'A')).toEqual({ name: 'A', format: 'B####', next: 50, gapless: true })
  })

  it('keeps the format and the kind of the one that is there where nothing is said of them', async () => {
    const { db } = hub.hub
    await setNumberSequence(db, { name: 'Kept', format: 'K-##', gapless: true })
    expect(await setNumberSequence(db, { name: 'Kept', format: 'K####' })).toMatchObject({
      format: 'K####',
      gapless: true,
    })
    expect(await setNumberSequence(db, { name: 'Kept', next: 7 })).toMatchObject({
      format: 'K####',
      next: 7,
      gapless: true,
    })
    expect(await setNumberSequence(db, { name: 'Kept', gapless: false })).toMatchObject({ next: 7, gapless: false })
    await expect(setNumberSequence(db, { name: 'New' })).rejects.toMatchObject({ code: 'EA109', status: 400 })
  })

  it.each(['none', '#-#', '', `${'#'.repeat(19)}`, `#${'x'.repeat(60)}`])(
    'refuses the format %j (EA109)',
    async (format) => {
      const refused = setNumberSequence(hub.hub.db, { name: 'B', format, gapless: false })
      await expect(refused).rejects.toMatchObject({ code: 'EA109', status: 400 })
    },
  )

  it('knows no other (EA109)', async () => {
    await expect(getNumberSequence(hub.hub.db, 'C')).rejects.toMatchObject({ code: 'EA109' })
  })
})

describe.each([{ gapless: false }, { gapless: true }])('a number sequence, gapless: $gapless', ({ gapless }) => {
  let hub: TestHub
  beforeEach(async () => {
    hub = await openTestHub()
    await addMasterData(hub)
    await setNumberSequence(hub.hub.db, { name: 'Terms', format: 'T####', gapless })
  })
  afterEach(async () => {
    armFaults(undefined)
    await hub.close()
  })
  const activity = (mapping = numbered) => numberedBy(hub, mapping)
  const send = async (file: string, mapping?: FieldMap[]) =>
    hub.importFile('', file, { activityId: await activity(mapping) })

  it('gives a number to each record whose source has none, in their order', async () => {
    const { errors } = await send('NO,TEXT\n,a\nOwn,b\n,c\n')
    expect(errors).toEqual([])
    expect(await numbers(hub)).toEqual(['Own', 'T0001', 'T0002'])
    const again = await send('TEXT\nd\n')
    expect(again.message.status).toBe('Processed')
    // One that may have gaps gives a small file as many as it has records.
    expect(await numbers(hub)).toEqual(['Own', 'T0001', 'T0002', gapless ? 'T0003' : 'T0004'])
    await expectAccounted(hub)
  })

  it('gives one where an XML record leaves it out, and where a text is converted to none', async () => {
    const mapping = numbered.map((map) =>
      map.field === 'Name' ? { ...map, conversions: [{ from: 'new', to: '' }] } : map,
    )
    await send('NO,TEXT\nNEW,a\n,b\n', mapping)
    await send('<Document><PaymentTermEntity><TEXT>c</TEXT></PaymentTermEntity></Document>')
    const found = await numbers(hub)
    expect(found).toHaveLength(3)
    expect(found.every((name) => /^T\d{4,}$/.test(String(name)))).toBe(true)
  })

  it('gives numbers to two fields of a record', async () => {
    const mapping = numbered.map((map) =>
      map.field === 'Description' ? { ...map, source: null, numberSequence: 'Terms' } : map,
    )
    const { errors } = await send(`NO,DAYS\n${',1\n'.repeat(6_000)}`, mapping)
    expect(errors).toEqual([])
    const rows = (await hub.target('Terms of payment')).filter(({ Name }) => Name !== 'Net30')
    expect(new Set(rows.flatMap(({ Name, Description }) => [Name, Description])).size).toBe(12_000)
  })

  it('says of records that it outgrows their field, and gives no number to them', async () => {
    await setNumberSequence(hub.hub.db, { name: 'Terms', format: 'T########', gapless, next: 999_999_999 })
    const { errors, execution } = await send('TEXT\na\nb\n')
    expect(errors.map(({ recordNumber, code, field, reason }) => [recordNumber, code, field, reason])).toEqual([
      [2, 'ER202', 'Name', 'Name would be T1000000000, which has 11 characters where at most 10 fit'],
    ])
    expect(execution.entities[0]!.records).toMatchObject({ inserted: 1, error: 1 })
    expect(await numbers(hub)).toEqual(['T999999999'])
  })

  it('that is not there fails the message (EA109)', async () => {
    const other = [{ ...numbered[0]!, numberSequence: 'Other' }, ...numbered.slice(1)]
    await expect(activity(other)).rejects.toMatchObject({ code: 'EA109', message: expect.stringContaining("'Other'") })
    await setNumberSequence(hub.hub.db, { name: 'Other', format: '###', gapless })
    const activityId = await activity(other)
    await hub.hub.db.query(`DELETE FROM entrepot.number_sequence WHERE name = 'Other'`)
    const { message } = await hub.importFile('', 'TEXT\na\n', { activityId })
    expect(message).toMatchObject({ status: 'PreProcessingError', error: { code: 'EA109' } })
  })

  it('gives a record in error its number when it is good', async () => {
    const { execution, message } = await send(records(0, 10, (n) => n % 3 === 0))
    expect(await numbers(hub)).toHaveLength(6)
    await hub.hub.db.query(`UPDATE staging."PaymentTermEntity" SET "NumberOfDays" = '2' WHERE _record_number < 5`)
    await retryExecution(hub.hub.db, execution.executionId)
    await hub.run()
    const { executionId } = execution
    await correctStaged(hub.hub, executionId, { recordNumber: 7 }, { NumberOfDays: '3' })
    await correctStaged(hub.hub, executionId, { recordNumber: 10 }, { NumberOfDays: '3', Name: 'Mine' })
    await retryExecution(hub.hub.db, executionId)
    await hub.run()
    expect((await hub.outcome(message.messageId)).message.status).toBe('Processed')
    const found = await numbers(hub)
    expect(new Set(found).size).toBe(10)
    expect(found).toContain('Mine')
    if (gapless) await expectNoGaps(hub, 9)
    await expectAccounted(hub)
  })

  it('has no doubles after a chunk that was rolled back, and no gaps where it is gapless', async () => {
    const activityId = await activity()
    const { messageId } = await hub.deliver('', records(0, 12_000), { activityId })
    armFaults('stage.beforeCommit:2:throw')
    await hub.run()
    armFaults(undefined)
    await hub.hub.db.query('UPDATE entrepot.execution_entity SET due_at = now()')
    await hub.run()
    expect((await hub.outcome(messageId)).message.status).toBe('Processed')
    expect(new Set(await numbers(hub)).size).toBe(12_000)
    if (gapless) await expectNoGaps(hub, 12_000)
    await expectAccounted(hub)
  })
})

describe.each(queueBackends)('number sequences of workers in parallel, with queues on $backend', ({ start }) => {
  let place: QueuePlace
  let hub: TestHub
  beforeEach(async () => {
    place = await start()
    hub = await openTestHub(place, { LEASE_SECONDS: '1' })
    await addMasterData(hub)
  })
  afterEach(async () => {
    await killProcesses()
    await hub.close()
    await place.stop()
  })

  async function deliverSeveral(): Promise<number> {
    const mixed = [...numbered.slice(1), { ...numbered[0]!, numberSequence: 'Terms' }]
    const first = await numberedBy(hub, numbered)
    const second = await numberedBy(hub, mixed)
    const sizes = [12_000, 300, 11_000, 1, 40, 6_000]
    for (const [n, size] of sizes.entries()) {
      await hub.deliver(
        '',
        records(n * 20_000, size, (i) => i % 100 === 99),
        { activityId: n % 2 === 0 ? first : second },
      )
    }
    return sizes.reduce((sum, size) => sum + size - Math.floor(size / 100), 0)
  }

  it.each([{ gapless: true }, { gapless: false }])('give each number once (gapless: $gapless)', async ({ gapless }) => {
    await setNumberSequence(hub.hub.db, { name: 'Terms', format: 'T######', gapless })
    const good = await deliverSeveral()
    const env = { STAGE_CONCURRENCY: '3', LEASE_SECONDS: '5' }
    const workers = [startWorker({ place, env }), startWorker({ place, env })]
    await allFinished(hub, 60_000)
    expect(new Set(await numbers(hub)).size).toBe(good)
    if (gapless) await expectNoGaps(hub, good)
    await expectAccounted(hub)
    for (const { lines } of workers) expect(lines.filter(({ at }) => at === 'step.failed' || at === 'text')).toEqual([])
  })

  it('have no gaps when workers are killed at their work, if they are gapless', async () => {
    await setNumberSequence(hub.hub.db, { name: 'Terms', format: 'T######', gapless: true })
    const good = await deliverSeveral()
    for (const fault of ['stage.beforeCommit:2', 'stage.afterChunk:1', 'stage.inChunk:3', 'stage.beforeCommit:1']) {
      const worker = startWorker({ place, fault: `${fault}:kill`, env: { LEASE_SECONDS: '1' } })
      expect(await worker.exit).toEqual({ code: null, signal: 'SIGKILL' })
    }
    startWorker({ place })
    await allFinished(hub, 60_000)
    expect(new Set(await numbers(hub)).size).toBe(good)
    await expectNoGaps(hub, good)
    await expectAccounted(hub)
  })
})

function numberedBy(hub: TestHub, mapping: readonly FieldMap[]): Promise<string> {
  return channel(hub, 'PaymentTermEntity', { mapping }, { company: 'usmf' })
}

/** The names of the terms of payment that tests have made. */
async function numbers(hub: TestHub): Promise<unknown[]> {
  return (await hub.target('Terms of payment')).map(({ Name }) => Name).filter((name) => name !== 'Net30')
}

/** Expects just the first `count` numbers to be in use, and the next one to follow on them. */
async function expectNoGaps(hub: TestHub, count: number): Promise<void> {
  const { format, next } = await getNumberSequence(hub.hub.db, 'Terms')
  const wanted = Array.from({ length: count }, (_, i) => numberText(format, i + 1))
  const found = (await numbers(hub)).filter((name) => String(name).startsWith('T'))
  expect(found.sort()).toEqual(wanted.sort())
  expect(next).toBe(count + 1)
}
