import type { Entity } from '../entity'
import type { Context } from '../execution/context'
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

/**
 * Runs the work while no other large execution of the entity is promoted: their parts would wait for each other's rows
 * in all directions. A transaction of its own holds the turn; it is kept awake as long as this process runs, and ended
 * by the server when the process is stopped.
 */
export function inTurn(
  { db, limits }: Pick<Context, 'db' | 'limits'>,
  entity: Entity,
  work: () => Promise<void>,
): Promise<void> {
  return db.transaction(async (tx) => {
    await boundIdleTime(tx, limits.leaseSeconds)
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 3))', [entity.name])
    // A lost turn shows when the transaction commits; the work's own writes are safe without it.
    const awake = () => void tx.query('SELECT').catch(() => undefined)
    const timer = setInterval(awake, (limits.leaseSeconds * 1000) / 3)
    try {
      await work()
    } finally {
      clearInterval(timer)
    }
  })
}

/** Sees to it that a transaction whose process was stopped does not hold up others for longer than a lease. */
export async function boundIdleTime(tx: Queryable, leaseSeconds: number): Promise<void> {
  await tx.query(`SET LOCAL idle_in_transaction_session_timeout = ${Math.ceil(leaseSeconds) * 1000}`)
}
