import { composites, entities } from '../../entities'
import { belongsTo, defineCompositeEntity, defineEntity, type Entity, entityRegistry, string } from '../../src/entity'

function entity(name: string, parent?: Entity, { companySpecific = true } = {}): Entity {
  return defineEntity({
    name: `${name}Entity`,
    label: `${name} records`,
    publicEntityName: name,
    publicCollectionName: `${name}s`,
    isPublic: true,
    dataManagementEnabled: true,
    category: 'Document',
    companySpecific,
    key: ['Id'],
    fields: { Id: string({ maxLength: 10 }), ParentId: string({ maxLength: 10 }) },
    relations: parent ? { Parent: belongsTo(() => parent, { ParentId: 'Id' }) } : {},
  }) as unknown as Entity
}

const [order, other] = [entity('Order'), entity('Other')]
const lineOf = entity('Line', order)
const batch = entity('Batch', lineOf)
const base = { name: 'OrdersEntity', label: 'Orders composite', root: order }

describe('defineCompositeEntity', () => {
  it('lists its members with parents before children, and what each takes over', () => {
    const note = entity('Note', order)
    const composite = defineCompositeEntity({
      ...base,
      children: [
        { entity: lineOf, relation: 'Parent', children: [{ entity: batch, relation: 'Parent' }] },
        { entity: note, relation: 'Parent' },
      ],
    })
    const handedDown = { dataAreaId: 'dataAreaId', ParentId: 'Id' }
    expect(composite).toEqual({
      name: 'OrdersEntity',
      label: 'Orders composite',
      publicEntityName: 'OrdersEntity',
      companySpecific: true,
      members: [
        { entity: order, parent: -1, relation: null, handedDown: {} },
        { entity: lineOf, parent: 0, relation: 'Parent', handedDown },
        { entity: batch, parent: 1, relation: 'Parent', handedDown },
        { entity: note, parent: 0, relation: 'Parent', handedDown },
      ],
    })
  })

  it('takes over no company where there is none', () => {
    const root = entity('Shared', undefined, { companySpecific: false })
    const child = entity('Part', root, { companySpecific: false })
    const { members } = defineCompositeEntity({ ...base, root, children: [{ entity: child, relation: 'Parent' }] })
    expect(members[1]!.handedDown).toEqual({ ParentId: 'Id' })
  })

  const shared = entity('Shared', order, { companySpecific: false })
  const named = defineEntity({
    name: 'Batches',
    label: 'Batches',
    publicEntityName: 'ParentId',
    publicCollectionName: 'BatchList',
    isPublic: true,
    dataManagementEnabled: true,
    category: 'Document',
    companySpecific: true,
    key: ['Id'],
    fields: { Id: string({ maxLength: 10 }), OrderId: string({ maxLength: 10 }) },
    relations: { Parent: belongsTo(() => order, { OrderId: 'Id' }) },
  })
  it.each([
    ['a relation that the child has not', [{ entity: lineOf, relation: 'Order' }], 'LineEntity has no relation Order'],
    [
      'a relation to another entity',
      [{ entity: batch, relation: 'Parent' }],
      'the relation Parent of BatchEntity does not lead to OrderEntity',
    ],
    [
      'an entity twice',
      [
        { entity: lineOf, relation: 'Parent' },
        { entity: lineOf, relation: 'Parent' },
      ],
      "the elements of LineEntity and LineEntity share the name 'lineentity'",
    ],
    [
      'members with and without company',
      [{ entity: shared, relation: 'Parent' }],
      'SharedEntity and OrderEntity do not agree in being company-specific',
    ],
    [
      'a child named as a field of its parent',
      [{ entity: named, relation: 'Parent' }],
      'OrderEntity has a field with the name of Batches',
    ],
  ])('refuses %s (ES108)', (_what, children, fault) => {
    expect(() => defineCompositeEntity({ ...base, children })).toThrow(fault)
  })

  it('refuses a wrong name, and more than eight levels', () => {
    expect(() => defineCompositeEntity({ ...base, name: 'Orders composite', children: [] })).toThrow('not of the form')
    const chain = [order]
    for (let level = 2; level <= 9; level++) chain.push(entity(`Level${level}`, chain.at(-1)!))
    const nest = (index: number, last: number): { entity: Entity; relation: string; children: never[] } => ({
      entity: chain[index]!,
      relation: 'Parent',
      children: (index === last ? [] : [nest(index + 1, last)]) as never[],
    })
    expect(defineCompositeEntity({ ...base, children: [nest(1, 7)] }).members).toHaveLength(8)
    expect(() => defineCompositeEntity({ ...base, children: [nest(1, 8)] })).toThrow('more than 8 levels')
  })
})

describe('a registry with composites', () => {
  const composite = defineCompositeEntity({ ...base, children: [{ entity: lineOf, relation: 'Parent' }] })
  const registry = entityRegistry([order, lineOf], [composite])

  it('finds them by name and label in any letter case, and keeps them apart from entities', () => {
    for (const name of ['ordersentity', ' ORDERS COMPOSITE ']) {
      expect(registry.findComposite(name)).toBe(composite)
      expect(registry.getImportable(name)).toBe(composite)
      expect(registry.find(name)).toBeUndefined()
    }
    expect(registry.getImportable('Order records')).toBe(order)
    expect(registry.all).toEqual([order, lineOf])
    expect(registry.composites).toEqual([composite])
    expect(() => registry.get('Orders composite')).toThrow('There is no entity')
    expect(() => registry.getImportable('Orders compsite')).toThrow("did you mean 'Orders composite'?")
    expect([registry.labelOf('OrdersEntity'), registry.labelOf('Gone')]).toEqual(['Orders composite', 'Gone'])
  })

  it('refuses one that shares a name with an entity or has an entity that is not there (ES108)', () => {
    const taken = defineCompositeEntity({ ...base, label: 'order RECORDS', children: [] })
    expect(() => entityRegistry([order], [taken])).toThrow("share the name 'order records'")
    expect(() => entityRegistry([order], [composite])).toThrow('LineEntity, which is no entity of this hub')
    const strange = defineCompositeEntity({ ...base, root: other, children: [] })
    expect(() => entityRegistry([order], [strange])).toThrow('OtherEntity')
  })

  it('takes the composites that are shipped', () => {
    expect(entityRegistry(entities, composites).getImportable('sales orders composite v3').name).toBe(
      'SalesOrderV3Entity',
    )
  })
})
