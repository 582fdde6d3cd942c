import { SetupFault } from '../errors'
import { companyColumn, type Entity, namePattern, type Relation } from './define-entity'

/** What a person declares of a composite entity: a tree of entities whose records come as one document. */
export interface CompositeDeclaration {
  /** Name in data management, e.g. `SalesOrderV3Entity`. */
  readonly name: string
  /** Name that people and the connector API use, e.g. `Sales orders composite V3`. */
  readonly label: string
  /** Left out: the name. */
  readonly publicEntityName?: string
  /** The entity whose records begin the documents. */
  readonly root: Entity
  readonly children: readonly CompositeChild[]
}

/** An entity whose records stand within those of another one. */
export interface CompositeChild {
  readonly entity: Entity
  /** Name of its relation to the entity that its records stand in. */
  readonly relation: string
  readonly children?: readonly CompositeChild[]
}

/** An entity of a composite, with its place in the tree. */
export interface CompositeMember {
  readonly entity: Entity
  /** Index of the member that its records stand in; -1 for the root. */
  readonly parent: number
  /** Name of its relation to the parent; null for the root. */
  readonly relation: string | null
  /** Fields that a record takes over from its parent, by their names here; each value is the field's name there. */
  readonly handedDown: Readonly<Record<string, string>>
}

/** A composite entity. It has no tables: its records live in the tables of its members. */
export interface CompositeEntity {
  readonly name: string
  readonly label: string
  readonly publicEntityName: string
  readonly companySpecific: boolean
  /** Each before what stands in it, the root first: the order of promotion. */
  readonly members: readonly CompositeMember[]
}

/** Levels that a composite may have: documents of the field's own tools have three. */
const maxLevels = 8

/**
 * Declares a composite entity: documents of a header with its lines, and what stands in them, several levels deep.
 * Throws  SetupFault ES108 with all that is wrong with the declaration.
 */
export function defineCompositeEntity(declaration: CompositeDeclaration): CompositeEntity {
  const { name, label, publicEntityName = name, root, children } = declaration
  const faults: string[] = []
  for (const each of new Set([name, publicEntityName])) {
    if (!namePattern.test(each)) faults.push(`the name '${each}' is not of the form ${namePattern.source}`)
  }
  const members: CompositeMember[] = [{ entity: root, parent: -1, relation: null, handedDown: {} }]
  addChildren(children, 0, 1, members, faults)
  faults.push(...memberFaults(members))
  if (faults.length > 0) {
    throw new SetupFault('ES108', `The composite entity ${name} is declared wrongly: ${faults.join('; ')}`, {
      entity: name,
    })
  }
  return { name, label, publicEntityName, companySpecific: root.companySpecific, members }
}

/** The names that a member's elements may have. */
export function recordNamesOf({ name, publicEntityName }: Entity): string[] {
  return [name, publicEntityName]
}

function addChildren(
  children: readonly CompositeChild[],
  parent: number,
  level: number,
  members: CompositeMember[],
  faults: string[],
): void {
  if (children.length > 0 && level >= maxLevels) {
    faults.push(`it has more than ${maxLevels} levels`)
    return
  }
  const above = members[parent]!.entity
  for (const { entity, relation, children: below = [] } of children) {
    const found = entity.relations[relation]
    const isRight = found !== undefined && found.to !== 'self' && found.to() === above
    if (!found) faults.push(`${entity.name} has no relation ${relation}`)
    else if (!isRight) faults.push(`the relation ${relation} of ${entity.name} does not lead to ${above.name}`)
    const index = members.push({
      entity,
      parent,
      relation,
      handedDown: isRight ? handedDownBy(found, entity) : {},
    })
    addChildren(below, index - 1, level + 1, members, faults)
  }
}

function handedDownBy({ fields }: Relation, { companySpecific }: Entity): Record<string, string> {
  const given = fields as Readonly<Record<string, string>> // none of the relation's fields is undefined
  return companySpecific ? { [companyColumn]: companyColumn, ...given } : { ...given }
}

function memberFaults(members: readonly CompositeMember[]): string[] {
  const faults: string[] = []
  const [root] = members
  const owners = new Map<string, Entity>()
  for (const { entity, parent } of members) {
    if (entity.companySpecific !== root!.entity.companySpecific) {
      faults.push(`${entity.name} and ${root!.entity.name} do not agree in being company-specific`)
    }
    for (const name of new Set(recordNamesOf(entity).map((each) => each.toLowerCase()))) {
      const owner = owners.get(name)
      if (owner) faults.push(`the elements of ${owner.name} and ${entity.name} share the name '${name}'`)
      owners.set(name, entity)
      const above = members[parent]?.entity
      if (above?.columns.some((column) => column.name.toLowerCase() === name)) {
        faults.push(`${above.name} has a field with the name of ${entity.name}`)
      }
    }
  }
  return faults
}
