import { promoteStaged, retryExecution } from '../../src/execution/actions'
import type { FieldMap } from '../../src/project/mapping'
import { putSourceFormat } from '../../src/project/source-format-store'
import type { Delivery } from '../../src/source/receive'
import { type Correction, correctStaged } from '../../src/staging/correct-staged'
import { listStaged, type StagedFilter } from '../../src/staging/staged-records'
import { expectAccounted } from '../helpers/accounting'
import { addMasterData, csv } from '../helpers/build'
import { channel } from '../helpers/channel'
import { packageOf } from '../helpers/package'
import { openTestHub, type TestHub } from '../helpers/test-hub'

const tooLong = 'x'.repeat(61)

describe('staged records', () => {
  let hub: TestHub
  beforeEach(async () => {
    hub = await openTestHub()
    await addMasterData(hub)
  })
  afterEach(async () => {
    await expectAccounted(hub)
    await hub.close()
  })

  async function importTerms(file: string, delivery: Partial<Delivery> = {}): Promise<string> {
    const { execution } = await hub.importFile('Terms of payment', file, { company: 'usmf', ...delivery })
    return execution.executionId
  }
  const list = (executionId: string, filter: Partial<StagedFilter> = {}) =>
    listStaged(hub.hub, executionId, { limit: 100, ...filter })
  const listed = async (executionId: string, filter?: Partial<StagedFilter>) =>
    (await list(executionId, filter)).map(({ recordNumber }) => recordNumber)
  const correct = (executionId: string, recordNumber: number, correction: Correction) =>
    correctStaged(hub.hub, executionId, { recordNumber }, correction)
  const retry = async (executionId: string) => {
    await retryExecution(hub.hub.db, executionId)
    await hub.run()
  }
  const promote = async (executionId: string) => {
    await promoteStaged(hub.hub.db, executionId, {})
    await hub.run()
  }
  const inError = async (executionId: string) =>
    (
      await hub.hub.db.query<{ count: number }>(
        'SELECT records_in_error AS count FROM entrepot.execution_entity WHERE execution_id = $1',
        [executionId],
      )
    )[0]!.count
  /** Beside the terms that were there before. */
  const terms = async () =>
    (await hub.target('Terms of payment'))
      .filter(({ Name }) => Name !== 'Net30')
      .map(({ Name, Description, NumberOfDays, NumberOfMonths }) => [Name, Description, NumberOfDays, NumberOfMonths])

  describe('are listed', () => {
    it('as they are staged, with what is wrong with them', async () => {
      const executionId = await importTerms(
        `Name,Description,NumberOfDays\nA,a,01\nB,${tooLong},x\nC,c,3,4\nA,again,1\n`,
      )
      expect(await list(executionId)).toEqual([
        {
          entity: 'PaymentTermEntity',
          recordNumber: 1,
          line: 2,
          status: 'Superseded',
          values: { dataAreaId: 'usmf', Name: 'A', Description: 'a', NumberOfDays: '1', NumberOfMonths: null },
          raw: null,
          errors: [{ code: 'EP102', field: 'dataAreaId, Name', reason: expect.stringContaining('Record 4') }],
        },
        {
          entity: 'PaymentTermEntity',
          recordNumber: 2,
          line: 3,
          status: 'Error',
          values: { dataAreaId: 'usmf', Name: 'B', Description: tooLong, NumberOfDays: 'x', NumberOfMonths: null },
          raw: null,
          errors: [
            { code: 'ER202', field: 'Description', reason: expect.any(String) },
            { code: 'ER203', field: 'NumberOfDays', reason: expect.any(String) },
          ],
        },
        {
          entity: 'PaymentTermEntity',
          recordNumber: 3,
          line: 4,
          status: 'Error',
          values: { dataAreaId: null, Name: null, Description: null, NumberOfDays: null, NumberOfMonths: null },
          raw: 'C,c,3,4',
          errors: [{ code: 'ER101', field: null, reason: expect.any(String) }],
        },
        expect.objectContaining({ recordNumber: 4, status: 'Completed', errors: [] }),
      ])
    })

    it('by status, by what a field contains, and page by page', async () => {
      const lines = Array.from({ length: 25 }, (_, i) => `T${i},${i % 5 === 4 ? tooLong : `100%_of ${i}`}\n`)
      const executionId = await importTerms(`Name,Description\n${lines.join('')}`)
      expect(await listed(executionId, { status: 'Error' })).toEqual([5, 10, 15, 20, 25])
      expect(await listed(executionId, { status: 'Completed', limit: 3 })).toEqual([1, 2, 3])
      expect(await listed(executionId, { status: 'NotStarted' })).toEqual([])
      expect(await listed(executionId, { field: 'description', contains: '%_OF 1' })).toEqual([
        2, 11, 12, 13, 14, 16, 17, 18, 19,
      ])
      expect(
        await listed(executionId, { field: 'Description', contains: '%_of 1', afterRecord: 12, limit: 2 }),
      ).toEqual([13, 14])
      expect(await listed(executionId, { status: 'Error', field: 'Name', contains: 't2' })).toEqual([25])
      expect(await listed(executionId, { field: 'Name', contains: "'; DROP" })).toEqual([])
      expect(await listed(executionId, { afterRecord: 25 })).toEqual([])
    })

    it('by a field that the entity has (EA109), and nothing is looked for in none', async () => {
      const executionId = await importTerms('Name\nA\n')
      await expect(list(executionId, { field: 'Colour', contains: 'x' })).rejects.toMatchObject({
        code: 'EA109',
        status: 400,
      })
      await expect(list(executionId, { contains: 'x' })).rejects.toMatchObject({ code: 'EA109', status: 400 })
      await expect(list('nothing')).rejects.toMatchObject({ code: 'EA108', status: 404 })
    })

    it('entity by entity, which must be named where there are several', async () => {
      const file = await packageOf('Two', [
        { entityName: 'Terms of payment', text: 'Name\nA\n' },
        { entityName: 'Currencies', text: 'CurrencyCode\nCHF\n' },
      ])
      const { execution } = await hub.importFile('', file, { company: 'usmf' })
      const { executionId } = execution
      await expect(list(executionId)).rejects.toMatchObject({
        code: 'EA109',
        message: expect.stringContaining('PaymentTermEntity, CurrencyEntity'),
      })
      expect(await list(executionId, { entity: 'currencies' })).toMatchObject([
        { entity: 'CurrencyEntity', recordNumber: 1 },
      ])
      await expect(list(executionId, { entity: 'Customers V3' })).rejects.toMatchObject({ code: 'EA108', status: 404 })
      await expect(list(executionId, { entity: 'Nothing' })).rejects.toMatchObject({ code: 'EA102' })
    })
  })

  describe('of an import, once corrected,', () => {
    it('wait in error (ER301) until a retry promotes them', async () => {
      const executionId = await importTerms('Name,Description,NumberOfDays\nA,a,x\nB,b,2\n')
      expect(await correct(executionId, 1, { 'number of days': '07' })).toMatchObject({
        status: 'Error',
        values: { Name: 'A', NumberOfDays: '7' },
        errors: [{ code: 'ER301' }],
      })
      expect(await inError(executionId)).toBe(1)
      expect(await terms()).toEqual([['B', 'b', 2, 0]])
      await expectAccounted(hub)
      await retry(executionId)
      expect(await terms()).toEqual([
        ['A', 'a', 7, 0],
        ['B', 'b', 2, 0],
      ])
      expect(await inError(executionId)).toBe(0)
    })

    it('have the errors that they have then', async () => {
      const executionId = await importTerms(`Name,Description,NumberOfDays\nA,${tooLong},x\n`)
      const still = await correct(executionId, 1, { NumberOfDays: 'y' })
      expect(still.errors.map(({ code, reason }) => [code, reason])).toEqual([
        ['ER202', expect.any(String)],
        ['ER203', "NumberOfDays 'y' is no whole number"],
      ])
      const half = await correct(executionId, 1, { NumberOfDays: '5' })
      expect(half.errors.map(({ code }) => code)).toEqual(['ER202'])
      expect((await correct(executionId, 1, { Description: 'short' })).errors.map(({ code }) => code)).toEqual([
        'ER301',
      ])
      // A good one may be spoilt, and mended again.
      expect((await correct(executionId, 1, { NumberOfDays: '', Name: '' })).errors.map(({ code }) => code)).toEqual([
        'ER201',
      ])
      expect((await correct(executionId, 1, { Name: 'Z' })).errors.map(({ code }) => code)).toEqual(['ER301'])
      await retry(executionId)
      expect(await terms()).toEqual([['Z', 'short', 0, 0]])
    })

    it('whose shape was wrong, take their fields from the correction', async () => {
      const executionId = await importTerms('Name,Description,NumberOfDays\nA,a,1,1\nB,b,2,2\nC,c,3\n')
      const first = await correct(executionId, 1, { Name: 'A', Description: 'corrected', NumberOfDays: '1' })
      expect(first).toMatchObject({ raw: null, errors: [{ code: 'ER301' }], values: { dataAreaId: 'usmf', Name: 'A' } })
      // Some of the fields only: the others are not given.
      expect(await correct(executionId, 2, { Description: 'no key' })).toMatchObject({
        errors: [{ code: 'ER201', field: 'Name' }],
      })
      await correct(executionId, 2, { Name: 'B' })
      await retry(executionId)
      expect(await terms()).toEqual([
        ['A', 'corrected', 1, 0],
        ['B', 'no key', 0, 0],
        ['C', 'c', 3, 0],
      ])
    })

    it('may give a field that the file does not, for themselves only', async () => {
      await importTerms('Name,NumberOfMonths\nA,1\nB,2\nC,3\n')
      const executionId = await importTerms('Name,NumberOfDays\nA,x\nB,y\nC,3\n')
      await correct(executionId, 1, { NumberOfDays: '1', NumberOfMonths: '12' })
      await correct(executionId, 2, { NumberOfDays: '2' })
      await retry(executionId)
      expect(await terms()).toEqual([
        ['A', '', 1, 12],
        ['B', '', 2, 2],
        ['C', '', 3, 3],
      ])
    })

    it('may give a field no more, which leaves the target as it is', async () => {
      await importTerms('Name,Description,NumberOfDays\nA,before,5\n')
      const executionId = await importTerms('Name,Description,NumberOfDays\nA,after,x\nB,b,2\n')
      await correct(executionId, 1, { NumberOfDays: null })
      await retry(executionId)
      expect(await terms()).toEqual([
        ['A', 'after', 5, 0],
        ['B', 'b', 2, 0],
      ])
    })

    it('are read by the format and the mapping of their file, also what failed at promotion only', async () => {
      const { db } = hub.hub
      await putSourceFormat(db, 'Points', {
        kind: 'delimited',
        delimiter: ';',
        decimalSeparator: ',',
        groupSeparator: '.',
      })
      const mapping: FieldMap[] = [
        { field: 'CustomerAccount', source: 'NO' },
        { field: 'CustomerGroupId', source: 'GROUP', conversions: [{ from: 'retail', to: '20' }] },
        { field: 'CreditLimit', source: 'LIMIT', conversions: [{ from: 'none', to: '0' }] },
      ]
      const line = { mapping, sourceFormat: 'Points' }
      const activityId = await channel(hub, 'CustCustomerV3Entity', line, { company: 'usmf' })
      await hub.importFile('Customer groups', 'CustomerGroupId\n10\n', { company: 'usmf' })
      const { execution } = await hub.importFile('', 'NO;GROUP;LIMIT\nA;10;x\nB;Retail;1.000\nC;20;none\n', {
        activityId,
      })
      const { executionId } = execution
      expect((await correct(executionId, 1, { CreditLimit: '2.000' })).values).toMatchObject({ CreditLimit: '2000' })
      expect((await correct(executionId, 2, { CustomerGroupId: '10' })).values).toMatchObject({
        CustomerGroupId: '10',
        CreditLimit: '1000',
      })
      expect((await correct(executionId, 3, { CustomerAccount: 'CC' })).values).toMatchObject({
        CustomerGroupId: '20',
        CreditLimit: '0',
      })
      await retry(executionId)
      const customers = (await hub.target('Customers V3')).map((row) => [row.CustomerAccount, Number(row.CreditLimit)])
      expect(customers).toEqual([
        ['A', 2000],
        ['B', 1000],
      ])
    })

    it('of a large file are promoted from its own staging table', async () => {
      const lines = Array.from(
        { length: 24_000 },
        (_, i) => `T${i},The description of number ${i} is of some length,${i % 9_000 === 8_999 ? 'x' : 1}\n`,
      )
      const executionId = await importTerms(`Name,Description,NumberOfDays\n${lines.join('')}`)
      expect(await listed(executionId, { status: 'Error' })).toEqual([9_000, 18_000])
      await correct(executionId, 9_000, { NumberOfDays: '9' })
      await correct(executionId, 18_000, { NumberOfDays: '9', NumberOfMonths: '1' })
      await retry(executionId)
      expect((await terms()).filter(([, , days]) => days === 9)).toEqual([
        ['T17999', expect.any(String), 9, 1],
        ['T8999', expect.any(String), 9, 0],
      ])
    })
  })

  describe('of an execution that stages only, once corrected,', () => {
    it('are good, and promoted with the others', async () => {
      const executionId = await importTerms('Name,Description,NumberOfDays\nA,a,x\nB,b,2\nC,c,3\n', { mode: 'stage' })
      expect(await correct(executionId, 1, { NumberOfDays: '1' })).toMatchObject({ status: 'NotStarted', errors: [] })
      expect(await correct(executionId, 2, { Description: 'better' })).toMatchObject({ status: 'NotStarted' })
      expect(await correct(executionId, 3, { NumberOfDays: 'worse' })).toMatchObject({ status: 'Error' })
      expect(await inError(executionId)).toBe(1)
      await expectAccounted(hub)
      await promote(executionId)
      expect(await terms()).toEqual([
        ['A', 'a', 1, 0],
        ['B', 'better', 2, 0],
      ])
    })

    it('are promoted by a retry when the others were promoted before, as all that is in error', async () => {
      const executionId = await importTerms('Name,Description,NumberOfDays\nA,a,x\nB,b,2\n', { mode: 'stage' })
      await promote(executionId)
      const { errors } = await correct(executionId, 1, { NumberOfDays: '1' })
      expect(errors).toMatchObject([{ code: 'ER301', reason: 'The record was corrected and waits for a retry' }])
      await expect(promoteStaged(hub.hub.db, executionId, { errors: true })).rejects.toMatchObject({
        code: 'EA110',
        message: expect.stringContaining('entrepot retry'),
      })
      await retry(executionId)
      expect(await terms()).toEqual([
        ['A', 'a', 1, 0],
        ['B', 'b', 2, 0],
      ])
    })

    it('win over earlier ones of the key that they get', async () => {
      const executionId = await importTerms('Name,Description\nA,a\nB,b\n', { mode: 'stage' })
      await correct(executionId, 2, { Name: 'A' })
      await promote(executionId)
      expect(await terms()).toEqual([['A', 'b', 0, 0]])
    })
  })

  it('of several corrections at once take all of them', async () => {
    const count = 30
    const lines = Array.from({ length: count }, (_, i) => `T${i},${tooLong},x\n`)
    const executionId = await importTerms(`Name,Description,NumberOfDays\n${lines.join('')}`)
    const numbers = Array.from({ length: count }, (_, i) => i + 1)
    await Promise.all(
      numbers.flatMap((number) => [
        correct(executionId, number, { NumberOfDays: String(number) }),
        correct(executionId, number, { Description: `d${number}` }),
      ]),
    )
    expect(await inError(executionId)).toBe(count)
    await retry(executionId)
    expect(new Set((await terms()).map(([, description, days]) => `${description} ${days}`))).toEqual(
      new Set(numbers.map((number) => `d${number} ${number}`)),
    )
  })

  describe('cannot be corrected', () => {
    const file = 'Name,Description,NumberOfDays\nA,a,1\nB,b,x\n'
    it('while the execution is under way', async () => {
      const executionId = await importTerms(file)
      await retryExecution(hub.hub.db, executionId)
      await expect(correct(executionId, 2, { NumberOfDays: '1' })).rejects.toMatchObject({ code: 'EA110', status: 409 })
      await hub.run()
    })

    it('when they are promoted, or passed over', async () => {
      const executionId = await importTerms(`${file}A,again,1\n`)
      for (const number of [1, 3]) {
        await expect(correct(executionId, number, { Description: 'x' })).rejects.toMatchObject({
          code: 'EA110',
          status: 409,
        })
      }
    })

    it('in fields that there are not, or when there is no such record or execution', async () => {
      const executionId = await importTerms(file)
      await expect(correct(executionId, 2, { Colour: 'red' })).rejects.toMatchObject({ code: 'EA109', status: 400 })
      await expect(correct(executionId, 99, { Name: 'x' })).rejects.toMatchObject({ code: 'EA108', status: 404 })
      await expect(correct('nothing', 1, { Name: 'x' })).rejects.toMatchObject({ code: 'EA108', status: 404 })
      expect((await list(executionId, { status: 'Error' }))[0]!.errors).toMatchObject([{ code: 'ER203' }])
    })

    it('twice in the same field by two of its names', async () => {
      const executionId = await importTerms(file)
      const twice = correct(executionId, 2, { NumberOfDays: '1', 'number of days': '2' })
      await expect(twice).rejects.toMatchObject({ code: 'EA109', status: 400 })
    })

    it('to a text that no database holds', async () => {
      const executionId = await importTerms(file)
      expect(await correct(executionId, 2, { Description: 'a\0b', NumberOfDays: '1' })).toMatchObject({
        errors: [{ code: 'ER104', field: 'Description' }],
      })
      expect((await correct(executionId, 2, { Description: 'a\tb\\N\n' })).values.Description).toBe('a\tb\\N\n')
    })
  })

  it('are not there after a dry run of an empty file', async () => {
    const executionId = await importTerms(csv(['Name'], []), { mode: 'validate' })
    expect(await list(executionId)).toEqual([])
  })
})
