import type { ExecutionReport, ExecutionSummary, MessageReport, RecordErrorReport } from '../execution/report'
import {
  anyObject,
  flag,
  guid,
  list,
  moment,
  nullable,
  object,
  oneOf,
  text,
  type ValueOf,
  whole,
} from '../platform/schema'
import { messageStates } from './hub-facts'

export const messageSchema = object({
  messageId: guid(),
  seq: whole({ description: 'Number in the order of arrival.' }),
  activityId: nullable(guid()),
  activity: nullable(text({ description: 'Name of the activity; null for an ad-hoc import.' })),
  entity: nullable(text({ description: 'null for a data package, which holds several.' })),
  project: nullable(text({ description: 'Name of the data project that a package is a run of.' })),
  company: nullable(text()),
  externalId: nullable(text({ description: "The producer's own name for it." })),
  origin: text({ description: 'The door that it came through: http, queue or cli.' }),
  bytes: whole(),
  hasBytes: flag({ description: 'Whether its bytes are still there: the clean-up removes them after a while.' }),
  status: oneOf(messageStates),
  error: nullable(anyObject({ description: 'Why it failed as a whole: code, message, innererror.' })),
  receivedAt: moment(),
  finishedAt: nullable(moment()),
  isBlocking: flag({
    description:
      'It failed, and later messages of its ordered activity wait until it is retried, skipped or cancelled.',
  }),
  waitsFor: nullable(guid({ description: 'The failed message that it waits for.' })),
  executionId: text({ description: 'Its newest execution.' }),
})

const recordCounts = object({
  read: whole({ description: 'The sum of the others once the execution has ended.' }),
  inserted: whole(),
  updated: whole(),
  unchanged: whole(),
  superseded: whole({ description: 'A later record of the same message had the same key.' }),
  error: whole(),
})

const executionFacts = {
  executionId: text(),
  messageId: guid(),
  status: oneOf(['NotRun', 'Executing', 'Succeeded', 'PartiallySucceeded', 'Failed', 'Canceled']),
  project: nullable(text({ description: 'Name of the data project that it is a run of.' })),
  mode: oneOf(['import', 'stage', 'validate'], {
    description: 'stage: up to the staging tables; validate: a dry run, whose counts say what would be done.',
  }),
  createdAt: moment(),
  finishedAt: nullable(moment()),
}

/** An execution in a list. */
export const executionSummarySchema = object({
  ...executionFacts,
  entities: whole({ description: 'How many it has.' }),
  records: recordCounts,
})

export const executionSchema = object({
  ...executionFacts,
  entities: list(
    object({
      entity: text(),
      company: nullable(text()),
      stagingStatus: text(),
      targetStatus: text(),
      stagingErrors: whole({ description: 'Records that were in error when they were staged.' }),
      records: recordCounts,
      stagingStartedAt: nullable(moment()),
      stagingFinishedAt: nullable(moment()),
      targetStartedAt: nullable(moment()),
      targetFinishedAt: nullable(moment()),
      attempts: whole({ description: 'Tries without progress so far.' }),
      file: nullable(text({ description: 'Name of its file in the package.' })),
      executionUnit: nullable(whole()),
      levelInExecutionUnit: nullable(whole()),
      sequenceInLevel: nullable(whole()),
      error: nullable(anyObject({ description: 'Why it failed as a whole: code, message, innererror.' })),
    }),
  ),
  log: list(object({ at: moment(), code: nullable(text()), text: text() })),
})

export const recordErrorSchema = object({
  entity: text(),
  recordNumber: whole(),
  line: nullable(whole()),
  step: oneOf(['stage', 'promote']),
  code: text(),
  field: nullable(text()),
  value: nullable(text()),
  reason: text(),
})

/** A page of a list, and where the next one is. */
export const pageOf = <T>(schema: Parameters<typeof list<T>>[0]) =>
  object({ value: list(schema), nextLink: nullable(text({ description: 'Path of the next page; null on the last.' })) })

/** Path of the next page of a list: the same question, and where to go on. */
export function nextPage(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  return `${path}?${new URLSearchParams(given.map(([key, value]): [string, string] => [key, String(value)]))}`
}

/** Message, execution and record error as the API words them. */
export function messageView(message: MessageReport): ValueOf<typeof messageSchema> {
  const { receivedAt, finishedAt, ...rest } = message
  return { ...rest, receivedAt: receivedAt.toISOString(), finishedAt: iso(finishedAt) }
}

export function executionView(execution: ExecutionReport): ValueOf<typeof executionSchema> {
  const { createdAt, finishedAt, entities, log, ...rest } = execution
  return {
    ...rest,
    createdAt: createdAt.toISOString(),
    finishedAt: iso(finishedAt),
    entities: entities.map(({ stagingStartedAt, stagingFinishedAt, targetStartedAt, targetFinishedAt, ...entity }) => ({
      ...entity,
      stagingStartedAt: iso(stagingStartedAt),
      stagingFinishedAt: iso(stagingFinishedAt),
      targetStartedAt: iso(targetStartedAt),
      targetFinishedAt: iso(targetFinishedAt),
    })),
    log: log.map(({ at, ...line }) => ({ ...line, at: at.toISOString() })),
  }
}

export function executionSummaryView(execution: ExecutionSummary): ValueOf<typeof executionSummarySchema> {
  const { createdAt, finishedAt, ...rest } = execution
  return { ...rest, createdAt: createdAt.toISOString(), finishedAt: iso(finishedAt) }
}

export function recordErrorView(error: RecordErrorReport): ValueOf<typeof recordErrorSchema> {
  const { workId: _, ...rest } = error
  return rest
}

function iso(at: Date | null): string | null {
  return at === null ? null : at.toISOString()
}
