import { cancelExecution, promoteStaged, retryExecution, skipMessage } from '../../src/execution/actions'
import { type CleanPlan, clean, countCleanable, retentionPlan } from '../../src/execution/clean'
import { isWithin, startCleaning } from '../../src/execution/clean-schedule'
import type { Database, Transaction } from '../../src/platform/database'
import { openLifecycle } from '../../src/platform/lifecycle'
import { type Observation, onObservation } from '../../src/platform/observe'
import { addActivity } from '../../src/project/activity'
import { receive } from '../../src/source/receive'
import { correctStaged } from '../../src/staging/correct-staged'
import { errorsFile } from '../../src/staging/errors-file'
import { listStaged } from '../../src/staging/staged-records'
import { expectAccounted } from '../helpers/accounting'
import { addMasterData, csv, groupsFile, termsFile } from '../helpers/build'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { waitFor } from '../helpers/wait-for'

const dayMs = 86_400_000
const daysAgo = (days: number) => new Date(Date.now() - days * dayMs)
const nothing = { payloads: 0, payloadBytes: 0, stagedRecords: 0, messages: 0, orphans: 0, orphanBytes: 0 }
/** What is larger than this is kept in the payload store. */
const inlineBytes = 64 * 1024

describe('cleaning up', () => {
  let test: TestHub
  let db: Database
  beforeEach(async () => {
    test = await openTestHub()
    db = test.hub.db
    await addMasterData(test)
  })
  afterEach(() => test.close())

  /** Makes a message as old as if it had come so many days earlier, and those before it as early. */
  const receiveEarlier = (messageId: string, days: number) =>
    db.query(
      `UPDATE entrepot.message m SET received_at = least(m.received_at, late.received_at - make_interval(days => $2))
       FROM entrepot.message late WHERE late.id = $1 AND m.seq <= late.seq`,
      [messageId, days],
    )
  /** The same, and as if it had ended as much earlier. */
  const age = async (messageId: string, days: number) => {
    await receiveEarlier(messageId, days)
    await db.query('UPDATE entrepot.message SET finished_at = finished_at - make_interval(days => $2) WHERE id = $1', [
      messageId,
      days,
    ])
  }
  const oldMessage = async (file: string | Buffer = groupsFile(1), days = 10, entity = 'Customer groups') => {
    const { message, execution } = await test.importFile(entity, file)
    await age(message.messageId, days)
    return { messageId: message.messageId, executionId: execution.executionId, bytes: message.bytes }
  }
  const run = (plan: CleanPlan) => clean(test.hub, plan)
  const locationOf = async (messageId: string) => {
    const [row] = await db.query<{ location: string | null }>(
      'SELECT payload_location AS location FROM entrepot.message WHERE id = $1',
      [messageId],
    )
    return row!.location
  }
  const chunks = async () => (await db.query('SELECT FROM entrepot.payload_chunk')).length
  const stagedGroups = async () => (await db.query('SELECT FROM staging."CustCustomerGroupEntity"')).length

  describe('of the bytes of messages', () => {
    it.each([
      ['in the row', groupsFile(1)],
      ['in the payload store', `${groupsFile(1)}${'\n'.repeat(inlineBytes)}`],
    ])('removes old ones that are kept %s, and keeps their number and hash', async (_where, file) => {
      const { messageId, bytes } = await oldMessage(file)
      const hashOf = () => db.query('SELECT sha256 FROM entrepot.message WHERE id = $1', [messageId])
      const hash = await hashOf()
      expect(await run({ payloadsBefore: daysAgo(9) })).toEqual({ ...nothing, payloads: 1, payloadBytes: bytes })
      const { message } = await test.outcome(messageId)
      expect(message).toMatchObject({ bytes: file.length, hasBytes: false, status: 'ProcessedWithErrors' })
      expect(await hashOf()).toEqual(hash)
      expect(await chunks()).toBe(0)
      await expectAccounted(test)
    })

    it('keeps those that are not old enough, and those of messages that are under way', async () => {
      const { messageId } = await oldMessage(groupsFile(1), 10)
      const waiting = await test.deliver('Customer groups', groupsFile(2))
      await age(waiting.messageId, 20)
      expect(await run({ payloadsBefore: daysAgo(11) })).toEqual(nothing)
      for (const id of [messageId, waiting.messageId]) {
        expect((await test.outcome(id)).message.hasBytes).toBe(true)
      }
    })

    it('counts from the end of a message, not from its arrival', async () => {
      const { message } = await test.importFile('Customer groups', groupsFile(1))
      await receiveEarlier(message.messageId, 30)
      expect(await run({ payloadsBefore: daysAgo(7) })).toEqual(nothing)
    })

    it('says so when the message is to run again as a whole, and can retry its records in error all the same', async () => {
      const failed = await oldMessage('nonsense\n1\n')
      const inError = await oldMessage(groupsFile(1))
      await run({ payloadsBefore: daysAgo(9) })
      await expect(retryExecution(db, failed.executionId)).rejects.toMatchObject({
        code: 'EA130',
        status: 410,
        message: expect.stringContaining(`The bytes of the message ${failed.messageId} are gone`),
      })
      await test.importFile('Terms of payment', csv(['dataAreaId', 'Name'], [['usmf', 'Net99']]))
      await retryExecution(db, inError.executionId)
      await test.run()
      expect((await test.outcome(inError.messageId)).message.status).toBe('Processed')
    })

    it('leaves an empty message as it is: it can run again', async () => {
      const { executionId } = await oldMessage('')
      expect(await run({ payloadsBefore: daysAgo(9) })).toEqual(nothing)
      await retryExecution(db, executionId)
      await test.run()
    })

    it('leaves a payload that another table refers to', async () => {
      const { messageId } = await oldMessage(`${groupsFile(1)}${'\n'.repeat(inlineBytes)}`)
      await db.query('CREATE TABLE entrepot.keeper (payload_location text)')
      await db.query('INSERT INTO entrepot.keeper VALUES ($1)', [await locationOf(messageId)])
      expect(await run({ payloadsBefore: daysAgo(9) })).toMatchObject({ payloads: 1 })
      expect(await chunks()).toBe(1)
    })
  })

  describe('of staged records', () => {
    it('removes those of old messages from the tables that messages share, and keeps what was wrong with them', async () => {
      const { messageId } = await oldMessage(groupsFile(1), 10)
      await oldMessage(groupsFile(2), 5)
      expect(await run({ stagingBefore: daysAgo(7) })).toEqual({ ...nothing, stagedRecords: 3 })
      expect(await stagedGroups()).toBe(3)
      const { errors, execution } = await test.outcome(messageId)
      expect(errors).toMatchObject([{ recordNumber: 3, code: 'EP101' }])
      expect(execution.entities[0]!.records).toMatchObject({ read: 3, inserted: 2, error: 1 })
      await expectAccounted(test)
    })

    it('drops the tables that large executions have to themselves', async () => {
      const { executionId } = await oldMessage(termsFile(20_000), 10, 'Terms of payment')
      const ownTables = () => db.query(`SELECT FROM pg_tables WHERE tablename LIKE 'PaymentTermEntity\\_%'`)
      expect(await ownTables()).toHaveLength(1)
      expect(await run({ stagingBefore: daysAgo(7) })).toEqual({ ...nothing, stagedRecords: 20_010 })
      expect(await ownTables()).toHaveLength(0)
      await expect(retryExecution(db, executionId)).rejects.toMatchObject({ code: 'EA130' })
      await expectAccounted(test)
    })

    it('leaves a table that somebody is reading for the next time', async () => {
      await oldMessage(termsFile(20_000), 10, 'Terms of payment')
      await oldMessage(groupsFile(1))
      await db.transaction(async (tx) => {
        await tx.query('SELECT FROM staging."PaymentTermEntity" LIMIT 1')
        expect(await run({ stagingBefore: daysAgo(7) })).toEqual({ ...nothing, stagedRecords: 3 })
      })
      expect(await run({ stagingBefore: daysAgo(7) })).toEqual({ ...nothing, stagedRecords: 20_010 })
      await expectAccounted(test)
    })

    it('says so when they are to be listed or corrected, and those in error to be retried or fetched', async () => {
      const { executionId } = await oldMessage()
      await run({ stagingBefore: daysAgo(7) })
      const today = new Date().toISOString().slice(0, 10)
      for (const act of [
        () => retryExecution(db, executionId),
        () => errorsFile(test.hub, executionId).next(),
        () => listStaged(test.hub, executionId, { limit: 10 }),
        () => correctStaged(test.hub, executionId, { recordNumber: 1 }, { Description: 'x' }),
      ]) {
        await expect(act()).rejects.toMatchObject({
          code: 'EA130',
          status: 410,
          message: expect.stringMatching(new RegExp(`are gone: a clean-up removed them on ${today}$`)),
        })
      }
    })

    it('still writes the failed records of a message whose bytes are gone', async () => {
      const { executionId } = await oldMessage()
      await run({ payloadsBefore: daysAgo(7) })
      let text = ''
      for await (const piece of errorsFile(test.hub, executionId)) text += piece
      expect(text.split(/\r?\n/)).toEqual([
        'dataAreaId,CustomerGroupId,Description,PaymentTermId',
        'usmf,C1,Group C of file 1,Net99',
        '',
      ])
    })

    it('goes through more than a batch of them', async () => {
      for (let n = 0; n < 3; n++) await test.deliver('Customer groups', groupsFile(n))
      await test.run()
      await db.query(`UPDATE entrepot.execution_entity SET staged_records = 40000, records_read = 40000, records_inserted = 39999
        WHERE entity = 'CustCustomerGroupEntity'`)
      expect(await run({ stagingBefore: daysAgo(-1) })).toMatchObject({ stagedRecords: 120_004 + 1 })
      expect(await stagedGroups()).toBe(0)
    })
  })

  describe('of the history', () => {
    it('removes old messages with all that is left of them, and no others', async () => {
      const old = await oldMessage(`${groupsFile(1)}${'\n'.repeat(inlineBytes)}`, 10)
      const young = await oldMessage(groupsFile(2), 5)
      expect(await run({ historyBefore: daysAgo(7) })).toEqual({
        ...nothing,
        payloads: 1,
        payloadBytes: old.bytes,
        stagedRecords: 3,
        messages: 1,
      })
      await expect(test.outcome(old.messageId)).rejects.toMatchObject({ code: 'EA108' })
      await expect(retryExecution(db, old.executionId)).rejects.toMatchObject({ code: 'EA108' })
      expect((await test.outcome(young.messageId)).errors).toHaveLength(1)
      expect(await test.target('Customer groups')).toHaveLength(4)
      await expectAccounted(test, { isHistoryWhole: false })
    })

    it('keeps what is under way, whatever its age', async () => {
      const { messageId } = await test.deliver('Customer groups', groupsFile(1))
      await age(messageId, 100)
      expect(await run({ historyBefore: daysAgo(-1) })).toMatchObject({ messages: 3 })
      await test.run()
      expect((await test.outcome(messageId)).message.status).toBe('ProcessedWithErrors')
    })

    it('keeps what waits to be promoted, until it is promoted, cancelled or run anew', async () => {
      const stage = async () => {
        const delivery = { company: 'usmf', mode: 'stage' } as const
        const { message, execution } = await test.importFile('Customer groups', groupsFile(1), delivery)
        await age(message.messageId, 10)
        return { messageId: message.messageId, executionId: execution.executionId }
      }
      const [promoted, canceled, anew] = [await stage(), await stage(), await stage()]
      const plan = { payloadsBefore: daysAgo(7), stagingBefore: daysAgo(7), historyBefore: daysAgo(7) }
      expect(await countCleanable(test.hub, plan)).toEqual(nothing)
      expect(await run(plan)).toEqual(nothing)
      expect(await run({ stagingBefore: daysAgo(-1), scope: { executionId: promoted.executionId } })).toEqual(nothing)
      await promoteStaged(db, promoted.executionId, {})
      await cancelExecution(db, canceled.executionId)
      const newer = await retryExecution(db, anew.executionId, { anew: true })
      await test.run()
      expect(await run(plan)).toEqual(nothing)
      for (const { messageId } of [promoted, canceled, anew]) await age(messageId, 10)
      expect(await run(plan)).toMatchObject({ messages: 2, payloads: 2 })
      // What the newer execution of the third has staged still waits.
      await promoteStaged(db, newer.executionId, {})
      await test.run()
      await age(anew.messageId, 10)
      expect(await run(plan)).toMatchObject({ messages: 1, payloads: 1, stagedRecords: 6 })
    })

    it('keeps what holds up an ordered activity, until it is skipped', async () => {
      const { id } = await addActivity(db, {
        name: 'Ordered',
        entities: [{ entity: 'CustCustomerGroupEntity', sourceFormat: null }],
        ordered: true,
        strict: false,
      })
      const failed = await test.importFile('Customer groups', 'nonsense\n1\n', { activityId: id })
      const behind = await test.importFile('Customer groups', groupsFile(1), { activityId: id })
      for (const { message } of [failed, behind]) await age(message.messageId, 10)
      const plan = { payloadsBefore: daysAgo(7), stagingBefore: daysAgo(7), historyBefore: daysAgo(7) }
      expect(await run(plan)).toEqual(nothing)
      expect((await test.outcome(behind.message.messageId)).message.waitsFor).toBe(failed.message.messageId)
      await skipMessage(db, failed.message.messageId)
      expect(await run(plan)).toMatchObject({ messages: 1, payloads: 1 })
      await test.run()
      expect((await test.outcome(behind.message.messageId)).message.status).toBe('ProcessedWithErrors')
    })

    it('forgets the idempotency key of a message with it', async () => {
      const send = () => test.deliver('Customer groups', groupsFile(1), { idempotencyKey: 'once' })
      const first = await send()
      await test.run()
      await run({ payloadsBefore: daysAgo(-1), stagingBefore: daysAgo(-1) })
      expect(await send()).toMatchObject({ messageId: first.messageId, isRepeat: true })
      await run({ historyBefore: daysAgo(-1) })
      expect(await send()).toMatchObject({ isRepeat: false })
    })

    it('takes a message anew that is removed while its key is looked up', async () => {
      const first = await test.deliver('Customer groups', groupsFile(1), { idempotencyKey: 'once' })
      await test.run()
      let hasCleaned = false
      const meanwhile = afterEachStatement(db, async (sql) => {
        if (hasCleaned || !sql.includes('ON CONFLICT (activity_id, idempotency_key)')) return
        hasCleaned = true
        await run({ historyBefore: daysAgo(-1) })
      })
      const again = await receive(
        { ...test.hub, db: meanwhile },
        { origin: 'cli', entity: 'Customer groups', idempotencyKey: 'once' },
        (async function* () {
          yield Buffer.from(groupsFile(1))
        })(),
      )
      expect(hasCleaned).toBe(true)
      expect(again.isRepeat).toBe(false)
      expect(again.messageId).not.toBe(first.messageId)
    })

    it('removes a message with more errors than go in one transaction', async () => {
      const { messageId } = await oldMessage(groupsFile(1))
      await db.query(
        `INSERT INTO entrepot.record_error SELECT execution_entity, n, n, step, code, field, value, reason
         FROM entrepot.record_error, generate_series(10, 120000) n`,
      )
      const batches = countTransactions(db)
      await clean({ ...test.hub, db: batches.db }, { historyBefore: daysAgo(7) })
      await expect(test.outcome(messageId)).rejects.toMatchObject({ code: 'EA108' })
      expect(batches.count()).toBeGreaterThanOrEqual(5) // bytes, staged records, and three for the history
      await expectAccounted(test, { isHistoryWhole: false })
    })
  })

  describe('beside a retry', () => {
    it('passes a message over that is being set going again', async () => {
      const failed = await oldMessage('nonsense\n1\n')
      const inError = await oldMessage(groupsFile(1))
      const plan = { payloadsBefore: daysAgo(7), stagingBefore: daysAgo(7), historyBefore: daysAgo(7) }
      for (const { executionId } of [failed, inError]) {
        const cleaned: object[] = []
        await retryExecution(
          beforeEachCommit(db, async () => void cleaned.push(await countedWith(executionId, plan))),
          executionId,
        )
        expect(cleaned).toEqual([nothing])
        expect(await countedWith(executionId, plan)).toEqual(nothing)
      }
      await test.run()
      expect((await test.outcome(failed.messageId)).message).toMatchObject({ hasBytes: true, error: { code: 'EF102' } })
      expect((await test.outcome(inError.messageId)).errors).toHaveLength(1)
      await expectAccounted(test)
    })

    const countedWith = (executionId: string, plan: CleanPlan) => run({ ...plan, scope: { executionId } })

    it.each([
      ['bytes', 'nonsense\n1\n', { payloadsBefore: daysAgo(7) }],
      ['staged records', groupsFile(1), { stagingBefore: daysAgo(7) }],
    ])('refuses a retry that comes while the %s are being removed', async (_what, file, plan) => {
      const { executionId } = await oldMessage(file)
      let refusal: Promise<unknown> | undefined
      const slow = beforeEachCommit(db, async () => {
        refusal ??= codeOf(retryExecution(db, executionId))
        await waitFor(async () => (await waitingForLocks()) > 0, { what: 'the retry to wait' })
      })
      await clean({ ...test.hub, db: slow }, plan)
      expect(await refusal).toBe('EA130')
    })

    it('refuses a retry that comes while the message leaves the history', async () => {
      const { executionId } = await oldMessage('nonsense\n1\n')
      let refusal: Promise<unknown> | undefined
      const slow = afterEachStatement(db, async (sql) => {
        if (!sql.startsWith('DELETE FROM entrepot.message ')) return
        refusal = codeOf(retryExecution(db, executionId))
        await waitFor(async () => (await waitingForLocks()) > 0, { what: 'the retry to wait' })
      })
      await clean({ ...test.hub, db: slow }, { historyBefore: daysAgo(7) })
      expect(await refusal).toBe('EA108')
    })

    const codeOf = (action: Promise<unknown>) =>
      action.then(
        () => 'not refused',
        (error) => error.code,
      )
    const waitingForLocks = async () =>
      (await db.query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`))
        .length
  })

  describe('of orphans', () => {
    const keep = (bytes: number) =>
      test.hub.payloads.keep(
        (async function* () {
          for (let left = bytes; left > 0; left -= 500_000) yield Buffer.alloc(Math.min(left, 500_000))
        })(),
      )

    it('removes old payloads that nothing refers to, and no others', async () => {
      const { messageId } = await oldMessage(`${groupsFile(1)}${'\n'.repeat(inlineBytes)}`)
      await keep(1_500_000)
      await db.query(`UPDATE entrepot.payload_chunk SET created_at = created_at - interval '2 days'`)
      await keep(10)
      expect(await run({ orphansBefore: daysAgo(1) })).toEqual({ ...nothing, orphans: 1, orphanBytes: 1_500_000 })
      expect(await chunks()).toBe(2) // of the message, and the fresh one
      expect(await locationOf(messageId)).not.toBeNull()
      await expectAccounted(test)
    })

    it('spares a payload whose sender has been slow', async () => {
      await keep(2_500_000)
      await db.query(`UPDATE entrepot.payload_chunk SET created_at = created_at - interval '2 days' WHERE position = 0`)
      expect(await chunks()).toBe(2)
      expect(await run({ orphansBefore: daysAgo(1) })).toEqual(nothing)
    })
  })

  describe('of what a person names', () => {
    it.each(['entity', 'execution', 'project'])('is narrowed down by %s', async (by) => {
      const { id } = await addActivity(db, {
        name: 'Groups',
        entities: [{ entity: 'CustCustomerGroupEntity', sourceFormat: null }],
        ordered: false,
        strict: false,
      })
      const meant = await test.importFile('Customer groups', groupsFile(1), { activityId: id })
      const { project } = meant.message
      const scope = {
        entity: { entity: 'CustCustomerGroupEntity' },
        execution: { executionId: meant.execution.executionId },
        project: { project: project! },
      }[by]!
      const all = { payloadsBefore: daysAgo(-1), stagingBefore: daysAgo(-1), historyBefore: daysAgo(-1) }
      const expected = { ...nothing, payloads: 1, payloadBytes: meant.message.bytes, stagedRecords: 3, messages: 1 }
      expect(await countCleanable(test.hub, { ...all, scope })).toEqual(expected)
      expect(await run({ ...all, scope })).toEqual(expected)
      expect(await run(all)).toMatchObject({ messages: 3 })
    })
  })

  it('counts without touching anything what it would remove', async () => {
    await oldMessage(`${groupsFile(1)}${'\n'.repeat(inlineBytes)}`)
    await test.deliver('Customer groups', groupsFile(2))
    const plan = { payloadsBefore: daysAgo(20), stagingBefore: daysAgo(20), historyBefore: daysAgo(7) }
    const counted = await countCleanable(test.hub, { ...plan, orphansBefore: daysAgo(-1) })
    expect(counted).toMatchObject({ payloads: 1, stagedRecords: 3, messages: 1, orphans: 0 })
    expect(await run(plan)).toEqual(counted)
  })

  it('stops between batches when it is told to', async () => {
    await oldMessage()
    expect(await clean(test.hub, { historyBefore: daysAgo(7) }, () => false)).toEqual(nothing)
  })

  describe('by itself', () => {
    const settings = {
      payloadRetentionDays: 7,
      stagingRetentionDays: 7,
      historyRetentionDays: 7,
      cleanHours: '0-24',
    }
    const observed: Observation[] = []
    const start = (more: Partial<typeof settings>, context = test.hub) => {
      observed.length = 0
      const lifecycle = openLifecycle()
      lifecycle.onShutdown('observer', onObservation((event) => void observed.push(event)) as () => void)
      startCleaning(context, { ...settings, ...more }, lifecycle, { firstMs: 1, everyMs: 20 })
      return lifecycle
    }
    const finished = () => observed.filter((event) => event.at === 'clean.finished')

    it('removes what is past its time, again and again, and says so', async () => {
      const { messageId } = await oldMessage()
      const lifecycle = start({})
      await waitFor(() => finished().length > 1, { what: 'two runs' })
      await lifecycle.shutdown('test')
      expect(finished()[0]).toMatchObject({ messages: 1, stagedRecords: 3, payloads: 1 })
      expect(finished()[1]).toMatchObject({ messages: 0 })
      await expect(test.outcome(messageId)).rejects.toMatchObject({ code: 'EA108' })
    })

    it('lets one process at a time', async () => {
      const lifecycle = await db.transaction(async (tx) => {
        await tx.query('SELECT pg_advisory_xact_lock(25326087)')
        const started = start({})
        const tries = countTransactions(db)
        const other = start({}, { ...test.hub, db: tries.db })
        await waitFor(() => tries.count() > 3, { what: 'some tries' })
        await other.shutdown('test')
        await started.shutdown('test')
        expect(finished()).toEqual([])
        return start({})
      })
      await waitFor(() => finished().length > 0, { what: 'a run' })
      await lifecycle.shutdown('test')
    })
  })
})

describe('the plan of the settings', () => {
  const now = new Date('2026-01-31T12:00:00Z')
  it('keeps for good what has 0 days, and orphans for a day', () => {
    expect(retentionPlan({ payloadRetentionDays: 1, stagingRetentionDays: 0, historyRetentionDays: 30 }, now)).toEqual({
      payloadsBefore: new Date('2026-01-30T12:00:00Z'),
      stagingBefore: undefined,
      historyBefore: new Date('2026-01-01T12:00:00Z'),
      orphansBefore: new Date('2026-01-30T12:00:00Z'),
    })
  })

  it.each([
    ['0-24', '00:00', true],
    ['0-24', '23:59', true],
    ['22-6', '21:59', false],
    ['22-6', '22:00', true],
    ['22-6', '05:59', true],
    ['22-6', '06:00', false],
    ['1-3', '02:00', true],
    ['1-3', '03:00', false],
  ])('has in the hours %s the time %s: %s', (hours, time, expected) => {
    expect(isWithin(hours, new Date(`2026-01-31T${time}:00Z`))).toBe(expected)
  })
})

/** The database, with something done after each statement of a transaction and before the next one. */
function afterEachStatement(db: Database, act: (sql: string) => Promise<void>): Database {
  return {
    ...db,
    transaction: (work) =>
      db.transaction((tx) => {
        const query: Transaction['query'] = async (sql, values, name) => {
          // The type of the rows is the caller's.
          const rows = (await tx.query(sql, values, name)) as never
          await act(sql)
          return rows
        }
        return work({ ...tx, query })
      }),
  }
}

/** The database, with something done before each transaction commits. */
function beforeEachCommit(db: Database, act: () => Promise<void>): Database {
  return {
    ...db,
    transaction: (work) =>
      db.transaction(async (tx) => {
        const result = await work(tx)
        await act()
        return result
      }),
  }
}

function countTransactions(db: Database): { db: Database; count(): number } {
  let transactions = 0
  return {
    count: () => transactions,
    db: {
      ...db,
      transaction: (work) => {
        transactions++
        return db.transaction(work)
      },
    },
  }
}
