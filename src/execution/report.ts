import { isGuid } from '../entity/guid'
import { RequestRefused } from '../errors'
import type { Queryable } from '../platform/database'
import type { ExecutionMode } from './mode'
import type { ExecutionState, MessageState, RecordCounts } from './states'

/** What became of one entity of an execution. Statuses are Dynamics 365's `EntityExecutionStateEnum`. */
export interface EntityReport {
  readonly workId: number
  readonly entity: string
  readonly company: string | null
  readonly stagingStatus: string
  readonly targetStatus: string
  /** Records that were in error when they were staged. */
  readonly stagingErrors: number
  readonly records: RecordCounts
  readonly stagingStartedAt: Date | null
  readonly stagingFinishedAt: Date | null
  readonly targetStartedAt: Date | null
  readonly targetFinishedAt: Date | null
  /** Claims without progress so far. */
  readonly attempts: number
  /** Name of its file in the package; null where the message is the file. */
  readonly file: string | null
  /** Its place in the order of its execution; null where it is the only one. */
  readonly executionUnit: number | null
  readonly levelInExecutionUnit: number | null
  readonly sequenceInLevel: number | null
  /** Why it failed as a whole. */
  readonly error: ReportedError | null
}

/** An error as it is kept on a message or an entity of an execution. */
export type ReportedError = {
  readonly code: string
  readonly message: string
  readonly innererror?: Record<string, unknown>
}

/** One run of a message. */
export interface ExecutionReport {
  readonly executionId: string
  readonly messageId: string
  readonly status: ExecutionState
  /** Name of the data project that it is a run of. */
  readonly project: string | null
  readonly mode: ExecutionMode
  readonly createdAt: Date
  readonly finishedAt: Date | null
  readonly entities: readonly EntityReport[]
  readonly log: readonly { readonly at: Date; readonly code: string | null; readonly text: string }[]
}

/** One file as received, and where it is on its way. */
export interface MessageReport {
  readonly messageId: string
  readonly seq: number
  readonly activityId: string | null
  /** Name of the activity. */
  readonly activity: string | null
  /** Name of the entity; null for a package. */
  readonly entity: string | null
  /** Name of the data project that a package is a run of. */
  readonly project: string | null
  readonly company: string | null
  readonly externalId: string | null
  readonly origin: string
  readonly bytes: number
  readonly status: MessageState
  readonly error: ReportedError | null
  readonly receivedAt: Date
  readonly finishedAt: Date | null
  /** It failed in an ordered activity, whose later messages wait until it is retried, skipped or cancelled. */
  readonly isBlocking: boolean
  /** Id of the failed message that it waits for. */
  readonly waitsFor: string | null
  /** Id of its newest execution. */
  readonly executionId: string
}

/** What a person asks for when listing messages. */
export interface MessageFilter {
  readonly status?: MessageState
  readonly activityId?: string
  readonly limit: number
  /** Only messages before this number in the order of arrival. */
  readonly beforeSeq?: number
}

const selectMessages = `
  SELECT m.id AS "messageId", m.seq, m.activity_id AS "activityId", a.name AS activity, m.entity, m.project, m.company,
    m.external_id AS "externalId", m.origin, m.bytes, m.status, m.error, m.received_at AS "receivedAt",
    m.finished_at AS "finishedAt", m.blocks AND m.state <> 'Enqueued' AS "isBlocking",
    CASE WHEN m.blocks AND m.state = 'Enqueued' THEN (
      SELECT earlier.id FROM entrepot.message earlier WHERE earlier.activity_id = m.activity_id AND earlier.blocks
        AND earlier.seq < m.seq AND earlier.state <> 'Enqueued' ORDER BY earlier.seq LIMIT 1) END AS "waitsFor",
    (SELECT x.id FROM entrepot.execution x WHERE x.message_id = m.id ORDER BY x.created_at DESC, x.id LIMIT 1) AS "executionId"
  FROM entrepot.message_status m LEFT JOIN entrepot.activity a ON a.id = m.activity_id`

/** The message with this id. Throws RequestRefused EA108 (404). */
export async function findMessage(db: Queryable, messageId: string): Promise<MessageReport> {
  const rows = isGuid(messageId) ? await db.query<MessageReport>(`${selectMessages} WHERE m.id = $1`, [messageId]) : []
  return rows[0] ?? missing('message', messageId)
}

