import { cancelExecution, retryExecution } from '../../src/execution/actions'
import { expectAccounted } from '../helpers/accounting'
import { addMasterData, csv } from '../helpers/build'
import { openTestHub, type TestHub } from '../helpers/test-hub'

describe('a retry', () => {
  let hub: TestHub
  beforeEach(async () => {
    hub = await openTestHub()
    await addMasterData(hub)
  })
  afterEach(() => hub.close())

  const columns = ['CustomerGroupId', 'Description', 'PaymentTermId']
  const groups = (rows: string[][]) => hub.importFile('Customer groups', csv(columns, rows), { company: 'usmf' })
  const described = async () =>
    Object.fromEntries((await hub.target('Customer groups')).map((row) => [row.CustomerGroupId, row.Description]))
  const retry = async (executionId: string) => {
    await retryExecution(hub.hub.db, executionId)
    await hub.run()
  }

  it('promotes the records in error once what they relate to is there, and only those', async () => {
    const { message, execution } = await groups([
      ['1', 'good', 'Net30'],
      ['2', 'waits', 'Net77'],
      ['3', 'waits', 'Net88'],
    ])
    await hub.importFile('Terms of payment', 'Name\nNet77\n', { company: 'usmf' })
    await retry(execution.executionId)
    const after = await hub.outcome(message.messageId)
    expect(after.execution.executionId).toBe(execution.executionId)
    const [before] = execution.entities
    // The time that promotion took leaves out how long a person took.
    expect(after.execution.entities[0]!.targetStartedAt! > before!.targetFinishedAt!).toBe(true)
    expect(after.message.status).toBe('ProcessedWithErrors')
    expect(after.execution.entities[0]!.records).toMatchObject({ read: 3, inserted: 2, error: 1 })
    expect(after.errors).toEqual([expect.objectContaining({ recordNumber: 3, code: 'EP101', value: 'Net88' })])
    await hub.importFile('Terms of payment', 'Name\nNet88\n', { company: 'usmf' })
    await retry(execution.executionId)
    const end = await hub.outcome(message.messageId)
    expect(end.message.status).toBe('Processed')
    expect(end.execution).toMatchObject({ status: 'Succeeded' })
    expect(end.execution.entities[0]!.records).toMatchObject({ read: 3, inserted: 3, error: 0 })
    expect(end.errors).toEqual([])
    await expectAccounted(hub)
  })

  it('takes the staged texts as a person has corrected them', async () => {
    const { execution, message } = await groups([
      ['1', 'x'.repeat(61), ''],
      ['TOOLONGANUMBER', 'y', ''],
    ])
    await hub.hub.db.query(
      `UPDATE staging."CustCustomerGroupEntity" SET "Description" = 'short' WHERE _record_number = 1`,
    )
    await retry(execution.executionId)
    const { errors } = await hub.outcome(message.messageId)
    expect(errors).toEqual([expect.objectContaining({ recordNumber: 2, code: 'ER202' })])
    expect(await described()).toEqual({ 1: 'short' })
    await expectAccounted(hub)
  })

  it('keeps a record whose shape was wrong in error', async () => {
    const file = 'CustomerGroupId,Description\n1,a,b,c\n2,d\n'
    const { execution, message } = await hub.importFile('Customer groups', file, { company: 'usmf' })
    await retry(execution.executionId)
    const { errors } = await hub.outcome(message.messageId)
    expect(errors).toEqual([expect.objectContaining({ recordNumber: 1, code: 'ER101' })])
    await expectAccounted(hub)
  })

  it('does not overwrite what a later record of the same key and file has promoted', async () => {
    const { execution, message } = await groups([
      ['1', 'earlier', 'Net77'],
      ['1', 'later', 'Net30'],
    ])
    expect(await described()).toEqual({ 1: 'later' })
    await hub.importFile('Terms of payment', 'Name\nNet77\n', { company: 'usmf' })
    await retry(execution.executionId)
    const after = await hub.outcome(message.messageId)
    expect(await described()).toEqual({ 1: 'later' })
    expect(after.execution.entities[0]!.records).toMatchObject({ read: 2, inserted: 1, superseded: 1, error: 0 })
    await expectAccounted(hub)
  })

  it('of a message that failed as a whole is a new execution', async () => {
    const { execution, message } = await hub.importFile('Customer groups', 'nonsense\n1\n', { company: 'usmf' })
    await retry(execution.executionId)
    const after = await hub.outcome(message.messageId)
    expect(after.execution.executionId).not.toBe(execution.executionId)
    expect(after.message).toMatchObject({ status: 'PreProcessingError', error: { code: 'EF102' } })
  })

  it('of a message whose company was missing passes once the company is there', async () => {
    const { execution, message } = await hub.importFile('Customer groups', 'CustomerGroupId\n1\n', { company: 'frrt' })
    expect(message).toMatchObject({ status: 'PreProcessingError', error: { code: 'EP103' } })
    await hub.importFile('Legal entities', 'LegalEntityId,Name\nfrrt,France\n')
    await retry(execution.executionId)
    expect((await hub.outcome(message.messageId)).message).toMatchObject({ status: 'Processed', error: null })
    await expectAccounted(hub)
  })

  it('of what was cancelled begins anew', async () => {
    const { executionId, messageId } = await hub.deliver('Customer groups', csv(columns, [['1', 'a', '']]), {
      company: 'usmf',
    })
    await cancelExecution(hub.hub.db, executionId)
    await hub.run()
    expect((await hub.outcome(messageId)).message.status).toBe('Canceled')
    expect(await described()).toEqual({})
    await retry(executionId)
    expect((await hub.outcome(messageId)).message.status).toBe('Processed')
    expect(await described()).toEqual({ 1: 'a' })
  })

  it('is refused where there is nothing to retry (EA110), or no such execution (EA108)', async () => {
    const { execution } = await groups([['1', 'good', '']])
    await expect(retryExecution(hub.hub.db, execution.executionId)).rejects.toMatchObject({
      code: 'EA110',
      status: 409,
    })
    await expect(retryExecution(hub.hub.db, 'nothing')).rejects.toMatchObject({ code: 'EA108', status: 404 })
    const { executionId } = await hub.deliver('Customer groups', csv(columns, [['2', 'a', '']]), { company: 'usmf' })
    await expect(retryExecution(hub.hub.db, executionId)).rejects.toMatchObject({ code: 'EA110' })
  })
})
