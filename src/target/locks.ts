import type { Entity } from '../entity'
import type { Queryable } from '../platform/database'

/**
 * Who may write an entity's target at the same time: the parts of one large execution (which share no key), or one group
 * of small messages. Two writers with common keys would otherwise meet as unique violations and deadlocks.
 * The lock is held until the transaction ends; several are taken in the order of their names.
 */
export async function lockTargets(
  tx: Queryable,
  entities: readonly Entity[],
  mode: 'shared' | 'exclusive',
): Promise<void> {
  const lock = mode === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock'
  for (const name of entities.map((entity) => entity.name).sort()) {
    await tx.query(`SELECT ${lock}(hashtextextended($1, 2))`, [name])
  }
}

/** Sees to it that a transaction whose process was stopped does not hold up others for longer than a lease. */
export async function boundIdleTime(tx: Queryable, leaseSeconds: number): Promise<void> {
  await tx.query(`SET LOCAL idle_in_transaction_session_timeout = ${Math.ceil(leaseSeconds) * 1000}`)
}

/** Few records meet tables of any size: looking each up in an index is right, whatever the statistics say. */
export async function lookUpInIndexes(tx: Queryable): Promise<void> {
  await tx.query('SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off')
}
