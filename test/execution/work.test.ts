import { Conflict, EntrepotError } from '../../src/errors'
import { cancelExecution, retryExecution } from '../../src/execution/actions'
import { failWork, finishExecutions } from '../../src/execution/finish'
import {
  claimSmallWork,
  claimWork,
  fence,
  findDueWork,
  findExhaustedWork,
  releaseWork,
  renewLeases,
  type Work,
} from '../../src/execution/work'
import { runStep, steps, sweep } from '../../src/pipeline'
import { addActivity } from '../../src/project/activity'
import { openTestHub, type TestHub } from '../helpers/test-hub'

const noBells = { ringAll: async () => undefined }
const staging = { state: 'Staging', leaseSeconds: 60, maxAttempts: 3 } as const

describe('work', () => {
  let hub: TestHub
  beforeEach(async () => {
    hub = await openTestHub()
  })
  afterEach(() => hub.close())

  const db = () => hub.hub.db
  const small = async () => (await hub.deliver('Currencies', 'CurrencyCode\nCHF\n')).works[0]!.id
  const large = async () => (await hub.deliver('Currencies', `CurrencyCode\n${'CHF\n'.repeat(20_000)}`)).works[0]!.id
  const claimOne = async (id: number): Promise<Work> => (await claimWork(db(), id, staging))[0]!
  const letLeaseRunOut = (id: number) =>
    db().query(`UPDATE entrepot.execution_entity SET lease_until = now() - interval '1 second' WHERE id = $1`, [id])
  const dueIds = async () => (await findDueWork(db(), 3)).map(({ id }) => id)

  it('is claimed by one of many who ask at the same time', async () => {
    const id = await large()
    const claims = await Promise.all(Array.from({ length: 10 }, () => claimWork(db(), id, staging)))
    expect(claims.flat().map((work) => [work.id, work.epoch])).toEqual([[id, 1]])
    expect(await dueIds()).toEqual([])
  })

  it('is claimed together when it is small, the large for itself', async () => {
    const smalls = [await small(), await small()]
    const largeId = await large()
    expect((await claimWork(db(), largeId, staging)).map(({ id }) => id)).toEqual([largeId])
    expect((await claimSmallWork(db(), staging)).map(({ id }) => id)).toEqual(smalls)
    expect(await claimSmallWork(db(), staging)).toEqual([])
  })

  it('is claimed in its state only', async () => {
    const id = await large()
    expect(await claimWork(db(), id, { ...staging, state: 'Promoting' })).toEqual([])
    expect(await claimWork(db(), 999_999, staging)).toEqual([])
  })

  it('goes to another when its lease has run out, and then refuses the writes of the first (fence)', async () => {
    const id = await large()
    const first = await claimOne(id)
    await letLeaseRunOut(id)
    const second = await claimOne(id)
    expect(second.epoch).toBe(2)
    await expect(db().transaction((tx) => fence(tx, [first]))).rejects.toBeInstanceOf(Conflict)
    await db().transaction((tx) => fence(tx, [second]))
    // Neither renewing nor giving back touches the claim of the other.
    await letLeaseRunOut(id)
    await renewLeases(db(), [first], 60)
    await releaseWork(db(), [first], { afterSeconds: 0, countsAsTry: true })
    const [row] = await db().query(
      'SELECT epoch, attempts, lease_until < now() AS over FROM entrepot.execution_entity WHERE id = $1',
      [id],
    )
    expect(row).toEqual({ epoch: 2, attempts: 2, over: true })
  })

  it('stays with who renews its lease', async () => {
    const id = await large()
    const work = await claimOne(id)
    await letLeaseRunOut(id)
    await renewLeases(db(), [work], 60)
    expect(await claimWork(db(), id, staging)).toEqual([])
  })

  it('has no lease any more at its end, though a renewal of it comes late', async () => {
    const id = await large()
    const work = await claimOne(id)
    await db().query(`UPDATE entrepot.execution_entity SET state = 'Canceled', lease_until = NULL WHERE id = $1`, [id])
    await renewLeases(db(), [work], 60)
    const [row] = await db().query('SELECT lease_until FROM entrepot.execution_entity WHERE id = $1', [id])
    expect(row).toEqual({ lease_until: null })
  })

  it('is due again when it was given back: an outage is no try, a failure is one', async () => {
    const id = await large()
    const attempts = async () =>
      (await db().query<{ attempts: number }>('SELECT attempts FROM entrepot.execution_entity'))[0]!.attempts
    await releaseWork(db(), [await claimOne(id)], { afterSeconds: 0, countsAsTry: false })
    expect([await attempts(), await dueIds()]).toEqual([0, [id]])
    await releaseWork(db(), [await claimOne(id)], { afterSeconds: 60, countsAsTry: true })
    expect([await attempts(), await dueIds()]).toEqual([1, []])
  })

  it('is claimed alone once it has failed in a group', async () => {
    const ids = [await small(), await small(), await small()]
    await releaseWork(db(), await claimSmallWork(db(), staging), { afterSeconds: 0, countsAsTry: true })
    expect(await dueIds()).toEqual(ids)
    expect((await claimWork(db(), ids[1]!, staging)).map(({ id }) => id)).toEqual([ids[1]])
  })

  it('is not tried for ever', async () => {
    const id = await large()
    for (let n = 0; n < 3; n++) await releaseWork(db(), [await claimOne(id)], { afterSeconds: 0, countsAsTry: true })
    expect(await claimWork(db(), id, staging)).toEqual([])
    expect(await dueIds()).toEqual([])
    expect((await findExhaustedWork(db(), 3)).map((work) => work.id)).toEqual([id])
  })

  it('says why its last try failed when it was tried too often, without credentials and at no great length', async () => {
    const { messageId, works } = await hub.deliver('Currencies', `CurrencyCode\n${'CHF\n'.repeat(20_000)}`)
    const failing = async (reason: string) => {
      const step = { ...steps[0]!, run: () => Promise.reject(new Error(reason)) }
      await runStep(hub.hub, noBells, step, [await claimOne(works[0]!.id)])
      await db().query('UPDATE entrepot.execution_entity SET due_at = now()')
    }
    await failing('first')
    await failing('second')
    await failing(`postgres://me:secret@db/x is odd ${'x'.repeat(1_000)}`)
    await sweep({ ...hub.hub, limits: { ...hub.hub.limits, maxAttempts: 3 } }, noBells)
    const { message, execution } = await hub.outcome(messageId)
    const { code, message: text } = message.error as { code: string; message: string }
    expect(code).toBe('ES106')
    expect(text).toMatch(
      /^The work was tried 3 times without progress; the last error was: postgres:\/\/…@db\/x is odd x+$/,
    )
    expect(text.length).toBeLessThan(400)
    expect(execution.log.slice(0, 2).map((line) => line.text)).toEqual([
      'CurrencyEntity: a try failed: first',
      'CurrencyEntity: a try failed: second',
    ])
  })

  it('waits for its predecessors in an ordered activity', async () => {
    const entities = [{ entity: 'CurrencyEntity', sourceFormat: null }]
    const { id: activityId } = await addActivity(db(), { name: 'in order', entities, ordered: true })
    const first = await hub.deliver('', 'CurrencyCode\nCHF\n', { activityId })
    const second = await hub.deliver('', 'CurrencyCode\nCHF\n', { activityId })
    expect(await dueIds()).toEqual([first.works[0]!.id])
    expect(await claimWork(db(), second.works[0]!.id, staging)).toEqual([])
    await cancelExecution(db(), first.executionId)
    expect((await claimWork(db(), second.works[0]!.id, staging)).map(({ id }) => id)).toEqual([second.works[0]!.id])
  })

  it('that was cancelled refuses the writes of who holds it', async () => {
    const received = await hub.deliver('Currencies', `CurrencyCode\n${'CHF\n'.repeat(20_000)}`)
    const work = await claimOne(received.works[0]!.id)
    await cancelExecution(db(), received.executionId)
    await expect(db().transaction((tx) => fence(tx, [work]))).rejects.toBeInstanceOf(Conflict)
    const error = new EntrepotError('ES106', 'too late')
    expect(await db().transaction((tx) => failWork(tx, [{ id: work.id, epoch: work.epoch, error }]))).toEqual([])
    expect((await hub.outcome(received.messageId)).message).toMatchObject({ status: 'Canceled', error: null })
  })

  it('of an execution that is not the newest of its message leaves the message as it is', async () => {
    const entities = [{ entity: 'CurrencyEntity', sourceFormat: null }]
    const { id: activityId } = await addActivity(db(), { name: 'once more', entities, ordered: true })
    const { messageId, executionId: old } = await hub.deliver('', 'nonsense\n1\n', { activityId })
    await hub.run()
    const message = async () => (await hub.outcome(messageId)).message
    expect(await message()).toMatchObject({ status: 'PreProcessingError', isBlocking: true })
    const { executionId } = await retryExecution(db(), old)
    expect(executionId).not.toBe(old)
    await hub.run()
    const ended = await message()
    expect(ended).toMatchObject({ executionId, status: 'PreProcessingError', isBlocking: true })
    await expect(cancelExecution(db(), old)).rejects.toMatchObject({ code: 'EA110' })
    // However the old one may have been set going again.
    await db().query(`UPDATE entrepot.execution SET state = 'NotRun', finished_at = NULL WHERE id = $1`, [old])
    await db().query(`UPDATE entrepot.execution_entity SET state = 'Finished', error = NULL WHERE execution_id = $1`, [
      old,
    ])
    expect(await db().transaction((tx) => finishExecutions(tx, [old]))).toEqual([])
    expect(await message()).toEqual(ended)
    const states = await db().query<{ state: string }>('SELECT state FROM entrepot.execution WHERE id = $1', [old])
    expect(states).toEqual([{ state: 'Succeeded' }])
  })

  it('cannot be finished with a record that is not accounted for: the database refuses', async () => {
    const id = await large()
    const finish = db().query(
      `UPDATE entrepot.execution_entity SET state = 'Finished', records_read = 2, records_inserted = 1 WHERE id = $1`,
      [id],
    )
    await expect(finish).rejects.toThrow('a finished entity accounts for every record')
  })
})
