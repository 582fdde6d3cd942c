import type { CompositeEntity } from '../entity'
import type { Context } from '../execution/context'
import { fence, type Work } from '../execution/work'
import type { Queryable } from '../platform/database'
import { faultPoint } from '../platform/faults'
import { checkDocuments } from './check-documents'
import { checkedEntities } from './checks'
import { emptyTarget } from './empty-target'
import { joinWithTargets } from './joins'
import { boundIdleTime, lockTargets } from './locks'
import { memberSets } from './member-sets'
import { observeFinished } from './observe-finished'
import { finishPromotion, type Part, savePart } from './promote-alone'
import { isFirstRound, type StagedSet } from './staged-set'
import { type UpsertCounts, upsertPart } from './upsert'

/**
 * Promotes the documents of a composite's execution in parts, one after another; a part is whole documents in one
 * transaction, so that none is ever there in half. Records that the target has and a document has not stay.
 */
export async function promoteComposite(context: Context, work: Work, composite: CompositeEntity): Promise<void> {
  const startedAt = performance.now()
  const sets = memberSets(composite, work)
  if (!work.checked) await check(context, work, composite, sets)
  for (const part of await planParts(context, work, sets[0]!)) {
    if (!work.promotedChunks.includes(part.number)) await promotePart(context, work, sets, part)
  }
  const finished = await finishPromotion(context, work, sets)
  await observeFinished(context.db, [work], finished, startedAt)
}

/** The entities whose target tables the checks of these sets read. */
export function entitiesOf({ registry }: Pick<Context, 'registry'>, sets: readonly StagedSet[]) {
  return [...new Set(sets.flatMap(({ entity }) => checkedEntities(registry, entity)))]
}

async function check(
  context: Context,
  work: Work,
  composite: CompositeEntity,
  sets: readonly StagedSet[],
): Promise<void> {
  const { db, registry, limits } = context
  await db.transaction(async (tx) => {
    await boundIdleTime(tx, limits.leaseSeconds)
    await joinWithTargets(tx, entitiesOf(context, sets), work.bytes)
    if (work.scope === 'selected') await selectWholeDocuments(tx, sets)
    if (work.settings.truncateEntityData && (await isFirstRound(tx, work, sets[0]!))) await emptyTargets(tx, work, sets)
    const { inError, superseded } = await checkDocuments(tx, registry, composite, work, sets)
    await fence(tx, [work])
    await tx.query(
      `UPDATE entrepot.execution_entity SET checked = true, records_in_error = $2, records_superseded = $3, attempts = 0,
         lease_until = now() + make_interval(secs => $4) WHERE id = $1`,
      [work.id, inError, superseded, limits.leaseSeconds],
    )
  })
  faultPoint('promote.afterCheck')
}

/** The companies that are emptied are those of the documents: a document may have no record of some member. */
async function emptyTargets(tx: Queryable, work: Work, sets: readonly StagedSet[]): Promise<void> {
  for (const { entity } of [...sets].reverse()) await emptyTarget(tx, work, { ...sets[0]!, entity })
}

/** A person may have marked some records of a document: all of it is meant. */
async function selectWholeDocuments(tx: Queryable, sets: readonly StagedSet[]): Promise<void> {
  const marked = sets.map(
    ({ table }) => `SELECT s._document FROM ${table} s WHERE s._execution_entity = ANY($1) AND s._state = 'R'`,
  )
  for (const { table, ids } of sets) {
    await tx.query(
      `WITH marked AS MATERIALIZED (${marked.join(' UNION ')})
       UPDATE ${table} s SET _state = 'R' FROM marked
       WHERE s._execution_entity = ANY($1) AND s._document = marked._document AND s._state = 'V'`,
      [ids],
    )
  }
}

/** Parts of about so many records each. A part begins with a document, whose record number is its first. */
async function planParts({ db, limits }: Context, { stagedRecords }: Work, { table, ids }: StagedSet): Promise<Part[]> {
  const rows = await db.query<{ first: number | null }>(
    `SELECT (SELECT s._record_number FROM ${table} s WHERE s._execution_entity = ANY($1) AND s._record_number >= wanted
       ORDER BY s._record_number LIMIT 1) AS first
     FROM generate_series(1, $2::bigint, $3::bigint) AS wanted ORDER BY 1`,
    [ids, stagedRecords, limits.partRecords],
  )
  const firsts = [...new Set(rows.flatMap(({ first }) => (first === null ? [] : [first])))]
  return firsts.map((first, number) => ({
    number,
    count: firsts.length,
    condition: `AND s._record_number >= ${first} AND s._record_number < ${firsts[number + 1] ?? stagedRecords + 1}`,
  }))
}

async function promotePart(context: Context, work: Work, sets: readonly StagedSet[], part: Part): Promise<void> {
  const entities = sets.map(({ entity }) => entity)
  await context.db.transaction(async (tx) => {
    await boundIdleTime(tx, context.limits.leaseSeconds)
    await lockTargets(tx, entities, 'exclusive')
    await joinWithTargets(tx, entities, work.bytes / part.count)
    const all: UpsertCounts[] = []
    for (const set of sets) {
      all.push(await upsertPart(tx, set, part.condition))
      faultPoint('promote.afterMember')
    }
    await savePart(tx, work, part, sumOf(all), context.limits.leaseSeconds)
    faultPoint('promote.beforeCommit')
  })
  faultPoint('promote.afterPart')
}

/** The counts of several members together. */
export function sumOf(all: readonly UpsertCounts[]): UpsertCounts {
  const sum = (count: keyof UpsertCounts) => all.reduce((total, counts) => total + counts[count], 0)
  return { inserted: sum('inserted'), updated: sum('updated'), unchanged: sum('unchanged') }
}
