import { type Entity, type EntityRegistry, quoteIdentifier, stagingTable, targetTable } from '../entity'
import type { Context } from '../execution/context'
import { type FinishedMessage, finishExecutions, lockExecutions } from '../execution/finish'
import { fence, type Work } from '../execution/work'
import type { Queryable } from '../platform/database'
import { type CheckResult, checkedEntities, checkStaged, type PlaceOf } from './checks'
import { entityNamed } from './entity-named'
import { joinWithTargets } from './joins'
import { boundIdleTime } from './locks'
import { observeFinished } from './observe-finished'
import { stagedSet, typed } from './staged-set'
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
    const placeOf = await placesBefore(tx, registry, work)
    await joinWithTargets(tx, checkedEntities(registry, entity), work.bytes)
    const [{ inError, superseded } = { inError: 0, superseded: 0 }] = await checkStaged(tx, registry, set, placeOf)
    await joinWithTargets(tx, [entity], work.bytes)
    const counts = await countUpsert(tx, set, work.settings.truncateEntityData ? { emptiedFor: work.company } : {})
    const { inserted = 0, updated = 0, unchanged = 0 } = counts.get(work.id) ?? {}
    return saveValidation(tx, work, { inError, superseded, inserted, updated, unchanged })
  })
  await observeFinished(db, [work], finished, startedAt)
}

/** What validating found, and what promoting would do. */
type Account = UpsertCounts & Pick<CheckResult, 'inError' | 'superseded'>

/** Ends a validated entity with what promoting it would do. Throws Conflict. */
export async function saveValidation(tx: Queryable, work: Work, account: Account): Promise<FinishedMessage[]> {
  await lockExecutions(tx, [work.executionId])
  await fence(tx, [work])
  await (work.executionMode === 'stage' ? backToStaged(tx, work, account) : saveAccount(tx, work, account))
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
async function backToStaged(tx: Queryable, { id, executionId, entity }: Work, account: Account): Promise<void> {
  const { inError, superseded, inserted, updated, unchanged } = account
  await tx.query(
    `UPDATE entrepot.execution_entity SET state = 'Staged', mode = 'stage', lease_until = NULL, attempts = 0,
       records_in_error = $2, records_superseded = $3 WHERE id = $1`,
    [id, inError, superseded],
  )
  await tx.query('INSERT INTO entrepot.execution_log (execution_id, text) VALUES ($1, $2)', [
    executionId,
    `${entity} was validated: ${inserted} would be inserted, ${updated} updated, ${unchanged} left as they are, ${inError} are in error`,
  ])
}

interface ValidatedEntity {
  readonly id: number
  readonly entity: string
  readonly staging: string | null
}

/** The entities of the execution that are done already: their good records would be in the target by now. */
export async function placesBefore(tx: Queryable, registry: EntityRegistry, { executionId }: Work): Promise<PlaceOf> {
  const done = await tx.query<ValidatedEntity>(
    `SELECT id, entity, staging_table AS staging FROM entrepot.execution_entity
     WHERE execution_id = $1 AND state = 'Finished'`,
    [executionId],
  )
  return (entity) => {
    const before = done.find((each) => each.entity === entity.name || isMember(registry, each.entity, entity))
    return before === undefined ? targetTable(entity) : withStaged(entity, before)
  }
}

/** Whether the records of a composite's execution are of this entity too. */
function isMember(registry: EntityRegistry, composite: string, { name }: Entity): boolean {
  return registry.findComposite(composite)?.members.some(({ entity }) => entity.name === name) ?? false
}

/** SQL: the keys of the target's records and of the staged good ones, as a sub-query. */
function withStaged(entity: Entity, { id, staging }: ValidatedEntity): string {
  const keys = entity.columns.filter(({ isKey }) => isKey)
  const table = staging ?? `ONLY ${stagingTable(entity)}`
  return `(SELECT ${keys.map(({ name }) => quoteIdentifier(name)).join(', ')} FROM ${targetTable(entity)}
    UNION SELECT ${keys.map((column) => typed(column)).join(', ')} FROM ${table} s
    WHERE s._execution_entity = ${BigInt(id)} AND s._state = 'V')`
}
