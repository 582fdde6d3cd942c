import { randomUUID } from 'node:crypto'
import { RequestRefused } from '../errors'
import type { Database, Transaction } from '../platform/database'
import { finishExecutions } from './finish'
import { demandBytes, demandStaged } from './removed'
import { findExecution, findMessage } from './report'
import type { DueWork } from './work'

/** What an action set going; ring for `due` when it is committed. */
export interface ActionResult {
  readonly executionId: string
  readonly due: readonly DueWork[]
}

/**
 * Runs an execution again: the records in error, from their staged texts, in the same execution; or, where it failed as
 * a whole or was cancelled, the whole message in a new execution.
 * Throws  RequestRefused EA108 (404), EA110 (409) when it is under way, has nothing to retry, or is not the newest, EA130
 *         (410) when the bytes or staged records that it takes were removed.
 */
export async function retryExecution(db: Database, executionId: string): Promise<ActionResult> {
  const { messageId } = await findExecution(db, executionId)
  return db.transaction(async (tx) => {
    const execution = await lockExecution(tx, executionId, messageId)
    if (execution.state === 'NotRun') throw refused(`The execution ${executionId} is still under way`)
    if (!execution.is_newest) throw refused(`The message of ${executionId} has a newer execution: retry that one`)
    if (execution.state === 'Canceled' || execution.has_failed) {
      await demandBytes(tx, messageId)
      return runMessageAgain(tx, messageId, executionId)
    }
    if (execution.in_error === 0) throw refused(`The execution ${executionId} has no records in error`)
    await demandStaged(tx, executionId)
    return { executionId, due: await runErrorsAgain(tx, executionId) }
  })
}

interface LockedExecution {
  readonly state: string
  readonly is_newest: boolean
  readonly has_failed: boolean
  readonly in_error: number
}

/** Locks message and execution, so that two actions on them follow one another. */
async function lockExecution(tx: Transaction, executionId: string, messageId: string): Promise<LockedExecution> {
  await tx.query('SELECT id FROM entrepot.message WHERE id = $1 FOR UPDATE', [messageId])
  const [execution] = await tx.query<LockedExecution>(
    `SELECT x.state,
       NOT EXISTS (SELECT FROM entrepot.execution y WHERE y.message_id = x.message_id AND y.created_at > x.created_at) AS is_newest,
       (SELECT bool_or(e.state = 'Failed') FROM entrepot.execution_entity e WHERE e.execution_id = x.id) AS has_failed,
       (SELECT sum(e.records_in_error)::bigint FROM entrepot.execution_entity e WHERE e.execution_id = x.id) AS in_error
     FROM entrepot.execution x WHERE x.id = $1 FOR UPDATE OF x`,
    [executionId],
  )
  // The clean-up may have been faster.
  if (!execution) throw new RequestRefused(404, 'EA108', `There is no execution '${executionId}' any more`)
  return execution
}

async function runErrorsAgain(tx: Transaction, executionId: string): Promise<DueWork[]> {
  await tx.query(
    `WITH x AS (UPDATE entrepot.execution SET state = 'NotRun', finished_at = NULL WHERE id = $1 RETURNING message_id)
     UPDATE entrepot.message m SET state = 'Enqueued', finished_at = NULL FROM x WHERE m.id = x.message_id`,
    [executionId],
  )
  return tx.query<DueWork>(
    `UPDATE entrepot.execution_entity SET state = 'Staging', scope = 'errors', checked = false, promoted_chunks = '{}',
       attempts = 0, lease_until = NULL, due_at = now()
     WHERE execution_id = $1 AND records_in_error > 0 RETURNING id, epoch, state`,
    [executionId],
  )
}

async function runMessageAgain(tx: Transaction, messageId: string, executionId: string): Promise<ActionResult> {
  const newId = randomUUID()
  await tx.query(`UPDATE entrepot.message SET state = 'Enqueued', finished_at = NULL, error = NULL WHERE id = $1`, [
    messageId,
  ])
  await tx.query('INSERT INTO entrepot.execution (id, message_id, created_at) VALUES ($1, $2, clock_timestamp())', [
    newId,
    messageId,
  ])
  const due = await tx.query<DueWork>(
    `INSERT INTO entrepot.execution_entity (execution_id, message_seq, ordered_activity, entity, small)
     SELECT $1, message_seq, ordered_activity, entity, small FROM entrepot.execution_entity WHERE execution_id = $2
     RETURNING id, epoch, state`,
    [newId, executionId],
  )
  return { executionId: newId, due }
}

/**
 * Cancels an execution that is under way: whoever works on it writes nothing more, what is promoted stays. One that has
 * failed in an ordered activity can be cancelled as well, which lets the messages behind it go on.
 * Throws  RequestRefused EA108 (404), EA110 (409) when it has ended otherwise.
 */
export async function cancelExecution(db: Database, executionId: string): Promise<ActionResult> {
  const { messageId } = await findExecution(db, executionId)
  return db.transaction(async (tx) => {
    const execution = await lockExecution(tx, executionId, messageId)
    if (execution.state !== 'NotRun') {
      const { isBlocking } = await findMessage(tx, messageId)
      if (!isBlocking) throw refused(`The execution ${executionId} has ended already`)
      await tx.query(`UPDATE entrepot.execution SET state = 'Canceled' WHERE id = $1`, [executionId])
      await tx.query(`UPDATE entrepot.message SET state = 'Canceled' WHERE id = $1`, [messageId])
    } else {
      // The epoch goes up, so that the writes of whoever holds the work are refused.
      await tx.query(
        `UPDATE entrepot.execution_entity SET state = 'Canceled', epoch = epoch + 1, lease_until = NULL
         WHERE execution_id = $1 AND state IN ('Staging', 'Promoting')`,
        [executionId],
      )
      await finishExecutions(tx, [executionId])
    }
    return { executionId, due: await releaseSuccessors(tx, messageId) }
  })
}

/**
 * Lets the messages behind a failed one of an ordered activity go on; the failed one stays as it is.
 * Throws  RequestRefused EA108 (404), EA110 (409) when it blocks nothing.
 */
export async function skipMessage(db: Database, messageId: string): Promise<ActionResult> {
  return db.transaction(async (tx) => {
    const { isBlocking, executionId } = await findMessage(tx, messageId)
    if (!isBlocking)
      throw refused(`The message ${messageId} holds up no others: only a failed one of an ordered activity does`)
    return { executionId, due: await releaseSuccessors(tx, messageId) }
  })
}

async function releaseSuccessors(tx: Transaction, messageId: string): Promise<DueWork[]> {
  return tx.query<DueWork>(
    `WITH released AS (UPDATE entrepot.message SET blocks = false WHERE id = $1 RETURNING id, activity_id, seq)
     SELECT e.id, e.epoch, e.state FROM released r JOIN entrepot.execution_entity e ON e.ordered_activity = r.activity_id
     WHERE e.state = 'Staging' AND e.message_seq = (
       SELECT min(m.seq) FROM entrepot.message m WHERE m.activity_id = r.activity_id AND m.blocks AND m.id <> r.id)`,
    [messageId],
  )
}

function refused(message: string): RequestRefused {
  return new RequestRefused(409, 'EA110', message)
}
