import { cancelExecution, promoteStaged, retryExecution, validateStaged } from '../../src/execution/actions'
import { claimWork } from '../../src/execution/work'
import { steps } from '../../src/pipeline'
import { correctStaged } from '../../src/staging/correct-staged'
import { listStaged } from '../../src/staging/staged-records'
import { expectAccounted } from '../helpers/accounting'
import { addMasterData, csv, termsFile } from '../helpers/build'
import { channel } from '../helpers/channel'
import { openTestHub, type TestHub } from '../helpers/test-hub'

const columns = ['CustomerGroupId', 'Description', 'PaymentTermId']

describe('an execution that stages only', () => {
  let hub: TestHub
  beforeEach(async () => {
    hub = await openTestHub()
    await addMasterData(hub)
  })
  afterEach(async () => {
    await expectAccounted(hub)
    await hub.close()
  })

  async function stage(rows: string[][]): Promise<string> {
    const delivery = { company: 'usmf', mode: 'stage' } as const
    const { execution } = await hub.importFile('Customer groups', csv(columns, rows), delivery)
    return execution.executionId
  }
  const report = async (executionId: string) => {
    const [row] = await hub.hub.db.query<{ id: string }>(
      'SELECT message_id AS id FROM entrepot.execution WHERE id = $1',
      [executionId],
    )
    return hub.outcome(row!.id)
  }
  const counts = async (executionId: string) => {
    const { read, inserted, updated, unchanged, superseded, error } = (await report(executionId)).execution.entities[0]!
      .records
    return [read, inserted, updated, unchanged, superseded, error]
  }
  const state = async (executionId: string) =>
    (
      await hub.hub.db.query<{ state: string }>('SELECT state FROM entrepot.execution_entity WHERE execution_id = $1', [
        executionId,
      ])
    )[0]!.state
  const promote = async (executionId: string, choice: Parameters<typeof promoteStaged>[2] = {}) => {
    await promoteStaged(hub.hub.db, executionId, choice)
    await hub.run()
  }
  const validate = async (executionId: string) => {
    await validateStaged(hub.hub.db, executionId)
    await hub.run()
  }
  const retry = async (executionId: string) => {
    await retryExecution(hub.hub.db, executionId)
    await hub.run()
  }
  const correct = (executionId: string, recordNumber: number, correction: Record<string, string | null>) =>
    correctStaged(hub.hub, executionId, { recordNumber }, correction)
  const described = async () =>
    (await hub.target('Customer groups')).map(({ CustomerGroupId, Description }) => `${CustomerGroupId} ${Description}`)
  const statuses = async (executionId: string) =>
    (await listStaged(hub.hub, executionId, { limit: 100 })).map(({ status }) => status)

  it('leaves the target alone, and says how far it has come', async () => {
    const executionId = await stage([
      ['1', 'one', ''],
      ['2', 'x'.repeat(61), ''],
    ])
    const { message, execution } = await report(executionId)
    expect(message.status).toBe('ProcessedWithErrors')
    expect(execution).toMatchObject({ status: 'PartiallySucceeded', mode: 'stage' })
    expect(execution.entities).toMatchObject([
      { stagingStatus: 'Finished', targetStatus: 'NotStarted', records: { read: 2, inserted: 0, error: 1 } },
    ])
    expect(await hub.target('Customer groups')).toEqual([])
    expect(await statuses(executionId)).toEqual(['NotStarted', 'Error'])
  })

  it('has all of its good records promoted, and then is what an import is', async () => {
    const executionId = await stage([
      ['1', 'one', ''],
      ['2', 'two', 'Net77'],
      ['1', 'last', 'Net30'],
    ])
    await promote(executionId)
    expect(await counts(executionId)).toEqual([3, 1, 0, 0, 1, 1])
    expect(await statuses(executionId)).toEqual(['Superseded', 'Error', 'Completed'])
    expect((await report(executionId)).execution.status).toBe('PartiallySucceeded')
    await expect(promoteStaged(hub.hub.db, executionId, {})).rejects.toMatchObject({ code: 'EA110', status: 409 })
    await hub.importFile('Terms of payment', 'Name\nNet77\n', { company: 'usmf' })
    await retry(executionId)
    expect(await state(executionId)).toBe('Finished')
    expect(await counts(executionId)).toEqual([3, 2, 0, 0, 1, 0])
    expect((await report(executionId)).message.status).toBe('Processed')
    expect(await described()).toEqual(['1 last', '2 two'])
  })

  it('lets a record that is retried after all not win over a later one of its key that is promoted', async () => {
    const executionId = await stage([
      ['1', 'earlier', 'Net77'],
      ['1', 'later', ''],
    ])
    await promote(executionId)
    await hub.importFile('Terms of payment', 'Name\nNet77\n', { company: 'usmf' })
    await retry(executionId)
    expect(await described()).toEqual(['1 later'])
    expect(await counts(executionId)).toEqual([2, 1, 0, 0, 1, 0])
  })

  it('is promoted in several rounds: chosen records, corrected ones, the rest', async () => {
    const executionId = await stage([
      ['1', 'one', ''],
      ['2', 'x'.repeat(61), ''],
      ['3', 'three', ''],
      ['4', 'four', 'Net77'],
      ['5', 'five', ''],
    ])
    await promote(executionId, { records: [3, 4] })
    expect(await described()).toEqual(['3 three'])
    expect(await counts(executionId)).toEqual([5, 1, 0, 0, 0, 2])
    expect([await state(executionId), await statuses(executionId)]).toEqual([
      'Staged',
      ['NotStarted', 'Error', 'Completed', 'Error', 'NotStarted'],
    ])
    await expect(promoteStaged(hub.hub.db, executionId, { records: [3] })).rejects.toMatchObject({ code: 'EA110' })
    await expect(promoteStaged(hub.hub.db, executionId, { records: [1, 99] })).rejects.toMatchObject({ code: 'EA110' })
    await expectAccounted(hub)

    await hub.importFile('Terms of payment', 'Name\nNet77\n', { company: 'usmf' })
    await promote(executionId, { errors: true })
    expect(await described()).toEqual(['3 three', '4 four'])
    expect(await counts(executionId)).toEqual([5, 2, 0, 0, 0, 1])
    expect(await state(executionId)).toBe('Staged')

    await correct(executionId, 2, { Description: 'short' })
    expect((await counts(executionId)).at(-1)).toBe(0)
    await promote(executionId, { records: [1] })
    await promote(executionId)
    expect(await state(executionId)).toBe('Finished')
    expect(await counts(executionId)).toEqual([5, 5, 0, 0, 0, 0])
    expect(await described()).toEqual(['1 one', '2 short', '3 three', '4 four', '5 five'])
    expect((await report(executionId)).message.status).toBe('Processed')
  })

  it('is finished with the round that promotes the last of its good records', async () => {
    const executionId = await stage([
      ['1', 'one', ''],
      ['2', 'two', ''],
    ])
    await promote(executionId, { records: [2] })
    expect(await state(executionId)).toBe('Staged')
    await promote(executionId, { records: [1] })
    expect([await state(executionId), await counts(executionId)]).toEqual(['Finished', [2, 2, 0, 0, 0, 0]])
  })

  describe('with several records of one key', () => {
    const rows = [
      ['1', 'first', ''],
      ['1', 'second', ''],
      ['1', 'third', ''],
    ]
    it('takes a later one over one that was chosen before', async () => {
      const executionId = await stage(rows)
      await promote(executionId, { records: [1] })
      expect(await described()).toEqual(['1 first'])
      await promote(executionId)
      expect(await described()).toEqual(['1 third'])
      expect(await counts(executionId)).toEqual([3, 1, 1, 0, 1, 0])
    })

    it('leaves the earlier ones alone when the last was chosen before', async () => {
      const executionId = await stage(rows)
      await promote(executionId, { records: [3] })
      await promote(executionId)
      expect(await described()).toEqual(['1 third'])
      expect(await counts(executionId)).toEqual([3, 1, 0, 0, 2, 0])
    })

    it('leaves them alone as well when the last one was in error and was promoted before them', async () => {
      const executionId = await stage([...rows.slice(0, 1), ['1', 'x'.repeat(61), '']])
      await hub.hub.db.query(
        `UPDATE staging."CustCustomerGroupEntity" SET "Description" = 'mended' WHERE _record_number = 2`,
      )
      await promote(executionId, { errors: true })
      await promote(executionId)
      expect(await described()).toEqual(['1 mended'])
      expect(await counts(executionId)).toEqual([2, 1, 0, 0, 1, 0])
    })

    it('decides only at promotion which one wins, whatever a validation said before a correction', async () => {
      const executionId = await stage(rows)
      await validate(executionId)
      expect(await statuses(executionId)).toEqual(['NotStarted', 'NotStarted', 'NotStarted'])
      await correct(executionId, 3, { CustomerGroupId: '2' })
      await promote(executionId)
      expect(await described()).toEqual(['1 second', '2 third'])
      expect(await counts(executionId)).toEqual([3, 2, 0, 0, 1, 0])
    })

    it('keeps those that were passed over by a promoted one so, when it is validated', async () => {
      const executionId = await stage([...rows, ['2', 'two', '']])
      await promote(executionId, { records: [1, 2] })
      expect(await statuses(executionId)).toEqual(['Superseded', 'Completed', 'NotStarted', 'NotStarted'])
      await validate(executionId)
      expect(await statuses(executionId)).toEqual(['Superseded', 'Completed', 'NotStarted', 'NotStarted'])
      await expectAccounted(hub)
      await promote(executionId)
      expect(await counts(executionId)).toEqual([4, 2, 1, 0, 1, 0])
    })
  })

  it('is validated without a change of the target: errors are marked, and the log says what would be', async () => {
    await hub.importFile(
      'Customer groups',
      csv(columns, [
        ['1', 'one', ''],
        ['2', 'old', ''],
      ]),
      { company: 'usmf' },
    )
    const before = await hub.target('Customer groups')
    const executionId = await stage([
      ['1', 'one', ''],
      ['2', 'two', ''],
      ['3', 'three', 'Net77'],
      ['4', 'x'.repeat(61), 'Net88'],
      ['5', 'five', 'Net30'],
    ])
    await validate(executionId)
    expect(await hub.target('Customer groups')).toEqual(before)
    const { execution, errors } = await report(executionId)
    expect(execution.log.map(({ text }) => text)).toEqual([
      'CustCustomerGroupEntity was validated: 1 would be inserted, 1 updated, 1 left as they are, 2 are in error',
    ])
    expect(errors.map(({ recordNumber, code }) => [recordNumber, code])).toEqual([
      [3, 'EP101'],
      [4, 'ER202'],
      [4, 'EP101'],
    ])
    expect([await state(executionId), await statuses(executionId)]).toEqual([
      'Staged',
      ['NotStarted', 'NotStarted', 'Error', 'Error', 'NotStarted'],
    ])
    // Nothing is said twice, however often it is checked.
    await validate(executionId)
    await promote(executionId, { records: [1] })
    expect((await report(executionId)).errors).toHaveLength(3)
    await promote(executionId)
    expect((await report(executionId)).errors).toHaveLength(3)
    expect(await counts(executionId)).toEqual([5, 1, 1, 1, 0, 2])
  })

  it.each<{ what: string; begin: (executionId: string) => Promise<object> }>([
    { what: 'validated', begin: (executionId) => validateStaged(hub.hub.db, executionId) },
    { what: 'promoted in part', begin: (executionId) => promoteStaged(hub.hub.db, executionId, { records: [1] }) },
    { what: 'promoted', begin: (executionId) => promoteStaged(hub.hub.db, executionId, {}) },
    {
      what: 'promoted from its errors',
      begin: (executionId) => promoteStaged(hub.hub.db, executionId, { errors: true }),
    },
    { what: 'waiting to be promoted', begin: async () => ({}) },
  ])('may be cancelled while it is $what, and stages again when it is retried', async ({ begin }) => {
    const executionId = await stage([['1', 'one', '']])
    await begin(executionId)
    await cancelExecution(hub.hub.db, executionId)
    expect([await state(executionId), (await report(executionId)).message.status]).toEqual(['Canceled', 'Canceled'])
    await hub.run()
    expect(await hub.target('Customer groups')).toEqual([])
    const { executionId: again } = await retryExecution(hub.hub.db, executionId)
    await hub.run()
    expect([await state(again), await statuses(again)]).toEqual(['Staged', ['NotStarted']])
    await promote(again)
    expect(await described()).toEqual(['1 one'])
  })

  it('has nothing to retry before it is promoted, and is run anew when that is asked for', async () => {
    const executionId = await stage([['1', 'x'.repeat(61), '']])
    await expect(retryExecution(hub.hub.db, executionId)).rejects.toMatchObject({ code: 'EA110', status: 409 })
    const { executionId: again } = await retryExecution(hub.hub.db, executionId, { anew: true })
    await hub.run()
    expect(await state(again)).toBe('Staged')
    await expect(promoteStaged(hub.hub.db, executionId, {})).rejects.toMatchObject({
      code: 'EA110',
      message: expect.stringContaining('newer execution'),
    })
  })

  it('cannot be promoted once the clean-up has removed what it staged (EA130)', async () => {
    const executionId = await stage([['1', 'one', '']])
    await hub.hub.db.query('UPDATE entrepot.execution_entity SET staging_removed_at = now() WHERE execution_id = $1', [
      executionId,
    ])
    await hub.hub.db.query('DELETE FROM staging."CustCustomerGroupEntity"')
    for (const act of [promoteStaged, validateStaged]) {
      await expect(act(hub.hub.db, executionId, {})).rejects.toMatchObject({ code: 'EA130', status: 410 })
    }
  })

  it('is the same for a large file, which has a staging table of its own', async () => {
    const delivery = { mode: 'stage' } as const
    const { execution, message } = await hub.importFile('Terms of payment', termsFile(24_000), delivery)
    const { executionId } = execution
    expect(await hub.target('Terms of payment')).toHaveLength(1)
    await validate(executionId)
    const { read, error } = (await hub.outcome(message.messageId)).execution.entities[0]!.records
    await promote(executionId, { records: [1, 2, 3] })
    await expectAccounted(hub)
    await promote(executionId)
    const { records } = (await hub.outcome(message.messageId)).execution.entities[0]!
    const control = await openTestHub()
    await addMasterData(control)
    const imported = await control.importFile('Terms of payment', termsFile(24_000))
    const wanted = imported.execution.entities[0]!.records
    // The first three are promoted before the later ones of their keys, which update them now instead of superseding them.
    expect(records).toEqual({ ...wanted, superseded: wanted.superseded - 3, updated: wanted.updated + 3 })
    expect([read, error]).toEqual([wanted.read, wanted.error])
    expect(await hub.target('Terms of payment')).toEqual(await control.target('Terms of payment'))
    await control.close()
  })
})

