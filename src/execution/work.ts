import { Conflict } from '../errors'
import type { Database, Queryable } from '../platform/database'
import type { EntitySettings } from '../project/entity-settings'
import type { ExecutionMode } from './mode'
import type { EntityState } from './states'

/** One entity of an execution, claimed by this process: the unit of work of a step. */
export interface Work {
  readonly id: number
  /** Every write of this claim carries it and is refused once someone else has claimed (the fence). */
  readonly epoch: number
  /** How long the claim holds without a renewal. */
  readonly leaseSeconds: number
  readonly executionId: string
  readonly messageId: string
  readonly activityId: string | null
  /** Name of the entity. */
  readonly entity: string
  readonly company: string | null
  readonly sourceFormat: string | null
  /** Whether the activity refuses unknown columns. */
  readonly strict: boolean
  readonly mode: ExecutionMode
  /** What the execution as a whole does: records that it stages only may be validated in between. */
  readonly executionMode: ExecutionMode
  /** Whether the execution has other entities, which have an order. */
  readonly isOrdered: boolean
  readonly settings: EntitySettings
  /** Name of its file in the package; null where the message is the file. */
  readonly sourceEntry: string | null
  /** Size of its file. */
  readonly bytes: number
  /** Size of the message. */
  readonly messageBytes: number
  /** The bytes of a small message; null where `payloadLocation` says where they are. */
  readonly payload: Buffer | null
  readonly payloadLocation: string | null
  readonly small: boolean
  readonly stagedRecords: number
  readonly recordsInError: number
  readonly stagingTable: string | null
  readonly columns: string[] | null
  readonly sparse: boolean
  /** Numbers of the records whose key occurred before in the message, as reading found; null when it does not know. */
  readonly repeats: readonly number[] | null
  /** errors: those in error, from their staged texts; selected: those that a person has marked (state R). */
  readonly scope: 'all' | 'errors' | 'selected'
  /** Works with the same token were staged together, and no key occurs in two of them. */
  readonly disjoint?: object
  readonly checked: boolean
  readonly promotedChunks: number[]
}

/**
 * SQL: that the work `e` waits for no other. Entities of one execution are staged in any order, but promoted in theirs;
 * the messages of an ordered activity follow one another as a whole.
 */
export const isItsTurn = `(e.execution_unit IS NULL OR e.state <> 'Promoting' OR NOT EXISTS (
    SELECT FROM entrepot.execution_entity earlier
    WHERE earlier.execution_id = e.execution_id AND earlier.execution_unit = e.execution_unit
      AND (earlier.level_in_unit, earlier.sequence_in_level) < (e.level_in_unit, e.sequence_in_level)
      AND earlier.state IN ('Staging', 'Promoting')))
  AND (e.ordered_activity IS NULL OR NOT EXISTS (
    SELECT FROM entrepot.message earlier
    WHERE earlier.activity_id = e.ordered_activity AND earlier.blocks AND earlier.seq < e.message_seq))`

const claimable = `e.due_at <= now() AND (e.lease_until IS NULL OR e.lease_until < now()) AND ${isItsTurn}`

/** Small work that failed once is claimed alone, so that one poisonous message cannot hold up the others. */
const groupable = 'e.small AND e.attempts = 0'

/** How many small messages share their transactions: 200 reached eight times the rate of one each. */
export const groupSize = 200

/** What a claim asks for. */
export interface ClaimOptions {
  readonly state: EntityState
  readonly leaseSeconds: number
  readonly maxAttempts: number
}

/** Whether a bell calls for small work: its own is small, or is not to be done any more. */
export async function isSharedBell(db: Queryable, id: number, state: EntityState): Promise<boolean> {
  const [own] = await db.query<{ groupable: boolean }>(
    `SELECT ${groupable} AS groupable FROM entrepot.execution_entity e WHERE id = $1 AND state = $2`,
    [id, state],
  )
  return own?.groupable ?? true
}

/**
 * Claims the work that a bell named, for itself.
 * Returns  nothing when it is not due, is claimed by another, or waits for its predecessors.
 */
export function claimWork(db: Database, id: number, options: ClaimOptions): Promise<Work[]> {
  return claim(db, 'e.id = $4', options, [id])
}

