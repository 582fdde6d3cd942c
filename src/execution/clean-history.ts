import type { Queryable, Transaction } from '../platform/database'
import { faultPoint } from '../platform/faults'
import type { CleanCounts } from '../platform/observe'
import { byIndex, hasBytes, isOld, type MayGoOn, type OldMessages, oldValues } from './clean-scope'
import type { Context } from './context'

type HistoryCounts = Pick<CleanCounts, 'messages'>

const batchMessages = 500
/** Errors deleted by one transaction; those of a message that has more go before it, in several. */
const batchErrors = 50_000

/**
 * Removes old messages whose bytes and staged records are gone: with their executions, logs and errors. Their idempotency
 * keys are forgotten with them.
 */
export async function cleanHistory({ db }: Context, old: OldMessages, mayGoOn: MayGoOn): Promise<HistoryCounts> {
  let messages = 0
  for (let after = 0, isLast = false; !isLast && mayGoOn(); ) {
    const batch = await db.transaction(async (tx) => {
      const removed = await removeBatch(tx, old, after)
      faultPoint('clean.beforeHistory')
      return removed
    })
    faultPoint('clean.afterHistory')
    messages += batch.messages
    after = batch.last
    isLast = batch.isLast
  }
  return { messages }
}

interface RemovedBatch {
  readonly messages: number
  /** Number of the last message that is done with. */
  readonly last: number
  readonly isLast: boolean
}

async function removeBatch(tx: Transaction, old: OldMessages, after: number): Promise<RemovedBatch> {
  await byIndex(tx)
  const messages = await tx.query<{ id: string; seq: number }>(
    `SELECT m.id, m.seq FROM entrepot.message m WHERE m.seq > $6 AND ${isOld()} AND ${isEmptied}
     ORDER BY m.seq LIMIT ${batchMessages} FOR UPDATE SKIP LOCKED`,
    [...oldValues(old), after],
  )
  const executions = await tx.query<{ id: string }>('SELECT id FROM entrepot.execution WHERE message_id = ANY($1)', [
    messages.map(({ id }) => id),
  ])
  const executionIds = executions.map(({ id }) => id)
  const errors = await deleteErrors(tx, executionIds)
  if (errors === batchErrors) return { messages: 0, last: after, isLast: false }
  await tx.query('DELETE FROM entrepot.execution_log WHERE execution_id = ANY($1)', [executionIds])
  await tx.query('DELETE FROM entrepot.execution_entity WHERE execution_id = ANY($1)', [executionIds])
  await tx.query('DELETE FROM entrepot.execution WHERE id = ANY($1)', [executionIds])
  await tx.query('DELETE FROM entrepot.message WHERE id = ANY($1)', [messages.map(({ id }) => id)])
  return {
    messages: messages.length,
    last: messages.at(-1)?.seq ?? after,
    isLast: messages.length < batchMessages,
  }
}

/** SQL: that nothing is left of the message `m` but its history. What staged records there were cannot come back then. */
const isEmptied = `NOT ${hasBytes} AND NOT EXISTS (
    SELECT FROM entrepot.execution x LEFT JOIN entrepot.execution_entity e ON e.execution_id = x.id
    WHERE x.message_id = m.id AND (x.state = 'NotRun' OR e.id IS NOT NULL AND e.staging_removed_at IS NULL))`

/** Deletes errors of the executions, at most `batchErrors` of them; returns how many. */
function deleteErrors(tx: Queryable, executionIds: readonly string[]): Promise<number> {
  return tx.count(
    `DELETE FROM entrepot.record_error WHERE ctid = ANY(ARRAY(
       SELECT r.ctid FROM entrepot.record_error r JOIN entrepot.execution_entity e ON e.id = r.execution_entity
       WHERE e.execution_id = ANY($1) LIMIT ${batchErrors}))`,
    [executionIds],
  )
}

/** How many messages there are to remove from the history. */
export async function countHistory({ db }: Context, old: OldMessages): Promise<HistoryCounts> {
  const [counts] = await db.query<HistoryCounts>(
    `SELECT count(*) AS messages FROM entrepot.message m WHERE ${isOld()}`,
    oldValues(old),
  )
  return counts!
}