/** Messages, the newest first. */
export function listMessages(db: Queryable, filter: MessageFilter): Promise<MessageReport[]> {
  return db.query<MessageReport>(
    `${selectMessages}
     WHERE ($1::text IS NULL OR m.status = $1) AND ($2::uuid IS NULL OR m.activity_id = $2) AND ($3::bigint IS NULL OR m.seq < $3)
     ORDER BY m.seq DESC LIMIT $4`,
    [filter.status ?? null, filter.activityId ?? null, filter.beforeSeq ?? null, filter.limit],
  )
}

/** The execution with this id. Throws RequestRefused EA108 (404). */
export async function findExecution(db: Queryable, executionId: string): Promise<ExecutionReport> {
  const [execution] = await db.query<Omit<ExecutionReport, 'entities' | 'log'>>(
    `SELECT id AS "executionId", message_id AS "messageId", status, project, mode, created_at AS "createdAt", finished_at AS "finishedAt"
     FROM entrepot.execution_status WHERE id = $1`,
    [executionId],
  )
  if (!execution) return missing('execution', executionId)
  const entities = await db.query<EntityReport>(
    `SELECT e.id AS "workId", e.entity, m.company, e.staging_status AS "stagingStatus", e.target_status AS "targetStatus",
       e.staging_errors AS "stagingErrors", e.attempts, e.source_entry AS file, e.execution_unit AS "executionUnit",
       e.level_in_unit AS "levelInExecutionUnit", e.sequence_in_level AS "sequenceInLevel", e.error,
       jsonb_build_object('read', greatest(e.records_read, e.staged_records), 'inserted', e.records_inserted, 'updated', e.records_updated,
         'unchanged', e.records_unchanged, 'superseded', e.records_superseded, 'error', e.records_in_error) AS records,
       e.staging_started_at AS "stagingStartedAt", e.staging_finished_at AS "stagingFinishedAt",
       e.target_started_at AS "targetStartedAt", e.target_finished_at AS "targetFinishedAt"
     FROM entrepot.execution_entity_status e JOIN entrepot.execution x ON x.id = e.execution_id
     JOIN entrepot.message m ON m.id = x.message_id WHERE e.execution_id = $1 ORDER BY e.id`,
    [executionId],
  )
  const log = await db.query<ExecutionReport['log'][number]>(
    'SELECT at, code, text FROM entrepot.execution_log WHERE execution_id = $1 ORDER BY id',
    [executionId],
  )
  return { ...execution, entities, log }
}

/** The newest execution of a message. Throws RequestRefused EA108 (404). */
export async function newestExecution(db: Queryable, messageId: string): Promise<ExecutionReport> {
  const { executionId } = await findMessage(db, messageId)
  return findExecution(db, executionId)
}

/** An error of a staged record, with the entity that it was staged for: of a composite's record, the member. */
export interface RecordErrorReport {
  readonly entity: string
  readonly recordNumber: number
  readonly line: number | null
  readonly step: 'stage' | 'promote'
  readonly code: string
  readonly field: string | null
  readonly value: string | null
  readonly reason: string
}

/** The errors of an execution's records, by record number; superseded records (EP102) are among them. */
export function listRecordErrors(
  db: Queryable,
  executionId: string,
  page: { readonly limit: number; readonly afterRecord?: number },
): Promise<RecordErrorReport[]> {
  return db.query<RecordErrorReport>(
    `SELECT coalesce(r.entity, e.entity) AS entity, r.record_number AS "recordNumber", r.line, r.step, r.code, r.field, r.value, r.reason
     FROM entrepot.record_error r JOIN entrepot.execution_entity e ON e.id = r.execution_entity
     WHERE e.execution_id = $1 AND r.record_number > $2 ORDER BY e.id, r.record_number, r.step DESC, r.code LIMIT $3`,
    [executionId, page.afterRecord ?? 0, page.limit],
  )
}

function missing(what: string, id: string): never {
  throw new RequestRefused(404, 'EA108', `There is no ${what} '${id.slice(0, 100)}'`)
}
