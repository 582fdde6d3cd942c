import { expectAccounted } from '../helpers/accounting'
import { addMasterData, csv } from '../helpers/build'
import { openTestHub, type TestHub } from '../helpers/test-hub'

describe('a record that is wrong', () => {
  let hub: TestHub
  beforeAll(async () => {
    hub = await openTestHub()
    await addMasterData(hub)
  })
  afterAll(() => hub.close())
  afterEach(() => expectAccounted(hub))

  const staged = async (entity: string, executionId: string) =>
    hub.hub.db.query<Record<string, unknown>>(
      `SELECT s.* FROM staging."${entity}" s JOIN entrepot.execution_entity e ON e.id = s._execution_entity
       WHERE e.execution_id = $1 ORDER BY s._record_number`,
      [executionId],
    )

  it('is kept in staging with all that is wrong with it, and its neighbours are promoted', async () => {
    const file = csv(
      ['ItemNumber', 'SalesPrice', 'ShelfLifePeriodDays', 'ProductType', 'IsSoldOnline', 'CatalogProductId'],
      [
        ['P1', '1.50', '30', 'Item', 'true', ''],
        ['', '1,50', 'many', 'Thing', 'perhaps', '123'],
        ['P3', '2', '', '', '', ''],
      ],
    )
    const { message, execution, errors } = await hub.importFile('Released products V2', file, { company: 'usmf' })
    expect(message.status).toBe('ProcessedWithErrors')
    expect(execution.status).toBe('PartiallySucceeded')
    expect(execution.entities[0]!.records).toMatchObject({ read: 3, inserted: 2, error: 1 })
    expect(errors.map(({ code, field, value, line }) => ({ code, field, value, line }))).toEqual([
      { code: 'ER201', field: 'ItemNumber', value: '', line: 3 },
      { code: 'ER203', field: 'ShelfLifePeriodDays', value: 'many', line: 3 },
      { code: 'ER204', field: 'SalesPrice', value: '1,50', line: 3 },
      { code: 'ER205', field: 'IsSoldOnline', value: 'perhaps', line: 3 },
      { code: 'ER208', field: 'CatalogProductId', value: '123', line: 3 },
      { code: 'ER209', field: 'ProductType', value: 'Thing', line: 3 },
    ])
    expect(errors.every(({ reason, field }) => reason.includes(field!))).toBe(true)
    // As it came, so that a person can correct it there.
    expect((await staged('EcoResReleasedProductV2Entity', execution.executionId))[1]).toMatchObject({
      _state: 'E',
      SalesPrice: '1,50',
      ShelfLifePeriodDays: 'many',
    })
  })

  it.each([
    { code: 'ER101', what: 'has another number of fields than the header', line: 'CHF,Swiss,franc,too,many' },
    { code: 'ER102', what: 'has text behind a closing quote', line: 'CHF,"Swiss"franc' },
    { code: 'ER103', what: 'has a quote inside an unquoted field', line: 'CHF,Swiss 5" franc' },
    { code: 'ER104', what: 'has a NUL character', line: 'CHF,Swiss\0franc' },
    { code: 'ER202', what: 'has a text longer than its field', line: `CHF,${'x'.repeat(121)}` },
    { code: 'ER201', what: 'leaves its key empty', line: ',Swiss franc' },
  ])('$what: $code, with its line', async ({ code, line }) => {
    const { execution, errors } = await hub.importFile(
      'Currencies',
      `CurrencyCode,Name\nUSD,US dollar\n${line}\nEUR,Euro\n`,
    )
    expect(execution.entities[0]!.records).toMatchObject({ read: 3, error: 1, unchanged: 2 })
    expect(errors).toEqual([expect.objectContaining({ code, line: 3, recordNumber: 2, step: 'stage' })])
    expect(errors[0]!.value?.length ?? 0).toBeLessThanOrEqual(200)
  })

  it('breaks a rule of its entity (ER210)', async () => {
    const file = csv(
      ['RateTypeName', 'FromCurrency', 'ToCurrency', 'StartDate', 'EndDate', 'Rate'],
      [
        ['Default', 'USD', 'EUR', '2026-01-01', '2025-01-01', '1.1'],
        ['Default', 'USD', 'EUR', '2026-01-01', '', '1.1'],
      ],
    )
    const { errors, execution } = await hub.importFile('Exchange rates', file)
    expect(errors).toEqual([expect.objectContaining({ code: 'ER210', field: 'EndDate', value: '2025-01-01' })])
    expect(execution.entities[0]!.records).toMatchObject({ read: 2, error: 1, inserted: 1 })
  })

  it.each([
    { what: 'an element given twice', inner: '<Name>a</Name><Name>b</Name>', code: 'ER105' },
    { what: 'a field that holds elements', inner: '<Name><b>a</b></Name>', code: 'ER106' },
    { what: 'text between its fields', inner: '<Name>a</Name>stray', code: 'ER107' },
  ])('has $what in XML ($code)', async ({ inner, code }) => {
    const file = `<Document>\n<Currency><CurrencyCode>USD</CurrencyCode>${inner}</Currency>\n<Currency><CurrencyCode>EUR</CurrencyCode></Currency></Document>`
    const { errors, execution } = await hub.importFile('Currencies', file)
    expect(errors).toEqual([expect.objectContaining({ code, line: 2, recordNumber: 1 })])
    expect(execution.entities[0]!.records).toMatchObject({ read: 2, error: 1, unchanged: 1 })
  })

  it('fails the execution when all are wrong, and still says why for each', async () => {
    const { message, execution, errors } = await hub.importFile('Currencies', 'CurrencyCode,Name\n,a\nTOOLONG,b\n')
    expect(message.status).toBe('ProcessedWithErrors')
    expect(execution.status).toBe('Failed')
    expect(errors.map(({ code }) => code)).toEqual(['ER201', 'ER202'])
  })

  it('is not one whose text only looks dangerous: it arrives as it is', async () => {
    const texts = [
      '\\.',
      '\\N',
      '\\',
      '\t',
      '\r\n',
      'a\nb',
      '"',
      "'); DROP TABLE x; --",
      '=1+1',
      '\u{1F600}',
      '​',
      '\u0001',
    ]
    const file = csv(
      ['CustomerGroupId', 'Description'],
      texts.map((text, i) => [`X${i}`, text]),
    )
    const { execution, errors } = await hub.importFile('Customer groups', file, { company: 'usmf' })
    expect(errors).toEqual([])
    expect(execution.entities[0]!.records).toMatchObject({ read: texts.length, inserted: texts.length })
    const kept = new Map((await hub.target('Customer groups')).map((row) => [row.CustomerGroupId, row.Description]))
    expect(texts.map((_, i) => kept.get(`X${i}`))).toEqual(texts)
  })

  it('is not one that is only large', async () => {
    const description = 'x'.repeat(1_000)
    const many = Array.from({ length: 3_000 }, (_, i) => [`L${i}`, 'S1', 'P1', description, 1])
    const columns = ['InventoryLotId', 'SalesOrderNumber', 'ItemNumber', 'LineDescription', 'OrderedSalesQuantity']
    const { execution } = await hub.importFile('Sales order lines V2', csv(columns, many), { company: 'usmf' })
    // 3 MB in several chunks; the sales order is missing for all of them.
    expect(execution.entities[0]!.records).toMatchObject({ read: 3_000, error: 3_000 })
  })
})
