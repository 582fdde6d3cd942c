import type { Queryable } from '../platform/database'
import { isNewest } from './finish'

/** Which messages are meant; all where nothing is said. */
export interface CleanScope {
  /** Name of the entity: messages that hold nothing else, and its staged records of others. */
  readonly entity?: string
  /** Name of the data project. */
  readonly project?: string
  /** Id of an execution: its message is meant. */
  readonly executionId?: string
}

/** Messages that have ended before a moment. */
export interface OldMessages {
  readonly before: Date
  /** No message from this number on can be meant; null when all can. */
  readonly seqBefore: number | null
  readonly scope: CleanScope
}

/** Asked between two batches: whether a run goes on. */
export type MayGoOn = () => boolean

/**
 * Number of the first message that was received after a moment: it and those behind it cannot have ended before, and are
 * not even looked at.
 */
export async function seqAfter(db: Queryable, moment: Date): Promise<number | null> {
  const [first] = await db.query<{ seq: number }>(
    'SELECT seq FROM entrepot.message WHERE received_at >= $1 ORDER BY received_at, seq LIMIT 1',
    [moment],
  )
  return first?.seq ?? null
}

/**
 * SQL: that the message `m` has ended before a moment, is of the scope, holds up no others, and nothing of it waits to be
 * promoted. Columns of the message tell, looked at again once the row is locked, of all that came in between: a retry, and
 * what was staged anew. With OFFSET it is asked message by message: a join would read all that was ever staged.
 * Input   values of `oldValues` as $1 to $5; `entity`: what the name of the scope's entity is compared with.
 */
export function isOld(entity: 'm.entity' | 'e.entity' = 'm.entity'): string {
  return `${hasEnded} AND ($5::text IS NULL OR ${entity} = $5)`
}

/** SQL: the same, whatever the scope's entity is; of `oldValues` it takes $1 to $4. */
export const hasEnded = `m.state <> 'Enqueued' AND m.finished_at < $1 AND NOT m.blocks AND ($2::bigint IS NULL OR m.seq < $2)
  AND ($3::text IS NULL OR m.project = $3)
  AND ($4::text IS NULL OR m.id = (SELECT run.message_id FROM entrepot.execution run WHERE run.id = $4))
  AND NOT EXISTS (
    SELECT FROM entrepot.execution_entity waiting JOIN entrepot.execution x ON x.id = waiting.execution_id
    WHERE waiting.message_seq = m.seq AND waiting.staging_removed_at IS NULL AND waiting.state = 'Staged' AND ${isNewest}
    OFFSET 0)`

/** The values that `isOld` has as $1 to $5. */
export function oldValues({ before, seqBefore, scope }: OldMessages): readonly unknown[] {
  return [before, seqBefore, scope.project ?? null, scope.executionId ?? null, scope.entity ?? null]
}

/** SQL: that the message `m` has bytes, and they are still there. An empty message has none to remove. */
export const hasBytes = '((m.payload IS NOT NULL OR m.payload_location IS NOT NULL) AND m.bytes > 0)'

/**
 * Has the statements of a transaction look rows up one by one. A batch is a few hundred rows of tables of any size, and of
 * tables that have grown since Postgres last looked at them it thinks that going through them is faster.
 */
export async function byIndex(tx: Queryable): Promise<void> {
  await tx.query('SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off')
}
