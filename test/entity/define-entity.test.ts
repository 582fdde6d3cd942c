import {
  belongsTo,
  belongsToItself,
  date,
  decimal,
  defineEntity,
  type Entity,
  entityRegistry,
  enumeration,
  type Fields,
  findColumn,
  int32,
  noYes,
  string,
} from '../../src/entity'
import { SetupFault } from '../../src/errors'

/** An entity that is right; each test makes one thing wrong. */
function declare(change: object = {}): Entity<Fields> {
  return defineEntity({
    name: 'ThingEntity',
    label: 'Things',
    publicEntityName: 'Thing',
    publicCollectionName: 'Things',
    isPublic: true,
    dataManagementEnabled: true,
    category: 'Master',
    companySpecific: true,
    key: ['ThingId'],
    fields: { ThingId: string({ maxLength: 10 }), Size: int32({ label: 'Size (cm)' }) },
    ...change,
  } as Parameters<typeof defineEntity<Fields>>[0])
}
const thingId = string({ maxLength: 10 })

describe('defineEntity', () => {
  it('puts dataAreaId first among columns and key of a company-specific entity', () => {
    const { key, columns } = declare()
    expect(key).toEqual(['dataAreaId', 'ThingId'])
    expect(columns.map(({ name, isKey }) => [name, isKey])).toEqual([
      ['dataAreaId', true],
      ['ThingId', true],
      ['Size', false],
    ])
    expect(declare({ companySpecific: false }).key).toEqual(['ThingId'])
  })

  it('makes key fields mandatory whose empty value is no value', () => {
    const { columns } = declare({ key: ['ThingId', 'Size'] })
    expect(columns.map(({ field }) => field.mandatory)).toEqual([true, true, false])
  })

  it('keeps defaults in their canonical text', () => {
    const { columns, fields } = declare({
      fields: { ThingId: thingId, Sold: noYes({ default: 'TRUE' }), Price: decimal({ default: '1.50' }) },
    })
    expect(columns.slice(2).map(({ field }) => field.default)).toEqual(['Yes', '1.5'])
    expect(fields.Price!.default).toBe('1.5')
  })

  it.each<[fault: string, change: object]>([
    ["the name 'Thing entity' is not of the form", { name: 'Thing entity' }],
    ['is not of the form', { name: `T${'x'.repeat(51)}` }],
    ["the name 'Thing_12' ends in a number", { name: 'Thing_12' }],
    ['the key names no field: Nothing', { key: ['Nothing'] }],
    ['the key names a field twice', { key: ['ThingId', 'ThingId'] }],
    ['the field thingid is declared twice', { fields: { ThingId: thingId, thingid: thingId } }],
    ['dataAreaId is added by companySpecific', { fields: { ThingId: thingId, DataAreaId: thingId } }],
    ['the field Name needs a maxLength', { fields: { ThingId: thingId, Name: string({ maxLength: 0 }) } }],
    ['needs a precision', { fields: { ThingId: thingId, Price: decimal({ precision: 39 }) } }],
    ['needs a precision', { fields: { ThingId: thingId, Price: decimal({ precision: 5, scale: 6 }) } }],
    [
      'the default of Since is wrong: is no day',
      { fields: { ThingId: thingId, Since: date({ default: '2026-02-30' }) } },
    ],
    [
      'the field Colour needs an enumeration',
      { fields: { ThingId: thingId, Colour: enumeration({ name: 'Colour', members: ['Red', 'RED'] }) } },
    ],
    ['needs an enumeration', { fields: { ThingId: thingId, Colour: enumeration({ name: 'Colour', members: ['1'] }) } }],
    [
      'the relation Parent names no field: ParentId',
      { relations: { Parent: belongsToItself({ ParentId: 'ThingId' }) } },
    ],
    ['the relation Size has the name of a field', { relations: { Size: belongsToItself({ Size: 'ThingId' }) } }],
  ])('refuses what is wrong: %s', (fault, change) => {
    const define = () => declare(change)
    expect(define).toThrow(SetupFault)
    expect(define).toThrow(fault)
    expect(define).toThrow(expect.objectContaining({ code: 'ES108' }))
  })

  it('lists all that is wrong at once', () => {
    expect(() => declare({ key: ['A'], publicEntityName: '1' })).toThrow(/the name '1'.*; the key names no field: A/)
  })
})

describe('entityRegistry', () => {
  it('finds an entity by any of its names, without regard to letter case', () => {
    const { find } = entityRegistry([declare()])
    for (const name of ['ThingEntity', 'things', 'THING', ' Things ']) expect(find(name)?.name).toBe('ThingEntity')
    expect(find('Thin')).toBeUndefined()
  })

  it('refuses an unknown name and suggests the nearest', () => {
    expect(() => entityRegistry([declare()]).get('Thimgs')).toThrow(
      expect.objectContaining({
        code: 'EA102',
        status: 400,
        message: expect.stringContaining("did you mean 'Things'?"),
      }),
    )
    expect(() => entityRegistry([declare()]).get('Vendors')).toThrow("There is no entity 'Vendors'")
  })

  it('refuses two entities of one name', () => {
    const other = declare({ name: 'Other', label: 'Other', publicEntityName: 'Another' })
    expect(() => entityRegistry([declare(), other])).toThrow("ThingEntity and Other share the name 'things'")
  })

  it.each<[fault: string, own: object]>([
    ['it lacks Place', { ParentId: 'ThingId' }],
    ['it names Size', { ParentId: 'ThingId', ParentPlace: 'Place', Size: 'Size' }],
    ['ParentPlace is int32, Place is string', { ParentId: 'ThingId', ParentPlace: 'Place' }],
  ])('refuses a relation that cannot name one record: %s', (fault, own) => {
    const fields = { ThingId: thingId, Place: thingId, Size: int32(), ParentId: thingId, ParentPlace: int32() }
    const entity = declare({ key: ['ThingId', 'Place'], fields, relations: { Parent: belongsToItself(own) } })
    expect(() => entityRegistry([entity])).toThrow(fault)
  })

  it('refuses relations across letter cases and from shared to company-specific records', () => {
    const upper = string({ maxLength: 10, letterCase: 'upper' })
    const cased = declare({
      fields: { ThingId: upper, Up: thingId },
      relations: { Above: belongsToItself({ Up: 'ThingId' }) },
    })
    expect(() => entityRegistry([cased])).toThrow('different letter cases')
    const shared = declare({
      companySpecific: false,
      relations: { Of: belongsTo(() => declare(), { ThingId: 'ThingId' }) },
    })
    expect(() => entityRegistry([shared])).toThrow('has a company')
  })
})

describe('findColumn', () => {
  it('takes a name before a label, without regard to letter case', () => {
    const entity = declare({
      fields: { ThingId: thingId, Size: int32({ label: 'Weight' }), Weight: int32({ label: 'Mass' }) },
    })
    const found = ['THINGID', ' size ', 'weight', 'MASS', 'company', 'dataareaid', 'Length']
    expect(found.map((name) => findColumn(entity, name)?.name)).toEqual([
      'ThingId',
      'Size',
      'Weight',
      'Weight',
      'dataAreaId',
      'dataAreaId',
      undefined,
    ])
  })
})
