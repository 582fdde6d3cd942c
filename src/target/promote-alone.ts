import type { Entity } from '../entity'
import { Conflict } from '../errors'
import type { Context } from '../execution/context'
import { type FinishedMessage, finishExecutions, lockExecutions } from '../execution/finish'
import { fence, type Work } from '../execution/work'
import type { Queryable } from '../platform/database'
import { faultPoint } from '../platform/faults'
import { checkedEntities, checkStaged } from './checks'
import { emptyTarget } from './empty-target'
import { entityNamed } from './entity-named'
import { joinWithTargets } from './joins'
import { boundIdleTime, inTurn, lockTargets } from './locks'
import { observeFinished } from './observe-finished'
import { isFirstRound, type StagedSet, stagedSet } from './staged-set'
import { type UpsertCounts, upsertPart } from './upsert'

/** Promotes one execution's entity in parts, several at a time; parts that were promoted before are left out. */
export async function promoteAlone(context: Context, work: Work): Promise<void> {
  const startedAt = performance.now()
  const entity = entityNamed(context.registry, work)
  const set = stagedSet(entity, [work])
  if (!work.checked) await check(context, work, set)
  const parts = (await planParts(context, work, set)).filter(({ number }) => !work.promotedChunks.includes(number))
  const promoteParts = () =>
    inParallel(parts, connectionsFor(context, work), (part) => promotePart(context, work, entity, set, part))
  await (parts.length > 1 ? inTurn(context, entity, promoteParts) : promoteParts())
  const finished = await finishPromotion(context, work, [set])
  await observeFinished(context.db, [work], finished, startedAt)
}

async function check({ db, registry, limits }: Context, work: Work, set: StagedSet): Promise<void> {
  await db.transaction(async (tx) => {
    await boundIdleTime(tx, limits.leaseSeconds)
    await joinWithTargets(tx, checkedEntities(registry, set.entity), work.bytes)
    if (work.settings.truncateEntityData && (await isFirstRound(tx, work, set))) {
      await lockTargets(tx, [set.entity], 'exclusive')
      await emptyTarget(tx, work, set)
    }
    const [result = { inError: 0, superseded: 0 }] = await checkStaged(tx, registry, set)
    await fence(tx, [work])
    await tx.query(
      `UPDATE entrepot.execution_entity SET checked = true, records_in_error = $2, records_superseded = $3, attempts = 0,
         lease_until = now() + make_interval(secs => $4) WHERE id = $1`,
      [work.id, result.inError, result.superseded, limits.leaseSeconds],
    )
  })
  faultPoint('promote.afterCheck')
}

/** A part of the staged records, as a condition on `s`. */
export interface Part {
  readonly number: number
  /** How many there are. */
  readonly count: number
  readonly condition: string
}

/** As many as the project asks for, from its threshold on; undefined where it does not. */
function tasksFor({ settings: { importThreshold = 0, taskCount }, stagedRecords }: Work): number | undefined {
  return stagedRecords >= importThreshold ? taskCount : undefined
}

function connectionsFor({ limits }: Context, work: Work): number {
  return tasksFor(work) ?? limits.promoteConnections
}

const wholeSet: Part = { number: 0, count: 1, condition: '' }

/**
 * Splits a staging table of its own by its pages, which stay as they are from the check on. Records in a shared one are one
 * part, unless the project asks for tasks: then they are split by their numbers.
 */
async function planParts(context: Context, work: Work, { table }: StagedSet): Promise<Part[]> {
  const { db, limits } = context
  if (work.scope !== 'all') return [wholeSet]
  if (work.stagingTable === null) return rangesOf(Math.min(tasksFor(work) ?? 1, work.stagedRecords), work.stagedRecords)
  // As many for each connection, so that none idles while another does the last one.
  const connections = connectionsFor(context, work)
  const rounds = Math.max(1, Math.round(work.stagedRecords / (limits.partRecords * connections)))
  const count = rounds * connections
  if (count <= 1) return [wholeSet]
  const [{ pages = 0 } = {}] = await db.query<{ pages: number }>(
    `SELECT pg_relation_size($1::regclass) / current_setting('block_size')::bigint AS pages`,
    [table],
  )
  const size = Math.ceil(pages / count)
  return Array.from({ length: count }, (_, number) => {
    const until = number === count - 1 ? '' : ` AND s.ctid < '(${(number + 1) * size},0)'::tid`
    return { number, count, condition: `AND s.ctid >= '(${number * size},0)'::tid${until}` }
  })
}

