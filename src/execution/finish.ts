import { EntrepotError, errorBody } from '../errors'
import type { Queryable } from '../platform/database'
import { observe } from '../platform/observe'
import { storableJson } from './storable'

/**
 * Locks executions whose entities are about to end, behind their messages, which is the order of all who lock both. Before
 * the entities' own rows, in every transaction that ends some: the one that ends first may have to stop the others.
 */
export async function lockExecutions(tx: Queryable, executionIds: readonly string[]): Promise<void> {
  await tx.query(
    `SELECT FROM entrepot.message m JOIN entrepot.execution x ON x.message_id = m.id WHERE x.id = ANY($1)
     ORDER BY m.id, x.id FOR NO KEY UPDATE OF m, x`,
    [executionIds],
  )
}

/**
 * SQL: that no execution of its message is newer than `x`, which alone says how the message fares. As an expression it
 * is looked up by the index, execution by execution, however many there are.
 */
export const isNewest = `x.created_at = (
  SELECT max(newer.created_at) FROM entrepot.execution newer WHERE newer.message_id = x.message_id)`

/**
 * Ends the executions, and the messages whose newest they are, whose entities have all come to an end; entities that wait behind one with
 * errors whose switches say so come to theirs here. Call it behind `lockExecutions`, in the transaction that ended an entity.
 * Input   `ordered`: those of them that may have entities which wait for others.
 * Returns the messages that ended now.
 */
export async function finishExecutions(
  tx: Queryable,
  executionIds: readonly string[],
  ordered: readonly string[] = executionIds,
): Promise<FinishedMessage[]> {
  if (ordered.length > 0) await stopFollowers(tx, ordered)
  return tx.query<FinishedMessage>(
    `WITH open AS (
       SELECT id FROM entrepot.execution WHERE id = ANY($1) AND state = 'NotRun'
     ), ended AS (
       SELECT e.execution_id, bool_or(e.state IN ('Failed', 'NotRun')) AS failed, bool_or(e.state = 'Canceled') AS canceled,
         bool_and(e.state IN ('Failed', 'NotRun')) AS all_failed,
         bool_and(e.state = 'NotRun' OR e.state = 'Failed' AND e.staging_finished_at IS NULL) AS rejected,
         -- What was stopped may have been staged by then or not: that makes no difference.
         sum(e.records_in_error) FILTER (WHERE e.state <> 'NotRun') AS in_error,
         sum(e.records_read) FILTER (WHERE e.state <> 'NotRun') AS read
       FROM entrepot.execution_entity e JOIN open ON open.id = e.execution_id
       GROUP BY e.execution_id HAVING bool_and(e.state NOT IN ('Staging', 'Promoting'))
     ), executions AS (
       UPDATE entrepot.execution x SET finished_at = now(), state = CASE
         WHEN ended.canceled THEN 'Canceled'
         WHEN ended.all_failed OR (ended.in_error > 0 AND ended.in_error = ended.read) THEN 'Failed'
         WHEN ended.failed OR ended.in_error > 0 THEN 'PartiallySucceeded' ELSE 'Succeeded' END
       FROM ended WHERE x.id = ended.execution_id RETURNING x.id, x.message_id, x.created_at, ended.*
     )
     UPDATE entrepot.message m SET finished_at = now(),
       blocks = m.blocks AND x.failed,
       state = CASE WHEN x.canceled THEN 'Canceled' WHEN x.rejected THEN 'PreProcessingError'
         WHEN x.all_failed THEN 'PostProcessingError' WHEN x.failed OR x.in_error > 0 THEN 'ProcessedWithErrors'
         ELSE 'Processed' END
     FROM executions x WHERE m.id = x.message_id AND ${isNewest}
     RETURNING m.id AS "messageId", x.id AS "executionId", m.state, m.activity_id AS "activityId"`,
    [executionIds],
  )
}

/** A message that has come to its end. */
export interface FinishedMessage {
  readonly messageId: string
  readonly executionId: string
  readonly state: string
  readonly activityId: string | null
}

/** Says which messages have come to their end, once it is committed. */
export function observeFinishedMessages(finished: readonly FinishedMessage[]): void {
  for (const { messageId, executionId, state } of finished) {
    observe({ at: 'message.finished', messageId, executionId, state })
  }
}

/**
 * Stops what stands behind an entity with errors: the following levels of its unit, or all that follows in its unit.
 * What is under way is stopped as well: its claim holds no more.
 */
