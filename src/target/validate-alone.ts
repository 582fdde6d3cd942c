import { type Entity, type EntityRegistry, quoteIdentifier, stagingTable, targetTable } from '../entity'
import type { Context } from '../execution/context'
import { type FinishedMessage, finishExecutions, lockExecutions } from '../execution/finish'
import { fence, type Work } from '../execution/work'
import type { Queryable } from '../platform/database'
import { type CheckResult, checkedEntities, checkStaged, type PlaceOf } from './checks'
import { countReplaced, withoutReplaced } from './empty-target'
import { entityNamed } from './entity-named'
import { joinWithTargets } from './joins'
import { boundIdleTime } from './locks'
import { observeFinished } from './observe-finished'
import { isFirstRound, keyList, type StagedSet, stagedSet, typed } from './staged-set'
import { countUpsert, type UpsertCounts } from './upsert'

/**
 * Says what promoting one execution's entity would do, and does not do it: its records are checked, and those that would
 * be inserted, updated or left alone are counted. Records that its execution would have promoted before count as there.
 */
export async function validateAlone({ db, registry, limits }: Context, work: Work): Promise<void> {
  const startedAt = performance.now()
  const entity = entityNamed(registry, work)
  const set = stagedSet(entity, [work])
  const finished = await db.transaction(async (tx) => {
    await boundIdleTime(tx, limits.leaseSeconds)
    const placeOf = await placesOf(tx, registry, work, [set])
    await joinWithTargets(tx, checkedEntities(registry, entity), work.bytes)
    const [{ inError, superseded } = { inError: 0, superseded: 0 }] = await checkStaged(tx, registry, set, placeOf)
    await joinWithTargets(tx, [entity], work.bytes)
    const counts = await countUpsert(tx, set, placeOf(entity))
    const { inserted = 0, updated = 0, unchanged = 0 } = counts.get(work.id) ?? {}
    return saveValidation(tx, work, [set], { inError, superseded, inserted, updated, unchanged })
  })
  await observeFinished(db, [work], finished, startedAt)
}

/** What validating found, and what promoting would do. */
type Account = UpsertCounts & Pick<CheckResult, 'inError' | 'superseded'>

/** Ends a validated entity with what promoting it would do. Throws Conflict. */
export async function saveValidation(
  tx: Queryable,
  work: Work,
  sets: readonly StagedSet[],
  account: Account,
): Promise<FinishedMessage[]> {
  await lockExecutions(tx, [work.executionId])
  await fence(tx, [work])
  await (work.executionMode === 'stage' ? backToStaged(tx, work, sets, account) : saveAccount(tx, work, account))
  return finishExecutions(tx, [work.executionId])
}

async function saveAccount(tx: Queryable, { id }: Work, account: Account): Promise<void> {
  const { inError, superseded, inserted, updated, unchanged } = account
  await tx.query(
    `UPDATE entrepot.execution_entity SET state = 'Finished', checked = true, lease_until = NULL, attempts = 0,
       target_finished_at = now(), records_in_error = $2, records_superseded = $3, records_inserted = $4,
       records_updated = $5, records_unchanged = $6 WHERE id = $1`,
    [id, inError, superseded, inserted, updated, unchanged],
  )
}

/** Records that wait to be promoted go on waiting; what was found wrong with them is known now, and the log has the rest. */
async function backToStaged(
  tx: Queryable,
  { id, executionId, entity }: Work,
  sets: readonly StagedSet[],
  account: Account,
): Promise<void> {
  const { inError, inserted, updated, unchanged } = account
  await forgetSuperseded(tx, sets)
  await tx.query(
    `UPDATE entrepot.execution_entity SET state = 'Staged', mode = 'stage', lease_until = NULL, attempts = 0,
       records_in_error = $2, records_superseded = (
         SELECT count(*) FROM entrepot.record_error WHERE execution_entity = $1 AND code = 'EP102')
     WHERE id = $1`,
    [id, inError],
  )
  await tx.query('INSERT INTO entrepot.execution_log (execution_id, text) VALUES ($1, $2)', [
    executionId,
    `${entity} was validated: ${inserted} would be inserted, ${updated} updated, ${unchanged} left as they are, ${inError} are in error`,
  ])
}

/**
 * Which record of a key wins is open until one is promoted: the others may still be corrected, or chosen alone. Of a
 * composite, which document of a root key does.
 */