describe.each(['import', 'stage', 'validate'] as const)('an execution in mode %s', (mode) => {
  let hub: TestHub
  beforeEach(async () => {
    hub = await openTestHub()
    await addMasterData(hub)
  })
  afterEach(async () => {
    await expectAccounted(hub)
    await hub.close()
  })

  it.each(['Staging', 'Promoting'] as const)(
    'is cancelled whoever holds its work in state %s, and does nothing more',
    async (state) => {
      const { db } = hub.hub
      // Too large to be handled in a group.
      const file = csv(columns, [
        ['1', 'one', ''],
        ['2', 'x'.repeat(70_000), ''],
      ])
      const { executionId, messageId, works } = await hub.deliver('Customer groups', file, { company: 'usmf', mode })
      const id = works[0]!.id
      const options = { leaseSeconds: 60, maxAttempts: 5 }
      const stage = await claimWork(db, id, { ...options, state: 'Staging' })
      if (state === 'Promoting') await steps[0]!.run(hub.hub, stage)
      const held = state === 'Staging' ? stage : await claimWork(db, id, { ...options, state })
      if (mode === 'stage' && state === 'Promoting') {
        // Nobody works on it: it waits.
        expect(held).toEqual([])
        return
      }
      await cancelExecution(db, executionId)
      const step = steps.find(({ takes }) => takes === state)!
      await expect(step.run(hub.hub, held)).rejects.toThrow(/taken over or cancelled/)
      await hub.run()
      const { message, execution } = await hub.outcome(messageId)
      expect([message.status, execution.status]).toEqual(['Canceled', 'Canceled'])
      expect(await hub.target('Customer groups')).toEqual([])
      await expect(cancelExecution(db, executionId)).rejects.toMatchObject({ code: 'EA110', status: 409 })
      await retryExecution(db, executionId)
      await hub.run()
      const again = await hub.outcome(messageId)
      expect([again.message.status, again.execution.mode]).toEqual(['ProcessedWithErrors', mode])
      expect(await hub.target('Customer groups')).toHaveLength(mode === 'import' ? 1 : 0)
    },
  )
})

