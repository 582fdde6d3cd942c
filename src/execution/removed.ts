import { RequestRefused } from '../errors'
import type { Queryable } from '../platform/database'
import { hasBytes } from './clean-scope'

/**
 * Refuses to go on when the bytes of a message are gone. Call it with the message's row locked, and they stay.
 * Throws  RequestRefused EA130 (410).
 */
export async function demandBytes(db: Queryable, messageId: string): Promise<void> {
  const gone = await db.query(`SELECT FROM entrepot.message m WHERE m.id = $1 AND m.bytes > 0 AND NOT ${hasBytes}`, [
    messageId,
  ])
  if (gone.length === 0) return
  const text = `The bytes of the message ${messageId} are gone: a clean-up removed them`
  throw new RequestRefused(410, 'EA130', text, { messageId })
}

/**
 * Refuses to go on when staged records of an execution that are in error or wait to be promoted are gone. Call it with its
 * message's row locked, and they stay.
 * Throws  RequestRefused EA130 (410).
 */
export async function demandStaged(db: Queryable, executionId: string): Promise<void> {
  const gone = await db.query<{ entity: string; at: Date }>(
    `SELECT entity, staging_removed_at AS at FROM entrepot.execution_entity
     WHERE execution_id = $1 AND (records_in_error > 0 OR state = 'Staged') AND staging_removed_at IS NOT NULL
     ORDER BY id LIMIT 1`,
    [executionId],
  )
  for (const { entity, at } of gone) throw stagedGone(executionId, entity, at)
}

/** The refusal (EA130, 410) of what needs staged records that are gone. */
export function stagedGone(executionId: string, entity: string, at: Date): RequestRefused {
  const text = `The staged records of the execution ${executionId} are gone: a clean-up removed them on ${at.toISOString().slice(0, 10)}`
  return new RequestRefused(410, 'EA130', text, { executionId, entity })
}