function rangesOf(count: number, records: number): Part[] {
  if (count <= 1) return [wholeSet]
  const size = Math.ceil(records / count)
  return Array.from({ length: count }, (_, number) => ({
    number,
    count,
    condition: `AND s._record_number BETWEEN ${number * size + 1} AND ${(number + 1) * size}`,
  }))
}

async function promotePart(context: Context, work: Work, entity: Entity, set: StagedSet, part: Part): Promise<void> {
  await context.db.transaction(async (tx) => {
    await boundIdleTime(tx, context.limits.leaseSeconds)
    await lockTargets(tx, [entity], work.stagingTable === null && part.count === 1 ? 'exclusive' : 'shared')
    await joinWithTargets(tx, [entity], work.bytes / part.count)
    faultPoint('promote.inPart')
    const counts = await upsertPart(tx, set, part.condition)
    await savePart(tx, work, part, counts, context.limits.leaseSeconds)
    faultPoint('promote.beforeCommit')
  })
  faultPoint('promote.afterPart')
}

/** Notes that a part is promoted, and its counts, in the transaction that promoted it. Throws Conflict. */
export async function savePart(
  tx: Queryable,
  { id, epoch }: Work,
  { number }: Pick<Part, 'number'>,
  { inserted, updated, unchanged }: UpsertCounts,
  leaseSeconds: number,
): Promise<void> {
  const saved = await tx.count(
    `UPDATE entrepot.execution_entity SET promoted_chunks = array_append(promoted_chunks, $3), attempts = 0,
       records_inserted = records_inserted + $4, records_updated = records_updated + $5,
       records_unchanged = records_unchanged + $6, lease_until = now() + make_interval(secs => $7)
     WHERE id = $1 AND epoch = $2 AND NOT promoted_chunks @> ARRAY[$3::integer]`,
    [id, epoch, number, inserted, updated, unchanged, leaseSeconds],
  )
  if (saved === 0) throw new Conflict('The work was taken over or cancelled: nothing more is written')
}

/** Ends an execution's entity all of whose parts are promoted. Input: the sets that they were of. Throws Conflict. */
export async function finishPromotion(
  { db }: Context,
  work: Work,
  sets: readonly StagedSet[],
): Promise<FinishedMessage[]> {
  return db.transaction(async (tx) => {
    await lockExecutions(tx, [work.executionId])
    await fence(tx, [work])
    const state = work.scope === 'all' ? 'Finished' : await settleSelected(tx, work, sets)
    // What was promoted piece by piece and has come to its end is like what was imported: a retry goes on from there.
    await tx.query(
      `UPDATE entrepot.execution_entity SET state = $2, lease_until = NULL, attempts = 0, target_finished_at = now(),
         mode = CASE WHEN $2 = 'Finished' THEN 'import' ELSE mode END
       WHERE id = $1`,
      [work.id, state],
    )
    const finished = await finishExecutions(tx, [work.executionId])
    faultPoint('promote.beforeFinish')
    return finished
  })
}

/** Marks the records of a run as promoted. Where some are still to be promoted, the entity is not finished. */
async function settleSelected(
  tx: Queryable,
  { mode }: Work,
  sets: readonly StagedSet[],
): Promise<'Finished' | 'Staged'> {
  const promoted = mode === 'stage' ? 'P' : 'V'
  for (const { table, ids } of sets) {
    const isRunning = `_execution_entity = ANY($1) AND _state = 'R'`
    await tx.query(`UPDATE ${table} SET _state = $2 WHERE ${isRunning}`, [ids, promoted])
  }
  if (mode !== 'stage') return 'Finished'
  for (const { table, ids } of sets) {
    const isWaiting = `_execution_entity = ANY($1) AND _state = 'V'`
    const waiting = await tx.query(`SELECT FROM ${table} WHERE ${isWaiting} LIMIT 1`, [ids])
    if (waiting.length > 0) return 'Staged'
  }
  return 'Finished'
}

/** Runs the items with so many at a time; after a failure no more are begun, and those under way are waited for. */
async function inParallel<T>(items: readonly T[], atATime: number, run: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items]
  let failed = false
  const lane = async () => {
    for (let item = rest.shift(); item !== undefined && !failed; item = rest.shift()) {
      await run(item).catch((error) => {
        failed = true
        throw error
      })
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: Math.max(1, atATime) }, lane))
  for (const outcome of lanes) if (outcome.status === 'rejected') throw outcome.reason
}
