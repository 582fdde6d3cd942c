import fc from 'fast-check'
import { Customers } from '../../entities/customers'
import { ReleasedProducts } from '../../entities/released-products'
import type { Entity } from '../../src/entity'
import { type Convert, fieldTypes } from '../../src/entity'
import type { RecordBlock } from '../../src/format/record-block'
import { mapColumns } from '../../src/staging/column-map'
import { copyStaging } from '../../src/staging/copy'
import { RecordEncoder } from '../../src/staging/record-encoder'
import { openTestHub, type TestHub } from '../helpers/test-hub'

/** Records as a reader hands them on; null is a field that is not given. */
function blockOf(records: readonly (readonly (string | null)[])[], firstRecordNumber = 1): RecordBlock {
  const cells = records.flat().map((text) => (text === null ? null : Buffer.from(text)))
  const starts: number[] = []
  const ends: number[] = []
  let at = 0
  for (const cell of cells) {
    starts.push(cell ? at : -1)
    at += cell?.length ?? 0
    ends.push(cell ? at : -1)
  }
  return {
    bytes: Buffer.concat(cells.filter((cell) => cell !== null)),
    count: records.length,
    firstRecordNumber,
    starts: Int32Array.from(starts),
    ends: Int32Array.from(ends),
    lines: Float64Array.from(records, (_, i) => firstRecordNumber + i + 1),
    faults: [],
  }
}

