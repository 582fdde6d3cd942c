import { type Entity, fieldTypes } from '../../src/entity'
import { registry } from '../../src/hub'
import { company, csvLine, seeds } from './files'

/** A file of the bench of packages: so many records of an entity, whose relations are left empty. */
export interface SetFile {
  readonly entity: Entity
  readonly name: string
  readonly records: number
  readonly columns: readonly string[]
}

/** Ids of three letters or four are few; the other entities share what is left evenly. */
const smallShare = 0.001
const small = new Set(['CurrencyEntity', 'OMLegalEntity'])
/** Ten entities: all but the lines of orders. */
const excluded = 'SalesOrderLineV2Entity'

/** Ten files with so many records in all. */
export function packageFiles(records: number): SetFile[] {
  const entities = registry.all.filter(({ name }) => name !== excluded)
  const smallRecords = Math.max(1, Math.round(records * smallShare))
  const large = entities.length - small.size
  const each = Math.floor((records - small.size * smallRecords) / large)
  return entities.map((entity) => ({
    entity,
    name: `${entity.label}.csv`,
    records: small.has(entity.name) ? smallRecords : each,
    columns: columnsOf(entity),
  }))
}

/** The key, and up to eight fields that relate to nothing else or must be given. */
function columnsOf({ columns, relations }: Entity): string[] {
  const related = new Set(Object.values(relations).flatMap(({ fields }) => Object.keys(fields)))
  const keys = columns.filter(({ isKey }) => isKey).map(({ name }) => name)
  const others = columns.filter(({ name, isKey }) => !isKey && !related.has(name)).map(({ name }) => name)
  const mandatory = columns.filter(({ name, isKey, field }) => !isKey && field.mandatory && related.has(name))
  return [...keys, ...mandatory.map(({ name }) => name), ...others.slice(0, 8)]
}

/** Pieces of a file's text; the same on every machine. */
export function* textOf({ entity, columns, records }: SetFile): Generator<Buffer> {
  yield Buffer.from(`${columns.join(',')}\n`)
  const cells = columns.map((name) => cellOf(entity, name))
  for (let from = 1; from <= records; from += 2_000) {
    let text = ''
    for (let number = from; number < from + 2_000 && number <= records; number++) {
      text += csvLine(cells.map((cell) => cell(number)))
    }
    yield Buffer.from(text)
  }
}

/** What must be there before. */
export const packageSeeds = [
  ...seeds,
  { entity: 'VendVendorGroupEntity', text: 'VendorGroupId,Description\n10,Vendors\n' },
  { entity: 'CustCustomerV3Entity', text: 'CustomerAccount,CustomerGroupId\nC-1,10\n' },
]

/** Values that mandatory relations find, seeded beforehand. */
const seeded: Readonly<Record<string, string>> = {
  dataAreaId: company,
  CustomerGroupId: '10',
  VendorGroupId: '10',
  CurrencyCode: 'USD',
  OrderingCustomerAccountNumber: 'C-1',
  FromCurrency: 'USD',
  ToCurrency: 'EUR',
}

function cellOf(entity: Entity, name: string): (number: number) => string {
  const { field, isKey } = entity.columns.find((column) => column.name === name)!
  const isOwnKey = isKey && name === entity.key.find((key) => key !== 'dataAreaId')
  if (isOwnKey && field.type === 'string') return (number) => keyText(number, field.maxLength!)
  const fixed = seeded[name]
  if (fixed !== undefined) return () => fixed
  switch (field.type) {
    case 'string':
      return (number) => `${name} ${number}`.slice(-field.maxLength!)
    case 'date':
      return (number) => `20${two(number % 30)}-${two(1 + (number % 12))}-${two(1 + (number % 28))}`
    case 'dateTime':
      return (number) => `20${two(number % 30)}-01-${two(1 + (number % 28))}T08:00:00Z`
    case 'int32':
    case 'int64':
      return (number) => String(number % 1_000)
    case 'decimal':
      return (number) => `${number % 10_000}.5`
    case 'enumeration':
      return (number) => field.enumeration!.members[number % field.enumeration!.members.length]!
    default:
      return () => fieldTypes[field.type].empty(field)
  }
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

/** Letters and digits, so that short keys are enough, and none of a seeded record's. */
function keyText(number: number, maxLength: number): string {
  return `Z${number
    .toString(36)
    .toUpperCase()
    .padStart(Math.min(9, maxLength - 1), '0')}`
}
