import type { Entity } from '../entity'
import type { Context } from '../execution/context'
import { finishExecutions, lockExecutions } from '../execution/finish'
import { fence, type Work } from '../execution/work'
import type { Transaction } from '../platform/database'
import { faultPoint } from '../platform/faults'
import { type CheckResult, checkedEntities, checkStaged } from './checks'
import { entityNamed } from './entity-named'
import { joinWithTargets } from './joins'
import { boundIdleTime, lockTargets } from './locks'
import { observeFinished } from './observe-finished'
import { fromStaged, keyList, type StagedSet, setKey, stagedSet } from './staged-set'
import { type UpsertCounts, upsertTogether } from './upsert'

/** What became of one work's records. */
type Account = UpsertCounts & Pick<CheckResult, 'inError' | 'superseded'>

/** Promotes many small messages in one transaction, related entities first, messages of one key in their order. */
export async function promoteTogether(context: Context, works: readonly Work[]): Promise<void> {
  const startedAt = performance.now()
  const entities = context.registry.all.filter(({ name }) => works.some(({ entity }) => entity === name))
  for (const work of works) entityNamed(context.registry, work)
  const finished = await context.db.transaction(async (tx) => {
    await boundIdleTime(tx, context.limits.leaseSeconds)
    await lockTargets(tx, entities, 'exclusive')
    const accounts = new Map<number, Account>()
    for (const entity of entities) {
      const ofEntity = works.filter((work) => work.entity === entity.name)
      await promoteEntity(tx, context, entity, ofEntity, accounts)
    }
    const executionIds = [...new Set(works.map(({ executionId }) => executionId))]
    await lockExecutions(tx, executionIds)
    await fence(tx, works)
    await saveAccounts(tx, works, accounts)
    const ordered = works.filter(({ isOrdered }) => isOrdered).map(({ executionId }) => executionId)
    const ended = await finishExecutions(tx, executionIds, ordered)
    faultPoint('promote.beforeCommit')
    return ended
  })
  await observeFinished(context.db, works, finished, startedAt)
}

async function promoteEntity(
  tx: Transaction,
  { registry }: Context,
  entity: Entity,
  works: readonly Work[],
  accounts: Map<number, Account>,
): Promise<void> {
  const stagedBytes = works.reduce((sum, { bytes }) => sum + bytes, 0)
  await joinWithTargets(tx, checkedEntities(registry, entity), stagedBytes)
  for (const set of setsOf(entity, works)) {
    for (const { id, inError, superseded } of await checkStaged(tx, registry, set)) {
      accounts.set(id, { inserted: 0, updated: 0, unchanged: 0, inError, superseded })
    }
  }
  await joinWithTargets(tx, [entity], stagedBytes)
  for (let rest = works; rest.length > 0; ) {
    const later = await laterOfOneKey(tx, entity, rest)
    for (const set of setsOf(
      entity,
      rest.filter(({ id }) => !later.has(id)),
    )) {
      for (const [id, counts] of await upsertTogether(tx, set)) {
        accounts.set(id, { inError: 0, superseded: 0, ...accounts.get(id), ...counts })
      }
    }
    rest = rest.filter(({ id }) => later.has(id))
  }
}

function setsOf(entity: Entity, works: readonly Work[]): StagedSet[] {
  const groups = new Map<string, Work[]>()
  for (const work of works) groups.set(setKey(work), [...(groups.get(setKey(work)) ?? []), work])
  return [...groups.values()].map((group) => stagedSet(entity, group))
}

/** Works that hold a key which an earlier one of them holds too: they are promoted after it, not with it. */
async function laterOfOneKey(tx: Transaction, entity: Entity, works: readonly Work[]): Promise<Set<number>> {
  const [first] = works
  if (works.length < 2 || (first?.disjoint && works.every(({ disjoint }) => disjoint === first.disjoint)))
    return new Set()
  const set = stagedSet(entity, works)
  const rows = await tx.query<{ id: number }>(
    `SELECT DISTINCT id FROM (
       SELECT s._execution_entity AS id, min(s._execution_entity) OVER (PARTITION BY ${keyList(entity, 's')}) AS first
       ${fromStaged(set)}) keyed WHERE id > first`,
    [set.ids],
  )
  return new Set(rows.map(({ id }) => id))
}

async function saveAccounts(tx: Transaction, works: readonly Work[], accounts: Map<number, Account>): Promise<void> {
  const rows = works.map(({ id }) => {
    const { inserted = 0, updated = 0, unchanged = 0, superseded = 0, inError = 0 } = accounts.get(id) ?? {}
    return { id, inserted, updated, unchanged, superseded, in_error: inError }
  })
  await tx.query(
    `UPDATE entrepot.execution_entity e SET state = 'Finished', lease_until = NULL, attempts = 0, checked = true,
       target_finished_at = now(), records_inserted = a.inserted, records_updated = a.updated,
       records_unchanged = a.unchanged, records_superseded = a.superseded, records_in_error = a.in_error
     FROM jsonb_to_recordset($1::jsonb) AS a(id bigint, inserted bigint, updated bigint, unchanged bigint,
       superseded bigint, in_error bigint) WHERE e.id = a.id`,
    [JSON.stringify(rows)],
  )
}
