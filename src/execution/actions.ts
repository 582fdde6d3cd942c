import { randomUUID } from 'node:crypto'
import { RequestRefused } from '../errors'
import type { Database, Transaction } from '../platform/database'
import { finishExecutions, isNewest } from './finish'
import { demandBytes, demandStaged } from './removed'
import { findExecution, findMessage } from './report'
import { forgetStaged, type StagedPlace, tableOf } from './staged-rows'
import { type DueWork, findSuccessors } from './work'

/** What an action set going; ring for `due` when it is committed. */
export interface ActionResult {
  readonly executionId: string
  readonly due: readonly DueWork[]
}

/**
 * Runs an execution again: the records in error, from their staged texts, and the entities that failed or were not run,
 * from their files, in the same execution; or, where nothing of it went well, the whole message in a new execution. One
 * that was only loaded is started.
 * Input   `anew`: the whole message in a new execution, however it ended.
 * Throws  RequestRefused EA108 (404), EA110 (409) when it is under way, has nothing to retry, or is not the newest, EA130
 *         (410) when the bytes or staged records that it takes were removed.
 */
export async function retryExecution(
  db: Database,
  executionId: string,
  { anew = false }: { anew?: boolean } = {},
): Promise<ActionResult> {
  const { messageId } = await findExecution(db, executionId)
  return db.transaction(async (tx) => {
    const execution = await lockExecution(tx, executionId, messageId)
    if (execution.is_loaded) return { executionId, due: await runAgain(tx, executionId, messageId) }
    if (execution.state === 'NotRun') throw refused(`The execution ${executionId} is still under way`)
    if (!execution.is_newest) throw refused(`The message of ${executionId} has a newer execution: retry that one`)
    if (anew || execution.is_void) {
      await demandBytes(tx, messageId)
      return runMessageAgain(tx, messageId, executionId)
    }
    if (!execution.has_troubles) {
      throw refused(`The execution ${executionId} has no records in error that were to be promoted`)
    }
    await demandStaged(tx, executionId)
    return { executionId, due: await runAgain(tx, executionId, messageId) }
  })
}

/** Starts an execution that was only loaded, and leaves any other as it is. Throws RequestRefused EA108 (404). */
export async function startLoaded(db: Database, executionId: string): Promise<ActionResult> {
  const { messageId, status, entities } = await findExecution(db, executionId)
  // One that is under way is not locked, which would get in the way of who ends it.
  const isLoaded = status === 'NotRun' && entities.every(({ targetStatus }) => targetStatus === 'NotRun')
  if (!isLoaded) return { executionId, due: [] }
  return db.transaction(async (tx) => {
    const { is_loaded } = await lockExecution(tx, executionId, messageId)
    return { executionId, due: is_loaded ? await runAgain(tx, executionId, messageId) : [] }
  })
}

/** SQL: an entity whose records in error a retry promotes; those of a dry run were never to be promoted. */
const hasErrorsToRetry = `state = 'Finished' AND records_in_error > 0 AND mode <> 'validate'`

interface LockedExecution {
  readonly state: string
  readonly is_newest: boolean
  /** No entity of it has been begun, nor is to be. */
  readonly is_loaded: boolean
  /** No entity of it came to a good end. */
  readonly is_void: boolean
  /** Something of it waits to be promoted. */
  readonly is_staged: boolean
  readonly has_troubles: boolean
}

/** Locks message and execution, so that two actions on them follow one another. */
async function lockExecution(tx: Transaction, executionId: string, messageId: string): Promise<LockedExecution> {
  await tx.query('SELECT id FROM entrepot.message WHERE id = $1 FOR UPDATE', [messageId])
  const [execution] = await tx.query<LockedExecution>(
    `SELECT x.state,
       ${isNewest} AS is_newest,
       e.is_loaded AND x.state = 'NotRun' AS is_loaded, e.is_void, e.is_staged, e.has_troubles
     FROM entrepot.execution x CROSS JOIN LATERAL (
       SELECT bool_and(state = 'NotRun') AS is_loaded, bool_and(state IN ('Failed', 'Canceled', 'NotRun')) AS is_void,
         bool_or(state = 'Staged') AS is_staged,
         bool_or(state IN ('Failed', 'Canceled', 'NotRun') OR ${hasErrorsToRetry}) AS has_troubles
       FROM entrepot.execution_entity WHERE execution_id = x.id) e
     WHERE x.id = $1 FOR UPDATE OF x`,
    [executionId],
  )
  // The clean-up may have been faster.
  if (!execution) throw new RequestRefused(404, 'EA108', `There is no execution '${executionId}' any more`)
  return execution
}

/** The execution and its message are under way again. */
async function reopen(tx: Transaction, executionId: string): Promise<void> {
  await tx.query(
    `WITH x AS (UPDATE entrepot.execution SET state = 'NotRun', finished_at = NULL WHERE id = $1 RETURNING message_id)
     UPDATE entrepot.message m SET state = 'Enqueued', finished_at = NULL, error = NULL FROM x WHERE m.id = x.message_id`,
    [executionId],
  )
}

