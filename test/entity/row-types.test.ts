import type { Customer, Customers } from '../../entities/customers'
import type { SalesOrderLine } from '../../entities/sales-order-lines'
import { belongsTo, defineEntity, int32, type Row, string } from '../../src/entity'

/** Whether two types are the same, so that neither a wider nor a narrower one passes. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <T extends true>(value?: T) => value

const common = {
  label: 'Things',
  publicEntityName: 'Thing',
  publicCollectionName: 'Things',
  isPublic: true,
  dataManagementEnabled: true,
  category: 'Master',
  companySpecific: false,
} as const

const Things = defineEntity({
  ...common,
  name: 'ThingEntity',
  key: ['ThingId'],
  fields: { ThingId: string({ maxLength: 10 }), Size: int32() },
  validateRecord(row) {
    holds<Same<typeof row.Size, number>>()
    return row.Size > 0 ? [] : [{ field: 'Size', reason: 'is not positive' }]
  },
})

// What follows is checked by tsc alone: each line without an error under its directive fails `npm run check`.
const neverCalled = [
  () => defineEntity({ ...common, name: 'A', fields: { Id: int32() }, key: ['Id'] }),
  // @ts-expect-error a key names a field
  () => defineEntity({ ...common, name: 'A', fields: { Id: int32() }, key: ['Ident'] }),
  () =>
    defineEntity({
      ...common,
      name: 'A',
      fields: { Id: int32() },
      key: ['Id'],
      // @ts-expect-error a rule names fields of its own entity
      validateRecord: () => [{ field: 'Ident', reason: 'is wrong' }],
    }),
  // @ts-expect-error a key has at least one field
  () => defineEntity({ ...common, name: 'A', fields: { Id: int32() }, key: [] }),
  () =>
    defineEntity({
      ...common,
      name: 'A',
      fields: { Id: int32(), Thing: string({ maxLength: 10 }) },
      key: ['Id'],
      relations: { Thing: belongsTo(() => Things, { Thing: 'ThingId' }) },
    }),
  () =>
    defineEntity({
      ...common,
      name: 'A',
      fields: { Id: int32(), Thing: string({ maxLength: 10 }) },
      key: ['Id'],
      // @ts-expect-error a relation starts from fields of its own entity
      relations: { Thing: belongsTo(() => Things, { Thong: 'ThingId' }) },
    }),
  () =>
    defineEntity({
      ...common,
      name: 'A',
      fields: { Id: int32(), Thing: string({ maxLength: 10 }) },
      key: ['Id'],
      // @ts-expect-error a relation leads to fields of the other entity
      relations: { Thing: belongsTo(() => Things, { Thing: 'ThingIdd' }) },
    }),
]

describe('Row', () => {
  it('has the value type of each field', () => {
    holds<Same<Row<typeof Customers>, Customer>>()
    holds<Same<Customer['CustomerAccount'], string>>()
    holds<Same<Customer['CreditLimit'], string>>()
    holds<Same<Customer['IsCreditLimitMandatory'], 'No' | 'Yes'>>()
    holds<Same<Customer['OnHoldStatus'], 'No' | 'Invoice' | 'All' | 'Payment' | 'Requisition' | 'Never'>>()
    holds<Same<Customer['dataAreaId'], string | undefined>>()
    holds<Same<SalesOrderLine['LineCreationSequenceNumber'], string>>()
    // @ts-expect-error a field that is not declared
    holds<Same<Customer['Nothing'], string>>()
    const thing: Row<typeof Things> = { ThingId: 'T1', Size: 3 }
    // @ts-expect-error a text is no number
    const wrong: Row<typeof Things> = { ThingId: 'T1', Size: '3' }
    expect(Things.validateRecord?.(thing)).toEqual([])
    expect(neverCalled).toHaveLength(7)
    expect(Object.keys(wrong)).toEqual(Things.columns.map(({ name }) => name))
  })
})
