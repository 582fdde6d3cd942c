import { type EntrepotError, errorBody } from '../errors'
import type { Queryable } from '../platform/database'
import { storableJson } from './storable'

/**
 * Ends the executions, and their messages, whose entities have all come to an end. Call it in the transaction that
 * ended an entity. Returns what ended now.
 */
export function finishExecutions(tx: Queryable, executionIds: readonly string[]): Promise<FinishedMessage[]> {
  return tx.query<FinishedMessage>(
    `WITH locked AS (
       SELECT id FROM entrepot.execution WHERE id = ANY($1) AND state = 'NotRun' ORDER BY id FOR UPDATE
     ), ended AS (
       SELECT e.execution_id, bool_or(e.state = 'Failed') AS failed, bool_or(e.state = 'Canceled') AS canceled,
         bool_or(e.state = 'Failed' AND e.staging_finished_at IS NULL) AS rejected,
         sum(e.records_in_error) AS in_error, sum(e.records_read) AS read
       FROM entrepot.execution_entity e JOIN locked ON locked.id = e.execution_id
       GROUP BY e.execution_id HAVING bool_and(e.state IN ('Finished', 'Failed', 'Canceled'))
     ), executions AS (
       UPDATE entrepot.execution x SET finished_at = now(), state = CASE
         WHEN ended.canceled THEN 'Canceled'
         WHEN ended.failed OR (ended.in_error > 0 AND ended.in_error = ended.read) THEN 'Failed'
         WHEN ended.in_error > 0 THEN 'PartiallySucceeded' ELSE 'Succeeded' END
       FROM ended WHERE x.id = ended.execution_id RETURNING x.id, x.message_id, ended.*
     )
     UPDATE entrepot.message m SET finished_at = now(),
       blocks = m.blocks AND x.failed,
       state = CASE WHEN x.canceled THEN 'Canceled' WHEN x.rejected THEN 'PreProcessingError'
         WHEN x.failed THEN 'PostProcessingError' WHEN x.in_error > 0 THEN 'ProcessedWithErrors' ELSE 'Processed' END
     FROM executions x WHERE m.id = x.message_id
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

/** Fails entities whose claim still holds, each with the error that people will see on its message. */
export async function failWork(
  tx: Queryable,
  failures: readonly { id: number; epoch: number; error: EntrepotError }[],
): Promise<FinishedMessage[]> {
  const rows = failures.map(({ id, epoch, error }) => ({ id, epoch, error: errorBody(error).error }))
  const failed = await tx.query<{ executionId: string }>(
    `WITH failure AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS f(id bigint, epoch integer, error jsonb)
     ), failed AS (
       UPDATE entrepot.execution_entity e SET state = 'Failed', lease_until = NULL,
         target_finished_at = CASE WHEN e.state = 'Promoting' THEN now() END
       FROM failure WHERE e.id = failure.id AND e.epoch = failure.epoch AND e.state IN ('Staging', 'Promoting')
       RETURNING e.execution_id, failure.error
     )
     UPDATE entrepot.message m SET error = failed.error
     FROM failed JOIN entrepot.execution x ON x.id = failed.execution_id WHERE m.id = x.message_id
     RETURNING x.id AS "executionId"`,
    [storableJson(rows)],
  )
  return finishExecutions(
    tx,
    failed.map(({ executionId }) => executionId),
  )
}
