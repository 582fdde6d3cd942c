import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { entities } from '../../entities'
import { ExchangeRates } from '../../entities/exchange-rates'
import { SalesOrderLines } from '../../entities/sales-order-lines'
import { entityRegistry, fieldTypes, planTables, relatedEntity } from '../../src/entity'

const registry = entityRegistry(entities)

describe.each(entities.map((entity) => [entity.label, entity] as const))('%s', (_, entity) => {
  it('is found by each of its names', () => {
    const names = [entity.name, entity.label, entity.publicEntityName, entity.publicCollectionName]
    expect(names.map((name) => registry.get(name))).toEqual([entity, entity, entity, entity])
  })

  it('has a key of its own columns, whose empty values are refused or are values', () => {
    const keyColumns = entity.columns.filter(({ isKey }) => isKey)
    expect(keyColumns.map(({ name }) => name).sort()).toEqual([...entity.key].sort())
    for (const { field } of keyColumns) expect(field.mandatory || fieldTypes[field.type].emptyIsAValue).toBe(true)
  })

  it('has column names that survive lower-casing and the 63 bytes of Postgres', () => {
    const names = entity.columns.map(({ name }) => name.toLowerCase().slice(0, 63))
    expect(new Set(names).size).toBe(entity.columns.length)
  })

  it('relates to whole keys of entities that are promoted before it', () => {
    for (const relation of Object.values(entity.relations)) {
      const related = relatedEntity(entity, relation)
      const declaredKey = related.key.filter((name) => name !== 'dataAreaId')
      expect(Object.values(relation.fields).sort()).toEqual([...declaredKey].sort())
      if (related !== entity) expect(entities.indexOf(related)).toBeLessThan(entities.indexOf(entity))
      expect(entities).toContain(related)
    }
  })

  it('has defaults and empty values that are canonical', () => {
    for (const { field } of entity.columns) {
      const type = fieldTypes[field.type]
      const text = field.default ?? type.empty(field)
      expect(text === '' ? '' : type.parse(text, field)).toBe(text)
    }
  })

  it('gives its tables two statements and nothing to refuse', () => {
    const { statements, refusals } = planTables(entity, [])
    expect(statements.filter((statement) => statement.startsWith('CREATE TABLE'))).toHaveLength(2)
    expect(refusals).toEqual([])
  })

  it('takes a record of its own default values, unless a rule of its own says otherwise', () => {
    const row = Object.fromEntries(
      entity.columns.map(({ name, field }) => {
        const type = fieldTypes[field.type]
        return [name, type.value(field.default ?? type.empty(field))]
      }),
    )
    expect(Array.isArray(entity.validateRecord?.(row) ?? [])).toBe(true)
  })
})

describe('the shipped entities', () => {
  it('are all the files of the folder', () => {
    const folder = path.join(__dirname, '../../entities')
    const files = readdirSync(folder).filter((file) =>
      readFileSync(path.join(folder, file), 'utf8').includes('defineEntity({'),
    )
    expect(files).toHaveLength(entities.length)
  })

  it('show every field type and both scopes', () => {
    const used = new Set(entities.flatMap(({ columns }) => columns.map(({ field }) => field.type)))
    expect([...used].sort()).toEqual(Object.keys(fieldTypes).sort())
    expect(new Set(entities.map(({ companySpecific }) => companySpecific)).size).toBe(2)
  })
})

describe('rules over the whole record', () => {
  const rate = { RateTypeName: 'Default', FromCurrency: 'EUR', ToCurrency: 'USD', Rate: '1.1', ConversionFactor: 'One' }
  it.each([
    ['2026-01-01', '2026-01-01', []],
    ['2026-01-02', '2026-01-01', [{ field: 'EndDate', reason: 'ends on 2026-01-01, before its start on 2026-01-02' }]],
  ])('an exchange rate from %s to %s has the faults %j', (StartDate, EndDate, faults) => {
    expect(ExchangeRates.validateRecord!({ ...rate, StartDate, EndDate })).toEqual(faults)
  })

  it('a currency has no rate in itself', () => {
    const row = { ...rate, ToCurrency: 'EUR', StartDate: '2026-01-01', EndDate: '2026-12-31' }
    expect(ExchangeRates.validateRecord!(row)).toMatchObject([{ field: 'ToCurrency' }])
  })

  it.each([
    ['-1', '1', []],
    ['0', '1', ['OrderedSalesQuantity']],
    ['0', '0', ['OrderedSalesQuantity', 'SalesPriceQuantity']],
  ])(
    'a sales line of quantity %s at a price per %s is wrong in %j',
    (OrderedSalesQuantity, SalesPriceQuantity, wrong) => {
      const faults = SalesOrderLines.validateRecord!({ OrderedSalesQuantity, SalesPriceQuantity })
      expect(faults.map(({ field }) => field)).toEqual(wrong)
    },
  )
})
