import type { CompositeEntity, CompositeMember, Entity } from '../entity'
import type { Work } from '../execution/work'
import { type StagedSet, stagedSet } from './staged-set'

/**
 * The staged records of a composite's execution, a set a member in the order of promotion. Records may leave out columns,
 * as those of XML do.
 */
export function memberSets({ members }: CompositeEntity, work: Work): StagedSet[] {
  return members.map((member) => {
    const prefix = `${member.entity.name}.`
    const given = (work.columns ?? []).filter((name) => name.startsWith(prefix))
    const columns = given.map((name) => name.slice(prefix.length))
    return stagedSet(checkedAs(member), [{ ...work, columns, sparse: true, repeats: null, stagingTable: null }])
  })
}

/**
 * The member without its relation to its parent: a record stands in its parent, with which it is promoted or not, so
 * that there is nothing to look up.
 */
function checkedAs({ entity, relation }: CompositeMember): Entity {
  const others = Object.entries(entity.relations).filter(([name]) => name !== relation)
  return { ...entity, relations: Object.fromEntries(others) }
}