/** Sets going the records in error, and from their beginning the entities that did not come to a good end. */
async function runAgain(tx: Transaction, executionId: string, messageId: string): Promise<DueWork[]> {
  await reopen(tx, executionId)
  const lost = await tx.query<StagedPlace>(
    `SELECT id, entity, staging_table AS "stagingTable" FROM entrepot.execution_entity
     WHERE execution_id = $1 AND state IN ('Failed', 'Canceled', 'NotRun') FOR UPDATE`,
    [executionId],
  )
  if (lost.length > 0) await demandBytes(tx, messageId)
  for (const place of lost) await forgetStaged(tx, place)
  return tx.query<DueWork>(
    `WITH again AS (
       UPDATE entrepot.execution_entity e SET state = 'Staging', scope = 'all', mode = x.mode, error = NULL, staging_table = NULL, staging_removed_at = NULL,
         columns = NULL, source_columns = NULL, sparse = false, repeats = NULL, checked = false, promoted_chunks = '{}',
         staged_records = 0, records_read = 0, records_inserted = 0, records_updated = 0, records_unchanged = 0,
         records_superseded = 0, records_in_error = 0, staging_started_at = NULL, staging_finished_at = NULL,
         target_started_at = NULL, target_finished_at = NULL, attempts = 0, lease_until = NULL, due_at = now()
       FROM entrepot.execution x WHERE e.id = ANY($2) AND x.id = e.execution_id RETURNING e.id, e.epoch, e.state
     ), errors AS (
       UPDATE entrepot.execution_entity SET state = 'Staging', scope = 'errors', checked = false, promoted_chunks = '{}',
         target_started_at = NULL, attempts = 0, lease_until = NULL, due_at = now()
       WHERE execution_id = $1 AND ${hasErrorsToRetry} RETURNING id, epoch, state
     )
     SELECT * FROM again UNION ALL SELECT * FROM errors ORDER BY id`,
    [executionId, lost.map(({ id }) => id)],
  )
}

async function runMessageAgain(tx: Transaction, messageId: string, executionId: string): Promise<ActionResult> {
  const newId = randomUUID()
  await tx.query(`UPDATE entrepot.message SET state = 'Enqueued', finished_at = NULL, error = NULL WHERE id = $1`, [
    messageId,
  ])
  await tx.query(
    `INSERT INTO entrepot.execution (id, message_id, project, mode, created_at)
     SELECT $1, message_id, project, mode, clock_timestamp() FROM entrepot.execution WHERE id = $2`,
    [newId, executionId],
  )
  const due = await tx.query<DueWork>(
    `INSERT INTO entrepot.execution_entity (execution_id, message_seq, ordered_activity, entity, small, mode, source_entry,
       source_bytes, source_format, settings, execution_unit, level_in_unit, sequence_in_level, fail_level_on_error, fail_unit_on_error)
     SELECT $1, message_seq, ordered_activity, entity, small, x.mode, source_entry,
       source_bytes, source_format, settings, execution_unit, level_in_unit, sequence_in_level, fail_level_on_error, fail_unit_on_error
     FROM entrepot.execution_entity e JOIN entrepot.execution x ON x.id = e.execution_id WHERE execution_id = $2 ORDER BY e.id
     RETURNING id, epoch, state`,
    [newId, executionId],
  )
  return { executionId: newId, due }
}

/**
 * Checks what an execution has staged and left there as promotion would, and writes nothing to the targets.
 * Throws  RequestRefused EA108 (404), EA110 (409) when nothing of it waits to be promoted or it is not the newest, EA130
 *         (410) when the clean-up has removed what it has staged.
 */
export async function validateStaged(
  db: Database,
  executionId: string,
  { entity }: Pick<PromoteChoice, 'entity'> = {},
): Promise<ActionResult> {
  return withStaged(db, executionId, entity, async (tx, staged) =>
    tx.query<DueWork>(
      `UPDATE entrepot.execution_entity SET state = 'Promoting', mode = 'validate', scope = 'all', checked = false,
         target_started_at = NULL, attempts = 0, lease_until = NULL, due_at = now()
       WHERE id = ANY($1) RETURNING id, epoch, state`,
      [staged.map(({ id }) => id)],
    ),
  )
}

/** Which of the staged records are to be promoted. */
export interface PromoteChoice {
  /** Name of the one entity that is meant; all of the execution without it. */
  readonly entity?: string
  /** Their numbers; all good ones without it. Needs an entity where the execution has several. */
  readonly records?: readonly number[]
  /** Those in error, from their staged texts, which a person may have corrected. */
  readonly errors?: boolean
}

