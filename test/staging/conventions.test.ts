import { retryExecution } from '../../src/execution/actions'
import { putSourceFormat, removeSourceFormat } from '../../src/project/source-format-store'
import { errorsFile } from '../../src/staging/errors-file'
import { expectAccounted } from '../helpers/accounting'
import { addMasterData } from '../helpers/build'
import { openTestHub, type TestHub } from '../helpers/test-hub'

const german = {
  kind: 'delimited',
  delimiter: ';',
  encoding: 'windows-1252',
  decimalSeparator: ',',
  groupSeparator: '.',
  dateFormat: 'dd.MM.yyyy',
  dateTimeFormat: 'dd.MM.yyyy HH:mm',
  timeZone: 'Europe/Berlin',
}

describe('a file in the conventions of its format', () => {
  let hub: TestHub
  beforeEach(async () => {
    hub = await openTestHub()
    await addMasterData(hub)
    await putSourceFormat(hub.hub.db, 'German', german)
  })
  afterEach(() => hub.close())

  const header = 'RateTypeName;FromCurrency;ToCurrency;StartDate;EndDate;Rate'
  const importRates = (...lines: string[]) =>
    hub.importFile('Exchange rates', Buffer.from(`${[header, ...lines].join('\r\n')}\r\n`, 'latin1'), {
      sourceFormat: 'german',
    })
  const errorsOf = async (executionId: string) => {
    let text = ''
    for await (const piece of errorsFile(hub.hub, executionId)) text += piece
    return text
  }
  const rates = async () =>
    (await hub.target('Exchange rates')).map(({ RateTypeName, StartDate, EndDate, Rate }) => [
      RateTypeName,
      StartDate,
      EndDate,
      Number(Rate),
    ])

  it('arrives as what it means', async () => {
    const { message, errors } = await importRates(
      'Börse;EUR;USD;31.01.2026;28.02.2026;1.234,5',
      'Default;EUR;USD;01.02.2026;;"0,25"',
    )
    expect([message.status, errors]).toEqual(['Processed', []])
    expect(await rates()).toEqual([
      ['Börse', '2026-01-31', '2026-02-28', 1234.5],
      ['Default', '2026-02-01', '2154-12-31', 0.25],
    ])
    await expectAccounted(hub)
  })

  it('arrives with its local times in UTC', async () => {
    await hub.importFile('Customer groups', 'CustomerGroupId\n10\n', { company: 'usmf' })
    const file = 'CustomerAccount;CustomerGroupId;CreditLimit;ModifiedDateTime\nA;10;1.000;01.07.2026 08:15\nB;10;;\n'
    const { errors } = await hub.importFile('Customers V3', file, { company: 'usmf', sourceFormat: 'German' })
    expect(errors).toEqual([])
    const moments = (await hub.target('Customers V3')).map(({ ModifiedDateTime }) => ModifiedDateTime)
    expect(moments).toEqual([new Date('2026-07-01T06:15:00Z'), new Date('1900-01-01T00:00:00Z')])
  })

  it('has its bad values named as they came, with the form that is expected', async () => {
    const { errors, execution } = await importRates(
      'Default;EUR;USD;2026-01-31;;1,1',
      'Default;EUR;USD;31.01.2026;30.02.2026;1.1',
      'Default;EUR;USD;31.01.2026;30.01.2026;1,1',
      'Default;EUR;USD;;;1,1',
    )
    expect(errors.map(({ recordNumber, code, value, reason }) => [recordNumber, code, value, reason])).toEqual([
      [1, 'ER206', '2026-01-31', "StartDate '2026-01-31' is not of the form dd.MM.yyyy"],
      [2, 'ER204', '1.1', "Rate '1.1' is no number of the form 1.234,56"],
      [2, 'ER206', '30.02.2026', "EndDate '30.02.2026' is no day of the calendar"],
      [3, 'ER210', '2026-01-30', 'ends on 2026-01-30, before its start on 2026-01-31'],
      [4, 'ER201', '', 'StartDate is empty'],
    ])
    expect(execution.entities[0]!.records).toMatchObject({ read: 4, error: 4 })
  })

  it('gives its records in error back in its conventions, whichever step they failed at', async () => {
    const { execution, errors } = await importRates(
      'Börse;EUR;USD;31.1.2026;;1.234,5',
      'Börse;EUR;XXX;01.02.2026;28.02.2026;1.234,5',
      'Börse;EUR;USD',
      'Börse;EUR;USD;02.02.2026;;1,5',
    )
    expect(errors.map(({ recordNumber, code }) => [recordNumber, code])).toEqual([
      [1, 'ER206'],
      [2, 'EP101'],
      [3, 'ER101'],
    ])
    const file = await errorsOf(execution.executionId)
    expect(file.split('\r\n')).toEqual([
      `\uFEFF${header}`,
      'Börse;EUR;USD;31.1.2026;;1.234,5',
      'Börse;EUR;XXX;01.02.2026;28.02.2026;1234,5',
      'Börse;EUR;USD',
      '',
    ])
    const corrected = file
      .replace('31.1.2026', '31.01.2026')
      .replace('XXX', 'USD')
      .replace('USD\r\n', 'USD;03.02.2026;;1\r\n')
    const again = await hub.importFile('Exchange rates', corrected, { sourceFormat: 'German' })
    expect(again.errors).toEqual([])
    expect(await rates()).toEqual([
      ['Börse', '2026-01-31', '2154-12-31', 1234.5],
      ['Börse', '2026-02-01', '2026-02-28', 1234.5],
      ['Börse', '2026-02-02', '2154-12-31', 1.5],
      ['Börse', '2026-02-03', '2154-12-31', 1],
    ])
  })

  it('has its records in error retried by what their texts are: as they came, or canonical', async () => {
    const { execution, message } = await importRates(
      'Default;EUR;USD;31.1.2026;;1.234,5',
      'Default;EUR;XXX;01.02.2026;28.02.2026;1.234,5',
      'Default;EUR;USD;soon;;1.234,5',
    )
    await hub.hub.db.query(
      `UPDATE staging."ExchangeRateEntity" SET "StartDate" = '31.01.2026' WHERE _record_number = 1`,
    )
    await hub.importFile('Currencies', 'CurrencyCode,Name\nXXX,None\n')
    await retryExecution(hub.hub.db, execution.executionId)
    await hub.run()
    const after = await hub.outcome(message.messageId)
    expect(after.errors).toEqual([expect.objectContaining({ recordNumber: 3, code: 'ER206', value: 'soon' })])
    expect(await rates()).toEqual([
      ['Default', '2026-01-31', '2154-12-31', 1234.5],
      ['Default', '2026-02-01', '2026-02-28', 1234.5],
    ])
    await expectAccounted(hub)
  })

  it('still gives a record back in its conventions that failed at promotion after a retry', async () => {
    const { execution } = await importRates('Default;EUR;XXX;31.1.2026;;1.234,5')
    await hub.hub.db.query(`UPDATE staging."ExchangeRateEntity" SET "StartDate" = '31.01.2026'`)
    await retryExecution(hub.hub.db, execution.executionId)
    await hub.run()
    const [, line] = (await errorsOf(execution.executionId)).split('\r\n')
    expect(line).toBe('Default;EUR;XXX;31.01.2026;31.12.2154;1234,5')
  })

  it('may be retried by a definition that was corrected meanwhile', async () => {
    const { execution, message } = await importRates('Default;EUR;USD;01/31/2026;;1,5')
    expect((await hub.outcome(message.messageId)).errors).toHaveLength(1)
    await putSourceFormat(hub.hub.db, 'German', { ...german, dateFormat: 'MM/dd/yyyy' })
    await retryExecution(hub.hub.db, execution.executionId)
    await hub.run()
    expect((await hub.outcome(message.messageId)).errors).toEqual([])
    expect(await rates()).toEqual([['Default', '2026-01-31', '2154-12-31', 1.5]])
  })

  it('gives nothing back once its format is removed (EA115)', async () => {
    const { execution } = await importRates('Default;EUR;USD;soon;;1,5')
    await removeSourceFormat(hub.hub.db, 'German')
    await expect(errorsOf(execution.executionId)).rejects.toMatchObject({ code: 'EA115' })
  })

  it('is read as XML too, and given back so', async () => {
    const xml = { kind: 'xml', style: 'attribute', root: 'Kurse', decimalSeparator: ',', dateFormat: 'dd.MM.yyyy' }
    await putSourceFormat(hub.hub.db, 'Kurse', xml)
    const record = (rest: string) => `<ExchangeRate RateTypeName="D" FromCurrency="EUR" ToCurrency="USD" ${rest}/>`
    const file = `<Kurse>${record('StartDate="31.01.2026" Rate="1,5"')}${record('StartDate="1.1.2026" Rate="2,5"')}</Kurse>`
    const { execution } = await hub.importFile('Exchange rates', file, { sourceFormat: 'Kurse' })
    expect(await rates()).toEqual([['D', '2026-01-31', '2154-12-31', 1.5]])
    const errors = await errorsOf(execution.executionId)
    expect(errors).toContain('<Kurse>\n<EXCHANGERATEENTITY')
    expect(errors).toContain('STARTDATE="1.1.2026"')
    expect(errors).toContain('RATE="2,5"')
  })

  it('with a row delimiter of its own is read, and given back with it', async () => {
    await putSourceFormat(hub.hub.db, 'Rows', { kind: 'delimited', delimiter: ',', rowDelimiter: ';' })
    const file = 'CurrencyCode,Name;USD,US\ndollar;TOOLONG,x\ny;EUR,a,b;'
    const { execution, errors } = await hub.importFile('Currencies', file, { sourceFormat: 'Rows' })
    expect(errors.map(({ recordNumber, line, code }) => [recordNumber, line, code])).toEqual([
      [2, 2, 'ER202'],
      [3, 3, 'ER101'],
    ])
    expect(await errorsOf(execution.executionId)).toBe('CurrencyCode,Name;TOOLONG,x\ny;EUR,a,b;')
    expect(await hub.target('Currencies')).toContainEqual(
      expect.objectContaining({ CurrencyCode: 'USD', Name: 'US\ndollar' }),
    )
  })
})