async function forgetSuperseded(tx: Queryable, sets: readonly StagedSet[]): Promise<void> {
  const { entity, table, ids } = sets[0]!
  const document = sets.length > 1 ? '_document' : '_record_number'
  const settled = sets.map(
    (set, index) => `settled${index} AS (
       UPDATE ${set.table} s SET _state = 'V' FROM open
       WHERE s._execution_entity = open._execution_entity AND s.${document} = open._record_number AND s._state = 'S'
       RETURNING s._execution_entity, s._record_number)`,
  )
  const rows = sets.map((_, index) => `SELECT * FROM settled${index}`)
  await tx.query(
    `WITH open AS MATERIALIZED (
       SELECT s._execution_entity, s._record_number FROM ${table} s
       WHERE s._execution_entity = ANY($1) AND s._state = 'S' AND NOT EXISTS (
         SELECT FROM ${table} p WHERE p._execution_entity = s._execution_entity AND p._state = 'P'
           AND p._record_number > s._record_number AND (${keyList(entity, 'p')}) = (${keyList(entity, 's')}))
     ), ${settled.join(', ')}
     DELETE FROM entrepot.record_error r USING (${rows.join(' UNION ALL ')}) settled
     WHERE r.execution_entity = settled._execution_entity AND r.record_number = settled._record_number AND r.code = 'EP102'`,
    [ids],
  )
}

interface EarlierEntity {
  readonly id: number
  readonly entity: string
  readonly stagingTable: string | null
  readonly truncates: boolean
}

/**
 * Where records are looked up that would be there by now: of the entities of the execution that are done, or wait to be
 * promoted before this one, the good records too; and without those that a truncating import would have removed, of which
 * the log says how many they are.
 * Input   `sets`: the work's own; of a composite, one a member, the root first.
 */
export async function placesOf(
  tx: Queryable,
  registry: EntityRegistry,
  work: Work,
  sets: readonly StagedSet[],
): Promise<PlaceOf> {
  const earlier = await tx.query<EarlierEntity>(
    `SELECT e.id, e.entity, e.staging_table AS "stagingTable",
       coalesce((e.settings ->> 'truncateEntityData')::boolean, false) AS truncates
     FROM entrepot.execution_entity e JOIN entrepot.execution_entity own ON own.execution_id = e.execution_id
     WHERE own.id = $1 AND e.id <> own.id AND (e.state = 'Finished' OR e.state = 'Staged' AND e.execution_unit = own.execution_unit
       AND (e.level_in_unit, e.sequence_in_level) < (own.level_in_unit, own.sequence_in_level))`,
    [work.id],
  )
  const root = sets[0]!
  const isEmptied = work.settings.truncateEntityData && (await isFirstRound(tx, work, root))
  if (isEmptied) for (const { entity } of [...sets].reverse()) await countReplaced(tx, work, { ...root, entity })
  return (entity) => {
    if (sets.some((own) => own.entity.name === entity.name)) {
      return isEmptied ? withoutReplaced({ entity, table: root.table, ids: '$1' }) : targetTable(entity)
    }
    const before = earlier.find((each) => each.entity === entity.name || isMember(registry, each.entity, entity))
    return before === undefined ? targetTable(entity) : withStaged(entity, before)
  }
}

/** Whether the records of a composite's execution are of this entity too. */
function isMember(registry: EntityRegistry, composite: string, { name }: Entity): boolean {
  return registry.findComposite(composite)?.members.some(({ entity }) => entity.name === name) ?? false
}

/** SQL: the keys of the target's records and of the staged good ones, as a sub-query. */
function withStaged(entity: Entity, { id, stagingTable: own, truncates }: EarlierEntity): string {
  const keys = entity.columns.filter(({ isKey }) => isKey)
  const names = keys.map(({ name }) => quoteIdentifier(name)).join(', ')
  const table = own ?? `ONLY ${stagingTable(entity)}`
  const ids = `ARRAY[${BigInt(id)}]::bigint[]`
  const there = truncates ? withoutReplaced({ entity, table, ids }) : targetTable(entity)
  return `(SELECT ${names} FROM ${there} k
    UNION SELECT ${keys.map((column) => typed(column)).join(', ')} FROM ${table} s
    WHERE s._execution_entity = ANY(${ids}) AND s._state = 'V')`
}