/**
 * Promotes what an execution has staged and left there: all good records, chosen ones, or those in error.
 * Throws  RequestRefused EA108 (404), EA110 (409) when nothing of it waits to be promoted or it is not the newest, EA130
 *         (410) when the clean-up has removed what it has staged.
 */
export async function promoteStaged(
  db: Database,
  executionId: string,
  { entity, records, errors = false }: PromoteChoice,
): Promise<ActionResult> {
  return withStaged(db, executionId, entity, async (tx, staged) => {
    if (records && staged.length > 1) throw refused('Records are numbered within an entity: say which one')
    if (records) await select(tx, staged[0]!, records)
    const scope = records ? 'selected' : errors ? 'errors' : 'all'
    return tx.query<DueWork>(
      `UPDATE entrepot.execution_entity SET state = CASE WHEN $2 = 'errors' THEN 'Staging' ELSE 'Promoting' END, scope = $2,
         checked = false, promoted_chunks = '{}', target_started_at = NULL, attempts = 0, lease_until = NULL, due_at = now()
       WHERE id = ANY($1) RETURNING id, epoch, state`,
      [staged.map(({ id }) => id), scope],
    )
  })
}

/** Sets the entities going that have staged records waiting to be promoted. */
async function withStaged(
  db: Database,
  executionId: string,
  entity: string | undefined,
  setGoing: (tx: Transaction, staged: readonly StagedPlace[]) => Promise<DueWork[]>,
): Promise<ActionResult> {
  const { messageId } = await findExecution(db, executionId)
  return db.transaction(async (tx) => {
    const execution = await lockExecution(tx, executionId, messageId)
    if (!execution.is_newest) throw refused(`The message of ${executionId} has a newer execution: promote that one`)
    await demandStaged(tx, executionId)
    const staged = await tx.query<StagedPlace>(
      `SELECT id, entity, staging_table AS "stagingTable" FROM entrepot.execution_entity
       WHERE execution_id = $1 AND state = 'Staged' AND ($2::text IS NULL OR entity = $2) ORDER BY id FOR UPDATE`,
      [executionId, entity ?? null],
    )
    if (staged.length === 0) {
      const retry = execution.has_troubles ? '; what went wrong is run again with: entrepot retry' : ''
      throw refused(`Nothing that the execution ${executionId} has staged waits to be promoted${retry}`)
    }
    const due = await setGoing(tx, staged)
    await reopen(tx, executionId)
    return { executionId, due }
  })
}

/** Marks good records as those of the next run. */
async function select(tx: Transaction, place: StagedPlace, records: readonly number[]): Promise<void> {
  const found = await tx.count(
    `UPDATE ${tableOf(place)} SET _state = 'R' WHERE _execution_entity = $1 AND _state = 'V' AND _record_number = ANY($2::bigint[])`,
    [place.id, records],
  )
  if (found < new Set(records).size) {
    throw refused(`Of the ${records.length} records only ${found} are good and wait to be promoted`)
  }
}

/**
 * Cancels an execution that is under way: whoever works on it writes nothing more, what is promoted stays. One whose
 * records wait to be promoted can be cancelled as well, which lets the clean-up have them, and one that has failed in an
 * ordered activity, which lets the messages behind it go on.
 * Throws  RequestRefused EA108 (404), EA110 (409) when it has ended otherwise.
 */
export async function cancelExecution(db: Database, executionId: string): Promise<ActionResult> {
  const { messageId } = await findExecution(db, executionId)
  return db.transaction(async (tx) => {
    const execution = await lockExecution(tx, executionId, messageId)
    if (execution.state !== 'NotRun' && !(execution.is_newest && execution.is_staged)) {
      const { isBlocking } = await findMessage(tx, messageId)
      if (!isBlocking || !execution.is_newest) throw refused(`The execution ${executionId} has ended already`)
      await tx.query(`UPDATE entrepot.execution SET state = 'Canceled' WHERE id = $1`, [executionId])
      await tx.query(`UPDATE entrepot.message SET state = 'Canceled' WHERE id = $1`, [messageId])
    } else {
      if (execution.is_staged) await reopen(tx, executionId)
      // The epoch goes up, so that the writes of whoever holds the work are refused.
      await tx.query(
        `UPDATE entrepot.execution_entity SET state = 'Canceled', epoch = epoch + 1, lease_until = NULL
         WHERE execution_id = $1 AND (state IN ('Staging', 'Promoting', 'Staged') OR state = 'NotRun' AND $2)`,
        [executionId, execution.is_loaded],
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
  const released = await tx.query<{ activityId: string | null }>(
    'UPDATE entrepot.message SET blocks = false WHERE id = $1 RETURNING activity_id AS "activityId"',
    [messageId],
  )
  const activityIds = released.flatMap(({ activityId }) => activityId ?? [])
  return activityIds.length === 0 ? [] : findSuccessors(tx, { activityIds, executionIds: [] })
}

function refused(message: string): RequestRefused {
  return new RequestRefused(409, 'EA110', message)
}
