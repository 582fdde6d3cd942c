import type { MessageState } from '../execution/states'
import type { Database } from '../platform/database'
import type { Facts, Sample } from '../platform/metrics'
import type { Queues } from '../platform/queues'

/** The states of a message, so that one which none is in reads 0 and not nothing. */
export const messageStates = [
  'Enqueued',
  'PreProcessing',
  'Processing',
  'Processed',
  'ProcessedWithErrors',
  'PreProcessingError',
  'PostProcessingError',
  'Canceled',
] as const satisfies readonly MessageState[]

/** What the whole hub has and waits for, as gauges. Throws Unavailable ES102 when the database is away. */
export async function readHubFacts(db: Database, queues: Queues): Promise<Facts> {
  const [messages, records, work, blocked, depths] = await Promise.all([
    countMessages(db),
    countRecords(db),
    measureWaiting(db),
    countBlockedActivities(db),
    queues.depths().catch(() => undefined),
  ])
  const jobs = Object.entries(depths ?? {}).flatMap(([queue, depth]) =>
    Object.entries(depth).map(([state, value]) => ({ labels: { queue, state }, value: Number(value) })),
  )
  return {
    entrepot_messages: messages,
    entrepot_records: records,
    entrepot_executions_due: [
      { labels: { step: 'stage' }, value: work.staging },
      { labels: { step: 'promote' }, value: work.promoting },
    ],
    entrepot_oldest_waiting_seconds: [{ value: work.oldestSeconds }],
    entrepot_blocked_activities: [{ value: blocked }],
    entrepot_queue_jobs: jobs,
    entrepot_queue_up: [{ value: depths === undefined ? 0 : 1 }],
  }
}

async function countMessages(db: Database): Promise<Sample[]> {
  // Only messages under way need the view, which joins; those are few.
  const rows = await db.query<{ status: string; count: number }>(
    `SELECT state AS status, count(*) FROM entrepot.message WHERE state <> 'Enqueued' GROUP BY state
     UNION ALL
     SELECT status, count(*) FROM entrepot.message_status WHERE state = 'Enqueued' GROUP BY status`,
  )
  const counts = new Map(rows.map(({ status, count }) => [status, count]))
  return messageStates.map((status) => ({ labels: { status }, value: counts.get(status) ?? 0 }))
}

async function countRecords(db: Database): Promise<Sample[]> {
  const [counts] = await db.query<Record<string, number>>(
    `SELECT coalesce(sum(records_inserted), 0)::bigint AS inserted, coalesce(sum(records_updated), 0)::bigint AS updated,
       coalesce(sum(records_unchanged), 0)::bigint AS unchanged, coalesce(sum(records_superseded), 0)::bigint AS superseded,
       coalesce(sum(records_in_error), 0)::bigint AS error
     FROM entrepot.execution_entity WHERE mode <> 'validate'`, // a dry run only says what would be
  )
  return Object.entries(counts ?? {}).map(([outcome, value]) => ({ labels: { outcome }, value }))
}

interface Waiting {
  readonly staging: number
  readonly promoting: number
  readonly oldestSeconds: number
}

async function measureWaiting(db: Database): Promise<Waiting> {
  const [waiting] = await db.query<Waiting>(
    `SELECT count(*) FILTER (WHERE state = 'Staging') AS staging, count(*) FILTER (WHERE state = 'Promoting') AS promoting,
       coalesce(extract(epoch FROM now() - min(due_at)), 0)::float8 AS "oldestSeconds"
     FROM entrepot.execution_entity
     WHERE state IN ('Staging', 'Promoting') AND due_at <= now() AND (lease_until IS NULL OR lease_until < now())`,
  )
  return waiting ?? { staging: 0, promoting: 0, oldestSeconds: 0 }
}

async function countBlockedActivities(db: Database): Promise<number> {
  const [blocked] = await db.query<{ count: number }>(
    `SELECT count(DISTINCT activity_id) FROM entrepot.message WHERE blocks AND state <> 'Enqueued'`,
  )
  return blocked?.count ?? 0
}
