import { RequestRefused, SetupFault } from '../errors'
import type { Entity } from './define-entity'

/** The entities of a hub, in promotion order (related entities first), found by any of their names. */
export interface EntityRegistry {
  /** In promotion order. */
  readonly all: readonly Entity[]
  /** By label, name, public entity name or public collection name, without regard to letter case. */
  find(name: string): Entity | undefined
  /** As `find`; throws RequestRefused EA102 (400) naming the nearest known entity. */
  get(name: string): Entity
  /** Labels of the three entities one of whose names is nearest, the nearest first. */
  near(name: string): string[]
}

/**
 * Puts entities into a registry.
 * Throws  SetupFault ES108 when two share a name, or a relation does not name the whole key of its entity.
 */
export function entityRegistry(entities: readonly Entity[]): EntityRegistry {
  const byName = new Map<string, Entity>()
  for (const entity of entities) {
    for (const name of new Set(namesOf(entity))) {
      const other = byName.get(name)
      if (other) throw new SetupFault('ES108', `The entities ${other.name} and ${entity.name} share the name '${name}'`)
      byName.set(name, entity)
    }
    checkRelations(entity)
  }
  const find = (name: string) => byName.get(name.trim().toLowerCase())
  return {
    all: entities,
    find,
    get(name) {
      const found = find(name)
      if (found) return found
      const near = nearest(name.toLowerCase(), [...byName.keys()])
      const label = near === undefined ? '' : `; did you mean '${byName.get(near)!.label}'?`
      throw new RequestRefused(400, 'EA102', `There is no entity '${name}'${label}`, { value: name.slice(0, 200) })
    },
    near(name) {
      const wanted = name.slice(0, 80).toLowerCase()
      const ranked = entities.map((entity) => ({
        label: entity.label,
        edits: Math.min(...namesOf(entity).map((known) => editDistance(wanted, known))),
      }))
      return ranked
        .sort((a, b) => a.edits - b.edits)
        .slice(0, 3)
        .map(({ label }) => label)
    },
  }
}

function namesOf({ name, label, publicEntityName, publicCollectionName }: Entity): string[] {
  return [name, label, publicEntityName, publicCollectionName].map((text) => text.toLowerCase())
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
