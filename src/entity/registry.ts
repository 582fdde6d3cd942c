import { RequestRefused, SetupFault } from '../errors'
import type { CompositeEntity } from './define-composite'
import type { Entity } from './define-entity'

/** The entities of a hub, in promotion order (related entities first), and its composites, found by any of their names. */
export interface EntityRegistry {
  /** In promotion order. */
  readonly all: readonly Entity[]
  /** By label, name, public entity name or public collection name, without regard to letter case. */
  find(name: string): Entity | undefined
  /** As `find`; throws RequestRefused EA102 (400) naming the nearest known entity. */
  get(name: string): Entity
  /** Labels of the three entities and composites one of whose names is nearest, the nearest first. */
  near(name: string): string[]
  readonly composites: readonly CompositeEntity[]
  /** By label, name or public entity name, without regard to letter case. */
  findComposite(name: string): CompositeEntity | undefined
  /** What a file may hold: an entity or a composite. */
  findImportable(name: string): Entity | CompositeEntity | undefined
  /** As `findImportable`; throws as `get`. */
  getImportable(name: string): Entity | CompositeEntity
  /** The label of an entity or composite; of one that is not known any more, its name. */
  labelOf(name: string): string
}

/**
 * Puts entities and composites of them into a registry.
 * Throws  SetupFault ES108 when two share a name, a relation does not name the whole key of its entity, or a composite has
 *         an entity that is not there.
 */
export function entityRegistry(
  entities: readonly Entity[],
  composites: readonly CompositeEntity[] = [],
): EntityRegistry {
  const entitiesByName = new Map<string, Entity>()
  const compositesByName = new Map<string, CompositeEntity>()
  const known = (name: string) => entitiesByName.get(name) ?? compositesByName.get(name)
  const add = <E extends Entity | CompositeEntity>(one: E, byName: Map<string, E>) => {
    for (const name of namesOf(one)) {
      const other = known(name)
      if (other) throw new SetupFault('ES108', `The entities ${other.name} and ${one.name} share the name '${name}'`)
      byName.set(name, one)
    }
  }
  for (const entity of entities) {
    add(entity, entitiesByName)
    checkRelations(entity)
  }
  for (const composite of composites) {
    add(composite, compositesByName)
    const stranger = composite.members.find(({ entity }) => !entities.includes(entity))
    if (stranger) {
      const sentence = `The composite entity ${composite.name} has ${stranger.entity.name}, which is no entity of this hub`
      throw new SetupFault('ES108', sentence)
    }
  }
  const find = (name: string) => entitiesByName.get(name.trim().toLowerCase())
  const findComposite = (name: string) => compositesByName.get(name.trim().toLowerCase())
  const findImportable = (name: string) => known(name.trim().toLowerCase())
  const unknown = (name: string): never => {
    const near = nearest(name.toLowerCase(), [...entitiesByName.keys(), ...compositesByName.keys()])
    const label = near === undefined ? '' : `; did you mean '${known(near)!.label}'?`
    throw new RequestRefused(400, 'EA102', `There is no entity '${name}'${label}`, { value: name.slice(0, 200) })
  }
  return {
    all: entities,
    find,
    get: (name) => find(name) ?? unknown(name),
    near(name) {
      const wanted = name.slice(0, 80).toLowerCase()
      const ranked = [...entities, ...composites].map((each) => ({
        label: each.label,
        edits: Math.min(...[...namesOf(each)].map((known) => editDistance(wanted, known))),
      }))
      return ranked
        .sort((a, b) => a.edits - b.edits)
        .slice(0, 3)
        .map(({ label }) => label)
    },
    composites,
    findComposite,
    findImportable,
    getImportable: (name) => findImportable(name) ?? unknown(name),
    labelOf: (name) => findImportable(name)?.label ?? name,
  }
}

function namesOf(one: Entity | CompositeEntity): Set<string> {
  const { name, label, publicEntityName } = one
  const names = 'publicCollectionName' in one ? [one.publicCollectionName] : []
  return new Set([name, label, publicEntityName, ...names].map((text) => text.toLowerCase()))
}

function checkRelations(entity: Entity): void {
  for (const [name, relation] of Object.entries(entity.relations)) {
    const related = relatedEntity(entity, relation)
    const named = Object.values(relation.fields) as string[]
    const declaredKey = related.key.filter((column) => column in related.fields)
    const missing = declaredKey.filter((column) => !named.includes(column))
    const extra = named.filter((column) => !declaredKey.includes(column))
    if (missing.length + extra.length > 0) {
      const wrong = [...missing.map((c) => `lacks ${c}`), ...extra.map((c) => `names ${c}`)].join(', ')
      throw new SetupFault(
        'ES108',
        `The relation ${name} of ${entity.name} must name the key of ${related.name}: it ${wrong}`,
      )
    }
    const unlike = unlikeness(entity, related, relation)
    if (unlike) {
      throw new SetupFault('ES108', `The relation ${name} of ${entity.name} to ${related.name} cannot match: ${unlike}`)
    }
  }
}

/** Why the values of a relation's two sides could never be equal; nothing when they can. */
function unlikeness(entity: Entity, related: Entity, relation: Entity['relations'][string]): string | undefined {
  if (related.companySpecific && !entity.companySpecific)
    return `${related.name} has a company, ${entity.name} has none`
  for (const [own, there] of Object.entries(relation.fields) as [string, string][]) {
    const [mine, theirs] = [entity.fields[own]!, related.fields[there]!]
    if (mine.type !== theirs.type) return `${own} is ${mine.type}, ${there} is ${theirs.type}`
    if (mine.letterCase !== theirs.letterCase) return `${own} and ${there} are kept in different letter cases`
  }
  return undefined
}

/** The entity that a relation leads to. */
export function relatedEntity(entity: Entity, relation: Entity['relations'][string]): Entity {
  return relation.to === 'self' ? entity : relation.to()
}

/** The candidate with the fewest edits, if it is near enough to be a slip of the keyboard. */
export function nearest(wanted: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let fewest = Math.max(2, Math.floor(wanted.length / 3)) + 1
  for (const candidate of candidates) {
    const edits = editDistance(wanted.slice(0, 80), candidate)
    if (edits < fewest) [best, fewest] = [candidate, edits]
  }
  return best
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitute = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(substitute, previous[j]! + 1, current[j - 1]! + 1))
    }
    previous = current
  }
  return previous[b.length]!
}
