import type { EntityRegistry } from '../entity'
import type { EntityReport, ExecutionReport, MessageReport, RecordErrorReport } from '../execution/report'
import type { MessageState } from '../execution/states'
import { list, object, oneOf, text, type ValueOf, whole } from '../platform/schema'

/** `DataJobState` of Dynamics 365's serialization assembly, in the order of its numbers; clients fail on any other name. */
const dataJobStates = [
  'Enqueued',
  'Dequeued',
  'Downloaded',
  'Acked',
  'InProcess',
  'Processed',
  'ProcessedWithErrors',
  'PostProcessError',
  'PreProcessError',
] as const
type DataJobState = (typeof dataJobStates)[number]

const stateOf: Record<MessageState, DataJobState> = {
  Enqueued: 'Enqueued',
  PreProcessing: 'InProcess',
  Processing: 'InProcess',
  Processed: 'Processed',
  ProcessedWithErrors: 'ProcessedWithErrors',
  PreProcessingError: 'PreProcessError',
  PostProcessingError: 'PostProcessError',
  // There is no name for it; clients must see that it ended without success.
  Canceled: 'PostProcessError',
}

/** `DataJobStatusDetail`: no property may be left out or null, since its .NET types are not nullable. */
export const jobStatusSchema = object({
  DataJobStatus: object({
    DataProject: text(),
    DataJobIdentifier: text(),
    ExternalIdentifier: text(),
    ExecutionIdentifier: text(),
    DataJobStartedDateTime: text({ description: '1900-01-01T00:00:00Z for not yet' }),
    DataJobCompletedDateTime: text({ description: '1900-01-01T00:00:00Z for not yet' }),
    DataJobState: oneOf(dataJobStates),
  }),
  ExecutionLog: text(),
  ExecutionDetail: list(
    object({
      EntityName: text(),
      Company: text(),
      StagingRecords: whole(),
      StagingStatus: text(),
      StagingErrorCount: whole(),
      TargetRecords: whole(),
      TargetStatus: text(),
      TargetErrorCount: whole(),
      ExecutionStartedDateTime: text(),
      ExecutionCompletedDateTime: text(),
    }),
  ),
})
export type JobStatus = ValueOf<typeof jobStatusSchema>

/** What is known of a message whose status is asked for. */
export interface JobFacts {
  readonly message: MessageReport
  readonly execution: ExecutionReport
  /** Name of the data project. */
  readonly project: string
  /** The first errors of its records; the log tells of them. */
  readonly errors: readonly RecordErrorReport[]
}

/** A message's status as Dynamics 365 words it. */
export function jobStatus({ message, execution, project, errors }: JobFacts, registry: EntityRegistry): JobStatus {
  return {
    DataJobStatus: {
      DataProject: project,
      DataJobIdentifier: message.messageId,
      ExternalIdentifier: message.externalId ?? '',
      ExecutionIdentifier: execution.executionId,
      DataJobStartedDateTime: dateTime(earliest(execution.entities.map((entity) => entity.stagingStartedAt))),
      DataJobCompletedDateTime: dateTime(message.finishedAt),
      DataJobState: stateOf[message.status],
    },
    ExecutionLog: executionLog(message, execution, errors),
    ExecutionDetail: execution.entities.map((entity) => entityDetail(entity, registry.labelOf(entity.entity))),
  }
}

function entityDetail(entity: EntityReport, label: string): JobStatus['ExecutionDetail'][number] {
  const { records, stagingErrors } = entity
  return {
    EntityName: label,
    Company: entity.company?.toUpperCase() ?? '',
    StagingRecords: records.read,
    StagingStatus: entity.stagingStatus,
    StagingErrorCount: stagingErrors,
    TargetRecords: records.inserted + records.updated + records.unchanged,
    TargetStatus: entity.targetStatus,
    TargetErrorCount: Math.max(0, records.error - stagingErrors),
    ExecutionStartedDateTime: dateTime(entity.stagingStartedAt),
    ExecutionCompletedDateTime: dateTime(entity.targetFinishedAt ?? (isOver(entity) ? entity.stagingFinishedAt : null)),
  }
}

function isOver({ targetStatus }: EntityReport): boolean {
  return targetStatus !== 'NotStarted' && targetStatus !== 'Waiting' && targetStatus !== 'Executing'
}

function executionLog(
  { error }: MessageReport,
  { log }: ExecutionReport,
  errors: readonly RecordErrorReport[],
): string {
  const lines = log.map(({ code, text: line }) => (code === null ? line : `${code}: ${line}`))
  if (error) lines.push(`${error.code}: ${error.message}`)
  for (const { code, recordNumber, line, field, reason } of errors) {
    const place = [`Record ${recordNumber}`, line === null ? '' : `line ${line}`, field ?? '']
      .filter(Boolean)
      .join(', ')
    lines.push(`${place}: ${code}: ${reason}`)
  }
  return lines.join('\n')
}

/** Dynamics 365's own empty date. */
const emptyDate = '1900-01-01T00:00:00Z'

function dateTime(moment: Date | null): string {
  return moment === null ? emptyDate : moment.toISOString().replace(/\.\d+Z$/, 'Z')
}

function earliest(moments: readonly (Date | null)[]): Date | null {
  const known = moments.filter((moment) => moment !== null).map((moment) => moment.getTime())
  return known.length === 0 ? null : new Date(Math.min(...known))
}