describe('RecordEncoder', () => {
  let hub: TestHub
  beforeAll(async () => {
    hub = await openTestHub()
  })
  afterAll(() => hub.close())

  /** Encodes the records, copies them to the staging table, and gives what is there then. */
  async function staged(
    entity: Entity,
    names: readonly string[],
    records: readonly (readonly (string | null)[])[],
    converting: Readonly<Record<string, Convert>> = {},
  ) {
    const { sources } = mapColumns(entity, names, { strict: false, company: 'usmf' })
    const readings = entity.columns.map(({ name }) => (converting[name] ? { convert: converting[name] } : undefined))
    const options = { executionEntityId: 1, width: names.length, sources, readings, company: 'usmf', sourceBytes: 10 }
    const encoder = new RecordEncoder(entity, options)
    encoder.encode(blockOf(records))
    const table = `staging."${entity.name}"`
    const rows = await hub.hub.db.transaction(async (tx) => {
      await tx.query(`DELETE FROM ${table}`)
      const copy = tx.copyIn(copyStaging(entity, table))
      await copy.write(encoder.take())
      await copy.end()
      return tx.query<Record<string, string | null>>(`SELECT * FROM ${table} ORDER BY _record_number`)
    })
    return { rows, encoder }
  }

  it('writes for any texts what the rules of the fields say of them: canonical text, or the text itself with its errors', async () => {
    const names = [
      'ItemNumber',
      'SearchName',
      'ProductType',
      'SalesPrice',
      'ShelfLifePeriodDays',
      'IsSoldOnline',
      'CatalogProductId',
    ]
    const wild = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 25 }),
      fc.constantFrom(
        '',
        '1',
        '-0',
        '007',
        '1.50',
        '1e5',
        'NaN',
        'yes',
        'TRUE',
        'item',
        '\\.',
        '\\N',
        '\t\n\r',
        '\0',
        ' 5 ',
        '٣',
        'infinity',
        'now',
      ),
      fc.uuid(),
      fc.double().map(String),
      fc.integer().map(String),
    )
    const record = fc.tuple(...names.map(() => fc.option(wild, { freq: 10 })))
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 12 }), async (records) => {
        const { rows, encoder } = await staged(ReleasedProducts, names, records)
        expect(rows).toHaveLength(records.length)
        records.forEach((given, r) => {
          let faults = 0
          const expected = given.map((text, c) => {
            const { field, isKey } = ReleasedProducts.columns.find(({ name }) => name === names[c])!
            const type = fieldTypes[field.type]
            if (text === null) faults += isKey ? 1 : 0
            if (text === null) return null
            const known = Buffer.from(text).toString()
            if (known === '' && field.mandatory) faults++
            if (known === '') return field.default ?? type.empty(field)
            const parsed = type.parse(known, field)
            if (typeof parsed !== 'string') faults++
            return typeof parsed === 'string' ? parsed : known
          })
          const asItCame = given.map((text) =>
            text === null ? null : Buffer.from(text).toString().replaceAll('\0', '␀'),
          )
          const row = rows[r]!
          expect(row._state).toBe(faults > 0 ? 'E' : 'V')
          expect(names.map((name) => row[name])).toEqual(faults > 0 ? asItCame : expected)
          expect(encoder.errors.filter(({ recordNumber }) => recordNumber === r + 1)).toHaveLength(faults)
        })
      }),
      { numRuns: 150 },
    )
  })

  it('grows for a record that is larger than its buffer', async () => {
    const huge = '\\'.repeat(3_000_000)
    const { rows } = await staged(
      Customers,
      ['CustomerAccount', 'CustomerGroupId', 'AddressStreet'],
      [['A', '10', huge]],
    )
    expect(rows[0]!.AddressStreet).toBe(huge)
    expect(rows[0]!._state).toBe('E')
  })

  it('tells which columns were given, and whether some records left them out', async () => {
    const names = ['CustomerAccount', 'CustomerGroupId', 'NameAlias', 'CreditLimit']
    const { encoder } = await staged(Customers, names, [
      ['A', '10', null, '1'],
      ['B', '10', null, null],
    ])
    const given = Customers.columns.filter((_, c) => encoder.given[c]).map(({ name }) => name)
    expect(given).toEqual(['CustomerAccount', 'CustomerGroupId', 'CreditLimit'])
    expect(encoder.isSparse).toBe(true)
  })

  it('converts texts before their fields read them, empty ones too, and keeps those of a bad record as they came', async () => {
    const prices: Record<string, string> = { none: '', '': '7', ten: '10' }
    const price: Convert = (text) => prices[text] ?? { code: 'ER204', reason: 'is no price' }
    const upper: Convert = (text) => text.toUpperCase()
    const { rows, encoder } = await staged(
      ReleasedProducts,
      ['ItemNumber', 'SearchName', 'SalesPrice'],
      [
        ['a', 'x', 'ten'],
        ['b', null, 'none'],
        ['c', '', ''],
        ['d', 'y', '10'],
        ['e', 'z', null],
      ],
      { ItemNumber: upper, SearchName: upper, SalesPrice: price },
    )
    expect(
      rows.map(({ _state, ItemNumber, SearchName, SalesPrice }) => [_state, ItemNumber, SearchName, SalesPrice]),
    ).toEqual([
      ['V', 'A', 'X', '10'],
      ['V', 'B', null, '0'],
      ['V', 'C', '', '7'],
      ['E', 'd', 'y', '10'],
      ['V', 'E', 'Z', null],
    ])
    expect(encoder.errors).toEqual([
      expect.objectContaining({ recordNumber: 4, code: 'ER204', value: '10', reason: "SalesPrice '10' is no price" }),
    ])
  })

  it('refuses a mandatory field whose text is converted to nothing', async () => {
    const nothing: Convert = () => ''
    const names = ['CustomerAccount', 'CustomerGroupId']
    const { encoder } = await staged(Customers, names, [['A', '10']], { CustomerGroupId: nothing })
    expect(encoder.errors).toEqual([
      expect.objectContaining({ code: 'ER201', value: '10', reason: "CustomerGroupId '10' is empty" }),
    ])
  })

  it('gives a record without company that of the message', async () => {
    const names = ['dataAreaId', 'CustomerAccount', 'CustomerGroupId']
    const { rows } = await staged(Customers, names, [
      ['', 'A', '10'],
      ['DEMF', 'B', '10'],
      [null, 'C', '10'],
    ])
    expect(rows.map(({ dataAreaId }) => dataAreaId)).toEqual(['usmf', 'demf', 'usmf'])
  })
})
