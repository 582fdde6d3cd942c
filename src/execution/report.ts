import { isGuid } from '../entity/guid'
import { RequestRefused } from '../errors'
import type { Queryable } from '../platform/database'
import { hasBytes } from './clean-scope'
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
  /** Whether they are still there: after a while the clean-up removes them. */
  readonly hasBytes: boolean
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
    m.external_id AS "externalId", m.origin, m.bytes, ${hasBytes} AS "hasBytes", m.status, m.error, m.received_at AS "receivedAt",
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
     JOIN entrepot.message m ON m.id = x.message_id WHERE e.execution_id = $1
     ORDER BY e.execution_unit, e.level_in_unit, e.sequence_in_level, e.id`,
    [executionId],
  )
  const log = await db.query<ExecutionReport['log'][number]>(
    'SELECT at, code, text FROM entrepot.execution_log WHERE execution_id = $1 ORDER BY id',
    [executionId],
  )
  return { ...execution, entities, log }
}

/** An execution in a list: its counts are those of all its entities together. */
export interface ExecutionSummary extends Omit<ExecutionReport, 'entities' | 'log'> {
  readonly entities: number
  readonly records: RecordCounts
}

/** What a person asks for when listing executions. */
export interface ExecutionFilter {
  readonly project?: string
  readonly limit: number
}

/** Executions, the newest first. */
export function listExecutions(db: Queryable, { project, limit }: ExecutionFilter): Promise<ExecutionSummary[]> {
  return db.query<ExecutionSummary>(
    `SELECT x.id AS "executionId", x.message_id AS "messageId", x.status, x.project, x.mode, x.created_at AS "createdAt",
       x.finished_at AS "finishedAt", e.entities, e.records
     FROM entrepot.execution_status x CROSS JOIN LATERAL (
       SELECT count(*) AS entities, jsonb_build_object('read', coalesce(sum(records_read), 0),
         'inserted', coalesce(sum(records_inserted), 0), 'updated', coalesce(sum(records_updated), 0),
         'unchanged', coalesce(sum(records_unchanged), 0), 'superseded', coalesce(sum(records_superseded), 0),
         'error', coalesce(sum(records_in_error), 0)) AS records
       FROM entrepot.execution_entity WHERE execution_id = x.id) e
     WHERE $1::text IS NULL OR x.project = $1 ORDER BY x.created_at DESC, x.id LIMIT $2`,
    [project ?? null, limit],
  )
}

/** The newest execution of a message. Throws RequestRefused EA108 (404). */
export async function newestExecution(db: Queryable, messageId: string): Promise<ExecutionReport> {
  const { executionId } = await findMessage(db, messageId)
  return findExecution(db, executionId)
}

/** An error of a staged record, with the entity that it was staged for: of a composite's record, the member. */
export interface RecordErrorReport {
  /** Id of the execution's entity. */
  readonly workId: number
  readonly entity: string
  readonly recordNumber: number
  readonly line: number | null
  readonly step: 'stage' | 'promote'
  readonly code: string
  readonly field: string | null
  readonly value: string | null
  readonly reason: string
}

/** A record of an execution: its number counts within its entity. */
export type RecordPlace = Pick<RecordErrorReport, 'workId' | 'recordNumber'>

export function isSameRecord(one: RecordPlace, other: RecordPlace): boolean {
  return one.workId === other.workId && one.recordNumber === other.recordNumber
}

/** Which errors are wanted. */
export interface RecordErrorPage {
  readonly limit: number
  /** Only those of records behind this one. */
  readonly after?: RecordPlace | undefined
  /** Name of the one entity that is meant. */
  readonly entity?: string | undefined
}

/** The errors of an execution's records, by entity and record number; superseded records (EP102) are among them. */
export function listRecordErrors(
  db: Queryable,
  executionId: string,
  { limit, after, entity }: RecordErrorPage,
): Promise<RecordErrorReport[]> {
  return db.query<RecordErrorReport>(
    `SELECT e.id AS "workId", coalesce(r.entity, e.entity) AS entity, r.record_number AS "recordNumber", r.line, r.step, r.code,
       r.field, r.value, r.reason
     FROM entrepot.record_error r JOIN entrepot.execution_entity e ON e.id = r.execution_entity
     WHERE e.execution_id = $1 AND (e.id, r.record_number) > ($2, $3) AND ($4::text IS NULL OR e.entity = $4)
     ORDER BY e.id, r.record_number, r.step DESC, r.code LIMIT $5`,
    [executionId, after?.workId ?? 0, after?.recordNumber ?? 0, entity ?? null, limit],
  )
}

function missing(what: string, id: string): never {
  throw new RequestRefused(404, 'EA108', `There is no ${what} '${id.slice(0, 100)}'`)
}
