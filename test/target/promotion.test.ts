import { expectAccounted } from '../helpers/accounting'
import { addMasterData, csv } from '../helpers/build'
import { openTestHub, type TestHub } from '../helpers/test-hub'

describe('promotion', () => {
  let hub: TestHub
  beforeAll(async () => {
    hub = await openTestHub()
    await addMasterData(hub)
    await hub.importFile('Customer groups', 'CustomerGroupId,Description\n10,Wholesale\n20,Retail\n', {
      company: 'usmf',
    })
  })
  afterAll(() => hub.close())
  afterEach(() => expectAccounted(hub))

  const customer = async (account: string) =>
    (await hub.target('Customers V3')).find((row) => row.CustomerAccount === account)
  const customers = (
    rows: (string | number)[][],
    columns = ['CustomerAccount', 'CustomerGroupId', 'InvoiceAccount', 'OrganizationName'],
  ) => hub.importFile('Customers V3', csv(columns, rows), { company: 'usmf' })

  describe('counts', () => {
    it('what it inserted, updated and left alone; the same file again changes nothing, not even the change number', async () => {
      const file = csv(
        ['CurrencyCode', 'Name'],
        [
          ['CHF', 'Franc'],
          ['NOK', 'Krone'],
        ],
      )
      const first = await hub.importFile('Currencies', file)
      expect(first.execution.entities[0]!.records).toMatchObject({ read: 2, inserted: 2, updated: 0, unchanged: 0 })
      const changed = () =>
        hub.hub.db.query('SELECT "CurrencyCode", _changed_xid::text FROM target."CurrencyEntity" ORDER BY 1')
      const before = await changed()
      const again = await hub.importFile('Currencies', file)
      expect(again.execution.entities[0]!.records).toMatchObject({ read: 2, inserted: 0, updated: 0, unchanged: 2 })
      expect(await changed()).toEqual(before)
      const other = await hub.importFile('Currencies', 'CurrencyCode,Name\nCHF,Franc\nNOK,Norwegian krone\n')
      expect(other.execution.entities[0]!.records).toMatchObject({ read: 2, updated: 1, unchanged: 1 })
    })

    it('the last record of a key, and lists the earlier ones as superseded', async () => {
      const { message, execution, errors } = await hub.importFile(
        'Currencies',
        'CurrencyCode,Name\nSEK,first\nsek,second\nSEK,third\n',
      )
      expect(message.status).toBe('Processed')
      expect(execution.entities[0]!.records).toMatchObject({ read: 3, inserted: 1, superseded: 2, error: 0 })
      expect(errors.map(({ code, recordNumber, field, reason }) => [code, recordNumber, field, reason])).toEqual([
        ['EP102', 1, 'CurrencyCode', 'Record 3 of the same message has the same key and wins'],
        ['EP102', 2, 'CurrencyCode', 'Record 3 of the same message has the same key and wins'],
      ])
      expect((await hub.target('Currencies')).find(({ CurrencyCode }) => CurrencyCode === 'SEK')).toMatchObject({
        Name: 'third',
      })
    })

    it('a record in error as an error, not as the winner over a good one of its key', async () => {
      const { execution, errors } = await hub.importFile(
        'Terms of payment',
        'Name,NumberOfDays\nNet60,60\nNet60,sixty\n',
        { company: 'usmf' },
      )
      expect(execution.entities[0]!.records).toMatchObject({ read: 2, inserted: 1, superseded: 0, error: 1 })
      expect(errors.map(({ code }) => code)).toEqual(['ER203'])
    })
  })

  describe('relations', () => {
    it('must lead somewhere (EP101), in the record’s own company', async () => {
      const { errors, execution } = await hub.importFile(
        'Customer groups',
        csv(
          ['dataAreaId', 'CustomerGroupId', 'PaymentTermId'],
          [
            ['usmf', 'R1', 'Net30'],
            ['demf', 'R2', 'Net30'],
            ['usmf', 'R3', 'Net77'],
            ['usmf', 'R4', ''],
          ],
        ),
      )
      expect(execution.entities[0]!.records).toMatchObject({ read: 4, inserted: 2, error: 2 })
      expect(errors.map(({ code, field, value, reason }) => [code, field, value, reason])).toEqual([
        ['EP101', 'PaymentTermId', 'Net30', "Terms of payment has no record with Name 'Net30' in company demf"],
        ['EP101', 'PaymentTermId', 'Net77', "Terms of payment has no record with Name 'Net77' in company usmf"],
      ])
    })

    it('may lead to a record of the same file, over any number of steps and in any order', async () => {
      const { execution, errors } = await customers([
        ['C3', '10', 'C2', 'third'],
        ['C2', '10', 'C1', 'second'],
        ['C1', '10', '', 'first'],
        ['C4', '10', 'C4', 'itself'],
      ])
      expect(errors).toEqual([])
      expect(execution.entities[0]!.records).toMatchObject({ read: 4, inserted: 4 })
    })

    it('pull down whoever relates to a record in error, and nobody else', async () => {
      const { execution, errors } = await customers([
        ['D1', '99', '', 'no such group'],
        ['D2', '10', 'D1', 'relates to D1'],
        ['D3', '10', 'D2', 'relates to D2'],
        ['D4', '10', 'C1', 'relates to one that is there'],
        ['D5', '10', 'D6', 'relates to nobody'],
      ])
      expect(execution.entities[0]!.records).toMatchObject({ read: 5, inserted: 1, error: 4 })
      expect(errors.map(({ recordNumber, code, field }) => [recordNumber, code, field])).toEqual([
        [1, 'EP101', 'CustomerGroupId'],
        [2, 'EP101', 'InvoiceAccount'],
        [3, 'EP101', 'InvoiceAccount'],
        [5, 'EP101', 'InvoiceAccount'],
      ])
    })

    it('are checked for records that were in error already, so that a person sees all at once', async () => {
      const { errors } = await customers([['E1', '99', '', 'x'.repeat(200)]])
      expect(errors.map(({ code, step }) => [code, step]).sort()).toEqual([
        ['EP101', 'promote'],
        ['ER202', 'stage'],
      ])
    })
  })

  it('refuses a record of a company that does not exist (EP103), and passes the others', async () => {
    const { execution, errors } = await hub.importFile(
      'Customer groups',
      'dataAreaId,CustomerGroupId\nnope,1\nUSMF,G2\n',
    )
    expect(errors).toEqual([
      expect.objectContaining({ code: 'EP103', field: 'dataAreaId', value: 'nope', step: 'promote' }),
    ])
    expect(execution.entities[0]!.records).toMatchObject({ inserted: 1, error: 1 })
  })

  it('wants a mandatory field that the file does not have for new records only (EP104)', async () => {
    const { execution, errors } = await customers(
      [
        ['C1', 'renamed'],
        ['F1', 'new'],
      ],
      ['CustomerAccount', 'OrganizationName'],
    )
    expect(execution.entities[0]!.records).toMatchObject({ read: 2, updated: 1, error: 1 })
    expect(errors).toEqual([expect.objectContaining({ code: 'EP104', field: 'CustomerGroupId', recordNumber: 2 })])
    expect(await customer('C1')).toMatchObject({ OrganizationName: 'renamed', CustomerGroupId: '10' })
  })

  it('leaves alone what a file has no column for', async () => {
    await customers([['H1', '20', '', 'Hotel']])
    await customers([['H1', '10']], ['CustomerAccount', 'CustomerGroupId'])
    expect(await customer('H1')).toMatchObject({ OrganizationName: 'Hotel', CustomerGroupId: '10' })
  })

  it('leaves alone what an XML record does not give, and empties what it gives as empty', async () => {
    await customers([
      ['J1', '20', 'C1', 'one'],
      ['J2', '20', 'C1', 'two'],
    ])
    const file = `<Document>
      <CustomerV3><CustomerAccount>J1</CustomerAccount><OrganizationName>changed</OrganizationName></CustomerV3>
      <CustomerV3><CustomerAccount>J2</CustomerAccount><InvoiceAccount/><CustomerGroupId>10</CustomerGroupId></CustomerV3>
      <CustomerV3><CustomerAccount>J3</CustomerAccount><CustomerGroupId>10</CustomerGroupId></CustomerV3>
    </Document>`
    const { execution } = await hub.importFile('Customers V3', file, { company: 'usmf' })
    expect(execution.entities[0]!.records).toMatchObject({ read: 3, inserted: 1, updated: 2 })
    expect(await customer('J1')).toMatchObject({
      OrganizationName: 'changed',
      InvoiceAccount: 'C1',
      CustomerGroupId: '20',
    })
    expect(await customer('J2')).toMatchObject({ OrganizationName: 'two', InvoiceAccount: '', CustomerGroupId: '10' })
    expect(await customer('J3')).toMatchObject({ OrganizationName: '', PartyType: 'Organization' })
  })

  it('gives new records the defaults of fields without value', async () => {
    await customers([['K1', '10']], ['CustomerAccount', 'CustomerGroupId'])
    expect(await customer('K1')).toMatchObject({
      PartyType: 'Organization',
      OnHoldStatus: 'No',
      CreditLimit: expect.stringMatching(/^0/),
    })
  })

  it('takes small messages of one key in the order in which they came', async () => {
    for (const name of ['one', 'two', 'three']) await hub.deliver('Currencies', `CurrencyCode,Name\nDKK,${name}\n`)
    await hub.run()
    expect((await hub.target('Currencies')).find(({ CurrencyCode }) => CurrencyCode === 'DKK')).toMatchObject({
      Name: 'three',
    })
  })

  it('takes small messages of related entities in their order, whatever the order they came in', async () => {
    const group = await hub.deliver('Customer groups', 'CustomerGroupId,PaymentTermId\nM1,Later\n', { company: 'usmf' })
    await hub.deliver('Terms of payment', 'Name\nLater\n', { company: 'usmf' })
    await hub.run()
    expect((await hub.outcome(group.messageId)).message.status).toBe('Processed')
  })
})
