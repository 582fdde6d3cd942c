import type { Entity } from '../entity'
import { targetTable } from '../entity/names'
import type { Queryable } from '../platform/database'

/**
 * Says how the statements of this transaction join from now on, because the planner cannot know: staging tables are
 * fresh, and a target that is empty when the plan is made grows while the plan runs, which makes a nested loop over it
 * quadratic.
 * - `byHash`: each table is read once; right where staged records are many beside it.
 * - `byIndex`: each record is looked up; right where the table is large beside the staged records.
 */
async function join(tx: Queryable, how: 'byHash' | 'byIndex'): Promise<void> {
  const [loops, hashes] = how === 'byHash' ? ['off', 'on'] : ['on', 'off']
  await tx.query(
    `SET LOCAL enable_nestloop = ${loops}; SET LOCAL enable_hashjoin = ${hashes}; SET LOCAL enable_mergejoin = off`,
  )
}

/** A record looked up in an index costs about as much as reading twenty records in order. */
const lookUpCost = 20

/** Chooses how staged records of so many bytes are joined with the target tables of these entities. */
export async function joinWithTargets(tx: Queryable, entities: readonly Entity[], stagedBytes: number): Promise<void> {
  const [size] = await tx.query<{ bytes: number }>(
    'SELECT coalesce(sum(pg_relation_size(name::regclass)), 0)::bigint AS bytes FROM unnest($1::text[]) AS name',
    [entities.map(targetTable)],
  )
  await join(tx, size!.bytes <= lookUpCost * stagedBytes ? 'byHash' : 'byIndex')
}