describe('a dry run', () => {
  let hub: TestHub
  beforeEach(async () => {
    hub = await openTestHub()
    await addMasterData(hub)
  })
  afterEach(() => hub.close())
  const delivery = { company: 'usmf', mode: 'validate' } as const

  it('writes nothing, and has nothing to retry, promote or validate; run anew it sees what has changed', async () => {
    const file = csv(columns, [
      ['1', 'one', ''],
      ['2', 'two', 'Net77'],
    ])
    const { execution, message, errors } = await hub.importFile('Customer groups', file, delivery)
    expect(execution).toMatchObject({ mode: 'validate', status: 'PartiallySucceeded' })
    expect(execution.entities[0]!.records).toMatchObject({ read: 2, inserted: 1, error: 1 })
    expect(errors).toMatchObject([{ recordNumber: 2, code: 'EP101' }])
    expect(await hub.target('Customer groups')).toEqual([])
    await expectAccounted(hub)
    const { db } = hub.hub
    for (const refused of [
      retryExecution(db, execution.executionId),
      promoteStaged(db, execution.executionId, {}),
      validateStaged(db, execution.executionId),
      cancelExecution(db, execution.executionId),
      correctStaged(hub.hub, execution.executionId, { recordNumber: 2 }, { PaymentTermId: '' }),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: 'EA110', status: 409 })
    }
    await hub.importFile('Terms of payment', 'Name\nNet77\n', { company: 'usmf' })
    await retryExecution(db, execution.executionId, { anew: true })
    await hub.run()
    const again = await hub.outcome(message.messageId)
    expect(again.execution.entities[0]!.records).toMatchObject({ inserted: 2, error: 0 })
    expect(await hub.target('Customer groups')).toEqual([])
    await expectAccounted(hub)
  })

  it('of a large file counts what its import then does', async () => {
    await hub.importFile('Terms of payment', termsFile(12_000, { days: 1 }))
    const file = termsFile(24_000)
    const dry = await hub.importFile('Terms of payment', file, { mode: 'validate' })
    await expectAccounted(hub)
    const real = await hub.importFile('Terms of payment', file)
    expect(dry.execution.entities[0]!.records).toEqual(real.execution.entities[0]!.records)
    expect(dry.errors.map(withoutIds)).toEqual(real.errors.map(withoutIds))
    await expectAccounted(hub)
  })

  it.each([{ truncates: false }, { truncates: true }])(
    'counts what its import then does, whatever is in the file and the target (truncating: $truncates)',
    async ({ truncates }) => {
      await hub.importFile('Customer groups', 'CustomerGroupId\n10\n20\n', { company: 'usmf' })
      await hub.importFile('Customer groups', 'CustomerGroupId\n10\n', { company: 'demf' })
      const line = { truncateEntityData: truncates }
      const activityId = await channel(hub, 'CustCustomerV3Entity', line, { company: 'usmf' })
      const random = randomNumbers(truncates ? 11 : 7)
      const seen = { inserted: 0, updated: 0, unchanged: 0, superseded: 0, error: 0 }
      for (let run = 0; run < 40; run++) {
        const file = randomCustomers(random)
        const dry = await hub.importFile('', file, { activityId, mode: 'validate' })
        const real = await hub.importFile('', file, { activityId })
        const { records } = real.execution.entities[0]!
        expect([file, dry.execution.entities[0]!.records]).toEqual([file, records])
        expect([file, dry.errors.map(withoutIds)]).toEqual([file, real.errors.map(withoutIds)])
        expect(dry.message.status).toBe(real.message.status)
        for (const what of Object.keys(seen) as (keyof typeof seen)[]) seen[what] += records[what]
      }
      // Each way of ending was there, or the runs prove little.
      const { unchanged, updated, ...always } = seen
      expect(Math.min(...Object.values(truncates ? always : seen))).toBeGreaterThan(3)
      if (truncates) expect([unchanged, updated]).toEqual([0, 0])
      await expectAccounted(hub)
    },
  )
})

const withoutIds = ({ workId: _, ...error }: { workId: number }) => error

/** Numbers below a bound, the same ones every time. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % below
  }
}

/** A small file of customers of few keys, companies and groups, some of which are not there, with some of the columns. */
function randomCustomers(random: (below: number) => number): string {
  const pick = (...texts: string[]) => texts[random(texts.length)]!
  const cells: Record<string, () => string> = {
    CustomerAccount: () => pick('A', 'B', 'C', 'D', 'E', ''),
    CustomerGroupId: () => pick('10', '10', '20', '99'),
    InvoiceAccount: () => pick('', '', '', 'A', 'B', 'D', 'E', 'Z'),
    OrganizationName: () => pick('one', 'two'),
    CreditLimit: () => pick('1', '1.0', '2', 'x'),
    dataAreaId: () => pick('usmf', 'usmf', 'demf', 'nope'),
  }
  const names = Object.keys(cells).filter((name) => name === 'CustomerAccount' || random(3) > 0)
  return csv(
    names,
    Array.from({ length: random(14) }, () => names.map((name) => cells[name]!())),
  )
}
