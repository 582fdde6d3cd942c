import type { CompositeEntity, EntityRegistry } from '../entity'
import { quoteIdentifier, quoteLiteral } from '../entity/names'
import { spreadErrors } from '../execution/document-errors'
import type { Work } from '../execution/work'
import type { Queryable } from '../platform/database'
import { type CheckResult, checkRecords, checkSelfRelations, countFaults, markInError, type PlaceOf } from './checks'
import { keyList, type StagedSet } from './staged-set'

/**
 * Checks the staged documents of a composite's execution: each record as `checkStaged` does; then keys of children that
 * occur twice (EP108); then documents whose first record has the key of a later one, which wins as a whole (EP102).
 * A record at fault puts its document into error (EP106).
 * Input   `sets`: those of `memberSets`.
 */
export async function checkDocuments(
  tx: Queryable,
  registry: EntityRegistry,
  composite: CompositeEntity,
  work: Work,
  sets: readonly StagedSet[],
  placeOf?: PlaceOf,
): Promise<Pick<CheckResult, 'inError' | 'superseded'>> {
  const [root, ...children] = sets
  const spread = () =>
    spreadErrors(
      tx,
      composite,
      { executionEntityId: work.id, first: 1, last: work.stagedRecords },
      { step: 'promote', state: root!.state },
    )
  for (const set of sets) {
    await checkRecords(tx, registry, set, placeOf)
    await nameMember(tx, set)
  }
  await spread()
  await settleSelfRelations(tx, sets, spread, placeOf)
  let shared = 0
  for (const set of children) shared += await noteSharedKeys(tx, set, root!)
  if (shared > 0) {
    await spread()
    await settleSelfRelations(tx, sets, spread, placeOf)
  }
  await supersedeDocuments(tx, root!, sets)
  const [found] = await countFaults(tx, [work.id])
  return found ?? { inError: 0, superseded: 0 }
}

/** The checks of records note their faults without saying of which entity they are; called after those of each set. */
async function nameMember(tx: Queryable, { ids, entity }: StagedSet): Promise<void> {
  await tx.query('UPDATE entrepot.record_error SET entity = $2 WHERE execution_entity = ANY($1) AND entity IS NULL', [
    ids,
    entity.name,
  ])
}

/** A document that goes into error takes records with it that others relate to: until nothing changes any more. */
async function settleSelfRelations(
  tx: Queryable,
  sets: readonly StagedSet[],
  spread: () => Promise<number>,
  placeOf?: PlaceOf,
): Promise<void> {
  for (let isChanged = true; isChanged; ) {
    isChanged = false
    for (const set of sets) {
      if (!(await checkSelfRelations(tx, set, placeOf))) continue
      await nameMember(tx, set)
      isChanged = true
    }
    if (isChanged) await spread()
  }
}

/**
 * Notes records of a child whose key another one has: an earlier one of the same document, or one of a document with
 * another root key that came earlier or was promoted before. Among documents of one root key only the last one counts
 * anyway. Returns how many it found.
 */
async function noteSharedKeys(tx: Queryable, set: StagedSet, root: StagedSet): Promise<number> {
  const { entity, table, ids, winners, state } = set
  const [own, theirs] = [keyList(entity, 's'), keyList(entity, 'k')]
  const isGood = `s._execution_entity = ANY($1) AND s._state IN (${winners})`
  const value = entity.key.map((name) => `s.${quoteIdentifier(name)}`).join(` || ', ' || `)
  const rootOf = (alias: string, document: string) =>
    `JOIN ${root.table} ${alias} ON ${alias}._execution_entity = ANY($1) AND ${alias}._record_number = s.${document}`
  const found = await tx.count(
    `WITH twice AS MATERIALIZED (
       SELECT ${own} FROM ${table} s WHERE ${isGood} GROUP BY ${own} HAVING count(*) > 1
     ), used AS MATERIALIZED (
       SELECT s.*, row_number() OVER (PARTITION BY s._document, ${own} ORDER BY s._record_number) AS nth,
         first_value(s._document) OVER among AS first_document, first_value(s._record_number) OVER among AS first_record
       FROM ${table} s JOIN twice k ON (${own}) = (${theirs}) WHERE ${isGood}
       WINDOW among AS (PARTITION BY ${own} ORDER BY s._state = 'R', s._record_number)
     )
     INSERT INTO entrepot.record_error (execution_entity, record_number, line, step, code, field, value, reason, entity)
     SELECT s._execution_entity, s._record_number, s._line, 'promote', 'EP108', ${quoteLiteral(entity.key.join(', '))},
       left(${value}, 200), 'Record ' || s.first_record || ' of the same message has the same key', ${quoteLiteral(entity.name)}
     FROM used s ${rootOf('mine', '_document')} ${rootOf('other', 'first_document')}
     WHERE s._state = '${state}'
       AND (s.nth > 1 OR (${keyList(root.entity, 'mine')}) IS DISTINCT FROM (${keyList(root.entity, 'other')}))`,
    [ids],
  )
  if (found > 0) await markInError(tx, set)
  return found
}

/** The last document of a root key wins within a message; all records of the earlier ones are listed. */
async function supersedeDocuments(tx: Queryable, root: StagedSet, sets: readonly StagedSet[]): Promise<void> {
  const { entity, table, ids, winners, state } = root
  const [own, theirs] = [keyList(entity, 's'), keyList(entity, 'k')]
  const settled = sets.map(
    (set, index) => `settled${index} AS (
       UPDATE ${set.table} s SET _state = 'S' FROM lost
       WHERE s._execution_entity = ANY($1) AND s._document = lost._document AND s._state = '${state}'
       RETURNING s._execution_entity, s._record_number, s._line, lost.winner)`,
  )
  const rows = sets.map(
    (set, index) => `SELECT _execution_entity, _record_number, _line, 'promote', 'EP102',
       'The document that begins with record ' || winner || ' has the same key and wins', ${quoteLiteral(set.entity.name)}
     FROM settled${index}`,
  )
  await tx.query(
    `WITH twice AS MATERIALIZED (
       SELECT ${own}, max(s._record_number) AS winner FROM ${table} s
       WHERE s._execution_entity = ANY($1) AND s._state IN (${winners}) GROUP BY ${own} HAVING count(*) > 1
     ), lost AS MATERIALIZED (
       SELECT s._document, k.winner FROM ${table} s JOIN twice k ON (${own}) = (${theirs})
       WHERE s._execution_entity = ANY($1) AND s._state = '${state}' AND s._record_number < k.winner
     ), ${settled.join(', ')}
     INSERT INTO entrepot.record_error (execution_entity, record_number, line, step, code, reason, entity)
     ${rows.join(' UNION ALL ')}`,
    [ids],
  )
}