/** Claims small work of any message, oldest first. */
export function claimSmallWork(db: Database, options: ClaimOptions): Promise<Work[]> {
  return claim(db, groupable, options, [])
}

async function claim(db: Database, which: string, options: ClaimOptions, values: unknown[]): Promise<Work[]> {
  const withPayload = options.state === 'Staging' ? 'm.payload' : 'NULL::bytea'
  const works = await db.query<Work>(
    `WITH due AS (
       SELECT e.id FROM entrepot.execution_entity e
       WHERE e.state = $1 AND ${claimable} AND e.attempts < $3 AND ${which}
       ORDER BY e.id LIMIT ${groupSize} FOR UPDATE OF e SKIP LOCKED
     ), claimed AS (
       UPDATE entrepot.execution_entity e SET
         epoch = e.epoch + 1, attempts = e.attempts + 1, lease_until = now() + make_interval(secs => $2),
         staging_started_at = CASE WHEN e.state = 'Staging' THEN coalesce(e.staging_started_at, now()) ELSE e.staging_started_at END,
         target_started_at = CASE WHEN e.state = 'Promoting' THEN coalesce(e.target_started_at, now()) ELSE e.target_started_at END
       FROM due WHERE e.id = due.id RETURNING e.*
     )
     SELECT e.id, e.epoch, $2::integer AS "leaseSeconds", e.execution_id AS "executionId", m.id AS "messageId", m.activity_id AS "activityId", e.entity,
       m.company, coalesce(e.source_format, m.source_format) AS "sourceFormat", coalesce(a.strict, false) AS strict, e.mode,
       x.mode AS "executionMode",
       e.execution_unit IS NOT NULL AS "isOrdered", coalesce(e.settings, '{}') AS settings, e.source_entry AS "sourceEntry",
       coalesce(e.source_bytes, m.bytes) AS bytes, m.bytes AS "messageBytes",
       ${withPayload} AS payload, m.payload_location AS "payloadLocation", e.small, e.staged_records AS "stagedRecords",
       e.records_in_error AS "recordsInError",
       e.staging_table AS "stagingTable", e.columns, e.sparse, to_jsonb(e.repeats) AS repeats, e.scope, e.checked, e.promoted_chunks AS "promotedChunks"
     FROM claimed e JOIN entrepot.execution x ON x.id = e.execution_id JOIN entrepot.message m ON m.id = x.message_id
     LEFT JOIN entrepot.activity a ON a.id = m.activity_id
     ORDER BY e.message_seq, e.id`,
    [options.state, options.leaseSeconds, options.maxAttempts, ...values],
  )
  return works
}

/**
 * Refuses to go on unless all of the claims still hold; the rows stay locked until the transaction ends, so that
 * nobody can claim them in between. Call it in the transaction of every write.
 * A process that is stopped here loses its transaction after a lease: its locks would keep others from taking over.
 * Throws  Conflict.
 */
export async function fence(
  tx: Queryable,
  works: readonly Pick<Work, 'id' | 'epoch' | 'leaseSeconds'>[],
): Promise<void> {
  const held = await tx.query(
    `SELECT e.id, set_config('idle_in_transaction_session_timeout', $3, true) FROM entrepot.execution_entity e
     JOIN unnest($1::bigint[], $2::integer[]) AS mine(id, epoch) ON e.id = mine.id AND e.epoch = mine.epoch
     ORDER BY e.id FOR UPDATE OF e`,
    [works.map(({ id }) => id), works.map(({ epoch }) => epoch), `${works[0]?.leaseSeconds ?? 0}s`],
  )
  if (held.length < works.length) throw new Conflict('The work was taken over or cancelled: nothing more is written')
}

/** Keeps the claims alive, of work that has not come to its end. */
export async function renewLeases(db: Queryable, works: readonly Work[], leaseSeconds: number): Promise<void> {
  await db.query(
    // Rows that our own transaction is about to commit are left alone: waiting for them could be a deadlock.
    `UPDATE entrepot.execution_entity e SET lease_until = now() + make_interval(secs => $3)
     FROM (SELECT w.id FROM entrepot.execution_entity w
       JOIN unnest($1::bigint[], $2::integer[]) AS mine(id, epoch) ON w.id = mine.id AND w.epoch = mine.epoch
       WHERE w.state IN ('Staging', 'Promoting') FOR UPDATE OF w SKIP LOCKED) free WHERE e.id = free.id`,
    [works.map(({ id }) => id), works.map(({ epoch }) => epoch), leaseSeconds],
  )
}

