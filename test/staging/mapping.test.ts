import { retryExecution } from '../../src/execution/actions'
import type { LineChange } from '../../src/project/data-project'
import type { FieldMap } from '../../src/project/mapping'
import { putSourceFormat } from '../../src/project/source-format-store'
import { type ErrorsChoice, errorsFile } from '../../src/staging/errors-file'
import { expectAccounted } from '../helpers/accounting'
import { addMasterData } from '../helpers/build'
import { channel } from '../helpers/channel'
import { openTestHub, type TestHub } from '../helpers/test-hub'

const key: FieldMap = { field: 'Name', source: 'CODE' }

describe('a file of an activity whose project has a mapping', () => {
  let hub: TestHub
  beforeEach(async () => {
    hub = await openTestHub()
    await addMasterData(hub)
  })
  afterEach(async () => {
    await hub.close()
  })

  /** An activity of a project that takes one entity, with this mapping. */
  function mappedBy(
    mapping: readonly FieldMap[],
    { entity = 'PaymentTermEntity', strict = false, ...line }: Partial<LineChange> & { strict?: boolean } = {},
  ): Promise<string> {
    return channel(hub, entity, { mapping, ...line }, { strict, company: 'usmf' })
  }
  const send = (activityId: string, file: string) => hub.importFile('', file, { activityId })
  const importMapped = async (mapping: readonly FieldMap[], file: string, line?: Parameters<typeof mappedBy>[1]) =>
    send(await mappedBy(mapping, line), file)
  /** Beside the terms that were there before. */
  const terms = async () =>
    (await hub.target('Terms of payment'))
      .filter(({ Name }) => Name !== 'Net30')
      .map(({ Name, Description, NumberOfDays, NumberOfMonths }) => [Name, Description, NumberOfDays, NumberOfMonths])
  async function errorsText(executionId: string, choice?: ErrorsChoice): Promise<string> {
    let text = ''
    for await (const piece of errorsFile(hub.hub, executionId, choice)) text += piece
    return text
  }
  const retry = async (executionId: string) => {
    await retryExecution(hub.hub.db, executionId)
    await hub.run()
  }

  describe.each([
    {
      what: 'CSV',
      file: 'CODE;TEXT;DAYS\r\nA;first;10\r\nB;second;20\r\n',
    },
    {
      what: 'XML',
      file: '<Document><PaymentTermEntity><CODE>A</CODE><TEXT>first</TEXT><DAYS>10</DAYS></PaymentTermEntity><PaymentTermEntity DAYS="20" TEXT="second" CODE="B"/></Document>',
    },
  ])('in $what', ({ file }) => {
    it('is read by the names of its source, and only those', async () => {
      const { message, errors, execution } = await importMapped(
        [key, { field: 'DESCRIPTION', source: 'text' }, { field: 'number of days', source: 'Days' }],
        file,
      )
      expect([message.status, errors]).toEqual(['Processed', []])
      expect(await terms()).toEqual([
        ['A', 'first', 10, 0],
        ['B', 'second', 20, 0],
      ])
      expect(execution.log).toEqual([])
      await expectAccounted(hub)
    })

    it('may fill two fields from one column', async () => {
      await importMapped(
        [key, { field: 'NumberOfDays', source: 'DAYS' }, { field: 'Description', source: 'DAYS' }],
        file,
      )
      expect(await terms()).toEqual([
        ['A', '10', 10, 0],
        ['B', '20', 20, 0],
      ])
    })

    it('gets its columns that go nowhere noted (EF108), or is refused with them when the activity is strict', async () => {
      const { execution } = await importMapped([key], file)
      expect(execution.log).toMatchObject([{ code: 'EF108', text: expect.stringMatching(/TEXT, DAYS/) }])
      const refused = await importMapped([key], file, { strict: true })
      expect(refused.message).toMatchObject({ status: 'PreProcessingError', error: { code: 'EF108' } })
    })
  })

  describe('takes a default', () => {
    const mapping: FieldMap[] = [
      key,
      { field: 'NumberOfDays', source: 'DAYS', defaultValue: '14' },
      { field: 'NumberOfMonths', source: 'MONTHS', defaultValue: '2' },
      { field: 'Description', source: null, defaultValue: 'always' },
    ]
    it('where a value is empty, where the column is missing, and where there is no source', async () => {
      const { errors, execution } = await importMapped(mapping, 'CODE,DAYS\nA,\nB,5\nC,x\n')
      expect(await terms()).toEqual([
        ['A', 'always', 14, 2],
        ['B', 'always', 5, 2],
      ])
      expect(errors).toMatchObject([{ recordNumber: 3, code: 'ER203', value: 'x' }])
      expect(execution.log).toMatchObject([{ code: 'EF113', text: expect.stringMatching(/: MONTHS$/) }])
      await expectAccounted(hub)
    })

    it('where an XML record leaves the element out', async () => {
      const file =
        '<Document><PaymentTermEntity><CODE>A</CODE></PaymentTermEntity><PaymentTermEntity><CODE>B</CODE><DAYS/><MONTHS>3</MONTHS></PaymentTermEntity></Document>'
      await importMapped(mapping, file)
      expect(await terms()).toEqual([
        ['A', 'always', 14, 2],
        ['B', 'always', 14, 3],
      ])
    })

    it('for a key that has no column', async () => {
      const { message } = await importMapped(
        [
          { field: 'Name', source: 'CODE', defaultValue: 'Only' },
          { field: 'Description', source: 'TEXT' },
        ],
        'TEXT\nhere\n',
      )
      expect(message.status).toBe('Processed')
      expect(await terms()).toEqual([['Only', 'here', 0, 0]])
    })
  })

  describe('converts values', () => {
    it('whatever their case, leaves others as they are, and combines that with the default', async () => {
      const days: FieldMap = {
        field: 'NumberOfDays',
        source: 'DAYS',
        defaultValue: '99',
        conversions: [
          { from: 'ten', to: '10' },
          { from: 'Many', to: '365' },
          { from: 'unknown', to: '' },
        ],
      }
      const { errors } = await importMapped([key, days], 'CODE,DAYS\nA,TEN\nB,many\nC,Unknown\nD,7\nE,\nF,few\n')
      expect((await terms()).map(([name, , number]) => [name, number])).toEqual([
        ['A', 10],
        ['B', 365],
        ['C', 99],
        ['D', 7],
        ['E', 99],
      ])
      expect(errors).toMatchObject([{ recordNumber: 6, code: 'ER203', value: 'few' }])
    })

    it('of an empty text as well', async () => {
      const text: FieldMap = { field: 'Description', source: 'TEXT', conversions: [{ from: '', to: 'none' }] }
      await importMapped([key, text], 'CODE,TEXT\nA,\nB,b\n')
      expect((await terms()).map(([, description]) => description)).toEqual(['none', 'b'])
    })

    it('before the conventions of the format, which others keep to', async () => {
      await putSourceFormat(hub.hub.db, 'Germany', { kind: 'delimited', delimiter: ';', decimalSeparator: ',' })
      const mapping: FieldMap[] = [
        { field: 'CurrencyCode', source: 'CODE' },
        { field: 'RoundingRulePrices', source: 'RULE', conversions: [{ from: 'fein', to: '0.001' }] },
      ]
      const { errors } = await importMapped(mapping, 'CODE;RULE\nUSD;0,5\nEUR;Fein\n', {
        entity: 'CurrencyEntity',
        sourceFormat: 'Germany',
      })
      expect(errors).toEqual([])
      expect((await hub.target('Currencies')).map(({ RoundingRulePrices }) => Number(RoundingRulePrices))).toEqual([
        0.001, 0.5,
      ])
    })
  })

  describe('that ignores blank values', () => {
    const blank = (field: string, source: string, more: Partial<FieldMap> = {}): FieldMap => ({
      field,
      source,
      ignoreBlankValues: true,
      ...more,
    })
    const mapping = [key, blank('Description', 'TEXT'), blank('NumberOfDays', 'DAYS')]

    it('leaves the target as it is, and a new record gets what the type has for no value', async () => {
      await importMapped(mapping, 'CODE,TEXT,DAYS\nA,here,1\nB,there,2\n')
      const { execution } = await importMapped(mapping, 'CODE,TEXT,DAYS\nA,,5\nB,,\nC,,\n')
      expect(await terms()).toEqual([
        ['A', 'here', 5, 0],
        ['B', 'there', 2, 0],
        ['C', '', 0, 0],
      ])
      expect(execution.entities[0]!.records).toMatchObject({ inserted: 1, updated: 1, unchanged: 1 })
      await expectAccounted(hub)
    })

    it('takes a text that is converted to none for blank, too', async () => {
      const converted = [key, blank('Description', 'TEXT', { conversions: [{ from: 'n/a', to: '' }] })]
      await importMapped(converted, 'CODE,TEXT\nA,here\n')
      await importMapped(converted, 'CODE,TEXT\nA,N/A\n')
      expect(await terms()).toEqual([['A', 'here', 0, 0]])
    })

    it('needs a mandatory value for a new record only (EP104)', async () => {
      const entity = 'CustCustomerV3Entity'
      const customers = [
        { field: 'CustomerAccount', source: 'NO' },
        blank('CustomerGroupId', 'GROUP'),
        blank('CreditLimit', 'LIMIT'),
      ]
      await hub.importFile('Customer groups', 'CustomerGroupId\n10\n', { company: 'usmf' })
      await importMapped(customers, 'NO,GROUP,LIMIT\nA,10,1\n', { entity })
      const { errors } = await importMapped(customers, 'NO,GROUP,LIMIT\nA,,2\nB,,3\nC,,x\n', { entity })
      expect(errors.map(({ recordNumber, code }) => [recordNumber, code])).toEqual([
        [2, 'EP104'],
        [3, 'ER204'],
      ])
      expect((await hub.target('Customers V3')).map(({ CreditLimit }) => Number(CreditLimit))).toEqual([2])
    })

    it('knows after a retry which fields each record gives', async () => {
      // The only record with a description is in error for its days, which stand before the months.
      const all = [...mapping, blank('NumberOfMonths', 'MONTHS')]
      const { execution, message } = await importMapped(all, 'CODE,TEXT,DAYS,MONTHS\nA,here,x,3\nB,,2,\n')
      await hub.hub.db.query(`UPDATE staging."PaymentTermEntity" SET "NumberOfDays" = '1' WHERE _record_number = 1`)
      await retry(execution.executionId)
      expect((await hub.outcome(message.messageId)).message.status).toBe('Processed')
      expect(await terms()).toEqual([
        ['A', 'here', 1, 3],
        ['B', '', 2, 0],
      ])
      await expectAccounted(hub)
    })

    it('knows after a retry that a record left a field out which all good ones have', async () => {
      const { execution, message } = await importMapped(mapping, 'CODE,TEXT,DAYS\nA,a,x\nB,b,2\n')
      await hub.hub.db.query(
        `UPDATE staging."PaymentTermEntity" SET "NumberOfDays" = '1', "Description" = '' WHERE _record_number = 1`,
      )
      await retry(execution.executionId)
      expect((await hub.outcome(message.messageId)).message.status).toBe('Processed')
      expect((await terms())[0]).toEqual(['A', '', 1, 0])
    })
  })

  it('may have quotes of its own in a format without text qualifier', async () => {
    await putSourceFormat(hub.hub.db, 'Bare', { kind: 'delimited', delimiter: ';', qualifier: '' })
    const text: FieldMap = { field: 'Description', source: 'TEXT', useTextQualifier: true }
    const days: FieldMap = { field: 'NumberOfDays', source: 'DAYS', useTextQualifier: true }
    const activityId = await mappedBy([key, text, days], { sourceFormat: 'Bare' })
    const { execution, errors } = await send(
      activityId,
      'CODE;TEXT;DAYS\nA;"say ""a""";"1"\n"B";b;2\nC;"";""\nD;"d";"x"\n',
    )
    expect(await terms()).toEqual([
      ['"B"', 'b', 2, 0],
      ['A', 'say "a"', 1, 0],
      ['C', '', 0, 0],
    ])
    expect(errors).toMatchObject([{ recordNumber: 4, code: 'ER203', value: '"x"' }])
    expect(await errorsText(execution.executionId)).toBe('CODE;TEXT;DAYS\r\nD;"d";"x"\r\n')
  })

  describe('that does not fit the mapping', () => {
    const mapping: FieldMap[] = [key, { field: 'Description', source: 'TEXT' }]
    it.each([
      {
        what: 'has none of its columns',
        file: 'Name,Description\nA,a\n',
        code: 'EF102',
        text: /mapping of Terms of payment names, which are 'CODE', 'TEXT'/,
      },
      { what: 'lacks its key', file: 'TEXT\na\n', code: 'EF104', text: /Name/ },
      {
        what: 'has one of its columns twice',
        file: 'CODE,TEXT,text\nA,a,b\n',
        code: 'EF103',
        text: /'TEXT' and 'text'/,
      },
    ])('is refused when it $what ($code)', async ({ file, code, text }) => {
      const { message } = await importMapped(mapping, file)
      expect(message).toMatchObject({
        status: 'PreProcessingError',
        error: { code, message: expect.stringMatching(text) },
      })
    })

    it('is taken with what it has, when it lacks another column, which the log names (EF113)', async () => {
      const { message, execution } = await importMapped(mapping, 'CODE\nA\n')
      expect(message.status).toBe('Processed')
      expect(execution.log).toMatchObject([{ code: 'EF113', text: expect.stringMatching(/TEXT/) }])
    })
  })

  it('has its columns in the order of the mapping when its format has no header', async () => {
    await putSourceFormat(hub.hub.db, 'Headless', { kind: 'delimited', delimiter: ';', hasHeader: false })
    const mapping: FieldMap[] = [
      { field: 'NumberOfDays', source: 'one' },
      { field: 'Description', source: null, defaultValue: 'd' },
      { field: 'Name', source: 'two' },
    ]
    const { execution } = await importMapped(mapping, '10;A\n20;B\nx;C\n', { sourceFormat: 'Headless' })
    expect(await terms()).toEqual([
      ['A', 'd', 10, 0],
      ['B', 'd', 20, 0],
    ])
    expect(await errorsText(execution.executionId)).toBe('x;C\r\n')
  })

  describe('has its records in error', () => {
    const groups: FieldMap[] = [
      { field: 'CUSTOMERGROUPID', source: 'GROUP' },
      {
        field: 'PAYMENTTERMID',
        source: 'TERMS',
        conversions: [
          { from: 'thirty', to: 'Net30' },
          { from: 'ninety', to: 'Net99' },
        ],
      },
      {
        field: 'ispublicsector it',
        source: 'PUBLIC',
        conversions: [
          { from: 'ja', to: 'yes' },
          { from: 'nein', to: 'no' },
        ],
      },
      { field: 'Description', source: 'TEXT', defaultValue: 'n/a' },
    ]
    const entity = 'CustCustomerGroupEntity'
    const file =
      'TERMS,GROUP,PUBLIC,TEXT,NOTE\nthirty,1,ja,,x\nninety,2,nein,,y\nthirty,3,vielleicht,c,z\nNet77,,ja,d,\n'
    it('in a file as they came, in which conversions are reversed, and which can be sent again', async () => {
      const activityId = await mappedBy(groups, { entity })
      const { execution, errors } = await send(activityId, file)
      expect(errors.map(({ recordNumber, code, field }) => [recordNumber, code, field])).toEqual([
        [2, 'EP101', 'PaymentTermId'],
        [3, 'ER205', 'IsPublicSector_IT'],
        [4, 'ER201', 'CustomerGroupId'],
      ])
      const text = await errorsText(execution.executionId)
      expect(text.split('\r\n')).toEqual([
        'TERMS,GROUP,PUBLIC,TEXT,NOTE',
        'ninety,2,nein,n/a,',
        'thirty,3,vielleicht,c,',
        'Net77,,ja,d,',
        '',
      ])
      await hub.importFile('Terms of payment', 'Name\nNet99\nNet77\n', { company: 'usmf' })
      const again = await send(activityId, text.replace('vielleicht', 'Nein').replace('Net77,,', 'Net77,4,'))
      expect(again.errors).toEqual([])
      expect(
        (await hub.target('Customer groups')).map((row) => [
          row.CustomerGroupId,
          row.PaymentTermId,
          row.IsPublicSector_IT,
          row.Description,
        ]),
      ).toEqual([
        ['1', 'Net30', 'Yes', 'n/a'],
        ['2', 'Net99', 'No', 'n/a'],
        ['3', 'Net30', 'No', 'c'],
        ['4', 'Net77', 'Yes', 'd'],
      ])
    })

    it('in a file with their reasons, whose column is left out when it is sent again, even where that is strict', async () => {
      const wider: FieldMap[] = [...groups]
      const activityId = await mappedBy(wider, { entity, strict: true })
      const { execution } = await send(activityId, 'TERMS,GROUP,PUBLIC\nninety,2,nein\n')
      const text = await errorsText(execution.executionId, { withReason: true })
      expect(text.split('\r\n')).toEqual([
        'TERMS,GROUP,PUBLIC,ErrorMessage',
        expect.stringMatching(
          /^ninety,2,nein,"?EP101: Terms of payment has no record with Name 'Net99' in company usmf"?$/,
        ),
        '',
      ])
      await hub.importFile('Terms of payment', 'Name\nNet99\n', { company: 'usmf' })
      const again = await send(activityId, text)
      expect(again.message.status).toBe('Processed')
      expect(again.execution.log.map(({ code }) => code)).not.toContain('EF108')
    })

    it('checked for their relations by what their texts become only: nothing is said to be missing that is there', async () => {
      const { errors } = await importMapped(groups, 'TERMS,GROUP,PUBLIC\nthirty,1,vielleicht\n', { entity })
      expect(errors.map(({ code }) => code)).toEqual(['ER205'])
    })

    it('retried under the mapping, from their texts as they came or as they became', async () => {
      const { execution, message } = await importMapped(groups, file, { entity })
      await hub.hub.db.query(
        `UPDATE staging."CustCustomerGroupEntity" SET "IsPublicSector_IT" = 'JA' WHERE _record_number = 3`,
      )
      await hub.importFile('Terms of payment', 'Name\nNet99\n', { company: 'usmf' })
      await retry(execution.executionId)
      const after = await hub.outcome(message.messageId)
      expect(after.errors.map(({ recordNumber, code }) => [recordNumber, code])).toEqual([[4, 'ER201']])
      expect((await hub.target('Customer groups')).map((row) => [row.PaymentTermId, row.IsPublicSector_IT])).toEqual([
        ['Net30', 'Yes'],
        ['Net99', 'No'],
        ['Net30', 'Yes'],
      ])
      await expectAccounted(hub)
    })

    it('written so that they read back as they were, whatever the conversions', async () => {
      const mapping: FieldMap[] = [
        { field: 'CustomerGroupId', source: 'GROUP' },
        { field: 'PaymentTermId', source: 'TERMS' },
        {
          field: 'Description',
          source: 'TEXT',
          defaultValue: 'a',
          conversions: [
            { from: 'a', to: 'b' },
            { from: 'b', to: 'c' },
          ],
        },
      ]
      const { execution } = await importMapped(mapping, 'GROUP,TERMS,TEXT\n1,No,a\n2,No,b\n3,No,\n4,No,d\n', { entity })
      expect(await errorsText(execution.executionId)).toBe(
        'GROUP,TERMS,TEXT\r\n1,No,a\r\n2,No,b\r\n3,No,\r\n4,No,d\r\n',
      )
    })
  })

  it('takes the company of its message for a record in error that leaves it empty, when that is retried', async () => {
    const columns = 'dataAreaId,Name,NumberOfDays\n'
    const { execution, message } = await hub.importFile('Terms of payment', `${columns},A,x\n`, { company: 'usmf' })
    await hub.hub.db.query(`UPDATE staging."PaymentTermEntity" SET "NumberOfDays" = '1'`)
    await retry(execution.executionId)
    expect((await hub.outcome(message.messageId)).errors).toEqual([])
    expect(await terms()).toEqual([['A', '', 1, 0]])
  })
})