async function stopFollowers(tx: Queryable, executionIds: readonly string[]): Promise<void> {
  await tx.query(
    `WITH open AS MATERIALIZED (
       SELECT x.id FROM entrepot.execution x WHERE x.id = ANY($1) AND x.state = 'NotRun' AND EXISTS (
         SELECT FROM entrepot.execution_entity e
         WHERE e.execution_id = x.id AND (e.fail_level_on_error OR e.fail_unit_on_error))
     ), stopped AS (
       UPDATE entrepot.execution_entity e SET state = 'NotRun', epoch = e.epoch + 1, lease_until = NULL
       FROM open, entrepot.execution_entity bad
       WHERE e.execution_id = open.id AND e.state IN ('Staging', 'Promoting')
         AND bad.execution_id = e.execution_id AND bad.execution_unit = e.execution_unit
         AND (bad.state IN ('Failed', 'Canceled') OR bad.state = 'Finished' AND bad.records_in_error > 0)
         AND (bad.fail_level_on_error AND bad.level_in_unit < e.level_in_unit
           OR bad.fail_unit_on_error AND (bad.level_in_unit, bad.sequence_in_level) < (e.level_in_unit, e.sequence_in_level))
       RETURNING e.execution_id, e.entity, bad.entity AS bad
     )
     INSERT INTO entrepot.execution_log (execution_id, code, text)
     SELECT DISTINCT ON (execution_id, entity) execution_id, 'EP107', entity || ' is not run: ' || bad || ' before it has errors'
     FROM stopped`,
    [executionIds],
  )
}

/** How much of a reason stands in a log: what follows is the database's or a library's own context. */
const reasonLength = 300

/**
 * Says in the logs of their executions why a try of work came to nothing; `exhaustedError` finds it there.
 * Input   `reason`: the text of what went wrong; credentials in an address and what is beyond measure are left out.
 */
export async function noteFailedTry(db: Queryable, ids: readonly number[], reason: string): Promise<void> {
  const text = reason
    .replace(/:\/\/[^\s/]*@/g, '://…@')
    .replace(/\0/g, '')
    .slice(0, reasonLength)
  await db.query(
    `INSERT INTO entrepot.execution_log (execution_id, code, text)
     SELECT execution_id, 'ES106', entity || ${tryFailed} || $2 FROM entrepot.execution_entity WHERE id = ANY($1)`,
    [ids, text],
  )
}

/** SQL: what stands between the entity and the reason. */
const tryFailed = `': a try failed: '`

/** The error (ES106) of work that was tried too often, with why its last try failed, where it was not just killed. */
export async function exhaustedError(db: Queryable, id: number, tries: number): Promise<EntrepotError> {
  const [last] = await db.query<{ reason: string }>(
    `SELECT substr(l.text, length(e.entity || ${tryFailed}) + 1) AS reason
     FROM entrepot.execution_entity e JOIN entrepot.execution_log l ON l.execution_id = e.execution_id
     WHERE e.id = $1 AND l.code = 'ES106' AND starts_with(l.text, e.entity || ${tryFailed}) AND l.at >= e.staging_started_at
     ORDER BY l.id DESC LIMIT 1`,
    [id],
  )
  const text = `The work was tried ${tries} times without progress`
  return new EntrepotError('ES106', last === undefined ? text : `${text}; the last error was: ${last.reason}`)
}

/** Fails entities whose claim still holds, each with the error that people will see on it and its message. */
export async function failWork(
  tx: Queryable,
  failures: readonly { id: number; epoch: number; error: EntrepotError }[],
): Promise<FinishedMessage[]> {
  const rows = failures.map(({ id, epoch, error }) => ({ id, epoch, error: errorBody(error).error }))
  const executions = await tx.query<{ executionId: string }>(
    'SELECT execution_id AS "executionId" FROM entrepot.execution_entity WHERE id = ANY($1)',
    [failures.map(({ id }) => id)],
  )
  await lockExecutions(
    tx,
    executions.map(({ executionId }) => executionId),
  )
  const failed = await tx.query<{ executionId: string }>(
    `WITH failure AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS f(id bigint, epoch integer, error jsonb)
     ), failed AS (
       UPDATE entrepot.execution_entity e SET state = 'Failed', lease_until = NULL, error = failure.error,
         target_finished_at = CASE WHEN e.state = 'Promoting' THEN now() END
       FROM failure WHERE e.id = failure.id AND e.epoch = failure.epoch AND e.state IN ('Staging', 'Promoting')
       RETURNING e.execution_id, failure.error
     ), noted AS (
       UPDATE entrepot.message m SET error = failed.error
       FROM failed JOIN entrepot.execution x ON x.id = failed.execution_id
       WHERE m.id = x.message_id AND ${isNewest}
     )
     SELECT DISTINCT execution_id AS "executionId" FROM failed`,
    [storableJson(rows)],
  )
  return finishExecutions(
    tx,
    failed.map(({ executionId }) => executionId),
  )
}