/**
 * Gives claims back. A dependency that was away is not the work's fault: such a try is not counted.
 * Claims that are held no more are left alone.
 */
export async function releaseWork(
  db: Queryable,
  works: readonly Work[],
  options: { afterSeconds: number; countsAsTry: boolean },
): Promise<void> {
  await db.query(
    `UPDATE entrepot.execution_entity e SET lease_until = NULL, due_at = now() + make_interval(secs => $3),
       attempts = CASE WHEN $4 THEN e.attempts ELSE greatest(0, e.attempts - 1) END
     FROM unnest($1::bigint[], $2::integer[]) AS mine(id, epoch)
     WHERE e.id = mine.id AND e.epoch = mine.epoch AND e.state IN ('Staging', 'Promoting')`,
    [works.map(({ id }) => id), works.map(({ epoch }) => epoch), options.afterSeconds, options.countsAsTry],
  )
}

/** What a step leaves to be done. */
export interface StepResult {
  /** Work that is due for whoever hears its bell. */
  readonly due: readonly DueWork[]
  /** Small work that was moved on with its claim still held: this process goes on with it at once. */
  readonly held: readonly Work[]
}

/** A bell to ring: the work's id, and its epoch so that an old bell cannot hide a new one. */
export interface DueWork {
  readonly id: number
  readonly epoch: number
  readonly state: EntityState
}

/** Work that is due and held by nobody: all of it that is handled alone, and the first of what is handled in groups. */
export function findDueWork(db: Queryable, maxAttempts: number): Promise<DueWork[]> {
  return db.query<DueWork>(
    `(SELECT e.id, e.epoch, e.state FROM entrepot.execution_entity e
      WHERE e.state IN ('Staging', 'Promoting') AND NOT (${groupable}) AND ${claimable} AND e.attempts < $1
      ORDER BY e.id LIMIT 1000)
     UNION ALL
     (SELECT e.id, e.epoch, e.state FROM entrepot.execution_entity e
      WHERE e.state = 'Staging' AND ${groupable} AND ${claimable} ORDER BY e.id LIMIT 1)
     UNION ALL
     (SELECT e.id, e.epoch, e.state FROM entrepot.execution_entity e
      WHERE e.state = 'Promoting' AND ${groupable} AND ${claimable} ORDER BY e.id LIMIT 1)`,
    [maxAttempts],
  )
}

/** Work that was tried too often and is held by nobody. */
export function findExhaustedWork(db: Queryable, maxAttempts: number): Promise<DueWork[]> {
  return db.query<DueWork>(
    `SELECT e.id, e.epoch, e.state FROM entrepot.execution_entity e
     WHERE e.state IN ('Staging', 'Promoting') AND e.attempts >= $1 AND (e.lease_until IS NULL OR e.lease_until < now())
     ORDER BY e.id LIMIT 1000`,
    [maxAttempts],
  )
}

/** Work that waited for other work of ordered activities or of these executions, and does no longer. */
export function findSuccessors(
  db: Queryable,
  { activityIds, executionIds }: { activityIds: readonly string[]; executionIds: readonly string[] },
): Promise<DueWork[]> {
  return db.query<DueWork>(
    `SELECT e.id, e.epoch, e.state FROM entrepot.execution_entity e
     WHERE e.ordered_activity = ANY($1) AND e.state = 'Staging' AND e.lease_until IS NULL AND e.due_at <= now() AND ${isItsTurn}
     UNION
     SELECT e.id, e.epoch, e.state FROM entrepot.execution_entity e
     WHERE e.execution_id = ANY($2) AND e.state = 'Promoting' AND e.lease_until IS NULL AND e.due_at <= now() AND ${isItsTurn}`,
    [activityIds, executionIds],
  )
}
