import type { Queryable, Transaction } from '../platform/database'
import { sqlState } from '../platform/database-errors'
import { faultPoint } from '../platform/faults'
import type { CleanCounts } from '../platform/observe'
import { byIndex, hasEnded, isOld, type MayGoOn, type OldMessages, oldValues } from './clean-scope'
import type { Context } from './context'
import { deleteShared } from './staged-rows'

type StagingCounts = Pick<CleanCounts, 'stagedRecords'>

/** Entities of executions looked at by one statement. */
const batchEntities = 500
/** Records deleted by one transaction, about: half a second. */
const batchRecords = 50_000
/** Tables dropped by one transaction: each takes a handful of Postgres' locks, of which there are a few thousand. */
const batchTables = 20
/** Whoever wants to read staged records queues up behind us while we wait for a table. */
const dropWaitMs = 1_000

/** Removes the staged records of old messages, those in error included; what was wrong with them stays in the history. */
export async function cleanStaging({ db }: Context, old: OldMessages, mayGoOn: MayGoOn): Promise<StagingCounts> {
  let stagedRecords = 0
  for (let after: Position | undefined = { seq: 0, id: 0 }; after && mayGoOn(); ) {
    const from: Position = after
    const batch = await db.transaction(async (tx) => {
      const removed = await removeBatch(tx, old, from)
      faultPoint('clean.beforeStaging')
      return removed
    })
    faultPoint('clean.afterStaging')
    stagedRecords += batch.records
    after = batch.last
  }
  return { stagedRecords }
}

/** Where in the order of messages a run is. */
interface Position {
  readonly seq: number
  readonly id: number
}

/** An entity of an execution that has staged records, or may have. */
interface Staged extends Position {
  readonly entity: string
  readonly ownTable: string | null
  readonly records: number
}

async function removeBatch(
  tx: Transaction,
  old: OldMessages,
  after: Position,
): Promise<{ records: number; last: Position | undefined }> {
  await byIndex(tx)
  const found = await tx.query<Staged>(
    `SELECT message_seq AS seq, id, entity, staging_table AS "ownTable", staged_records AS records
     FROM entrepot.execution_entity
     WHERE staging_removed_at IS NULL AND (message_seq, id) > ($1, $2) AND ($3::bigint IS NULL OR message_seq < $3)
     ORDER BY message_seq, id LIMIT ${batchEntities}`,
    [after.seq, after.id, old.seqBefore],
  )
  const isMeant = await lockMeant(tx, old, found)
  const meant = found.filter(isMeant)
  const batch = firstOf(meant)
  const removed: Staged[] = []
  for (const staged of batch) {
    if (staged.ownTable === null || (await dropUnlessInUse(tx, staged.ownTable))) removed.push(staged)
  }
  const shared = removed.filter(({ ownTable }) => ownTable === null)
  for (const entity of new Set(shared.map((each) => each.entity))) {
    const ids = shared.filter((each) => each.entity === entity).map(({ id }) => id)
    await deleteShared(tx, entity, ids)
  }
  await tx.query(
    'UPDATE entrepot.execution_entity SET staging_removed_at = now(), staging_table = NULL WHERE id = ANY($1)',
    [removed.map(({ id }) => id)],
  )
  const isWhole = batch.length === meant.length
  const isLast = isWhole && found.length < batchEntities
  return {
    records: removed.reduce((sum, { records }) => sum + records, 0),
    last: isLast ? undefined : (isWhole ? found : batch).at(-1),
  }
}

/**
 * Locks the messages of these entities that are old. It is what a retry locks first: a message that is being set going
 * again is passed over, and one that was set going since it was found is not old any more.
 */
async function lockMeant(
  tx: Queryable,
  old: OldMessages,
  found: readonly Staged[],
): Promise<(staged: Staged) => boolean> {
  const locked = await tx.query<{ seq: number }>(
    `SELECT m.seq FROM entrepot.message m WHERE m.seq = ANY($5) AND ${hasEnded} ORDER BY m.seq FOR UPDATE SKIP LOCKED`,
    [...oldValues(old).slice(0, 4), [...new Set(found.map(({ seq }) => seq))]],
  )
  const seqs = new Set(locked.map(({ seq }) => seq))
  const { entity: only } = old.scope
  return ({ seq, entity }) => seqs.has(seq) && (only === undefined || entity === only)
}

/** As many as one transaction takes: one at least, however many records it has. */
function firstOf(found: readonly Staged[]): readonly Staged[] {
  let records = 0
  let tables = 0
  const end = found.findIndex(({ ownTable, records: more }, index) => {
    if (ownTable === null) records += more
    else tables++
    return index > 0 && (records > batchRecords || tables > batchTables)
  })
  return end === -1 ? found : found.slice(0, end)
}

/**
 * Drops a staging table of an execution's own, unless somebody reads it for longer than a moment: it goes next time then.
 * Input   its SQL name, as it was made.
 */
async function dropUnlessInUse(tx: Queryable, table: string): Promise<boolean> {
  await tx.query(`SET LOCAL lock_timeout = ${dropWaitMs}`)
  await tx.query('SAVEPOINT drop_table')
  try {
    await tx.query(`DROP TABLE IF EXISTS ${table}`)
    return true
  } catch (error) {
    if (sqlState(error) !== lockNotAvailable) throw error
    await tx.query('ROLLBACK TO SAVEPOINT drop_table')
    return false
  } finally {
    await tx.query('RELEASE SAVEPOINT drop_table').catch(() => undefined)
  }
}

/** SQLSTATE of a lock that was not to be had in time (PostgreSQL documentation, appendix A). */
const lockNotAvailable = '55P03'

/** How many staged records there are to remove. */
export async function countStaging({ db }: Context, old: OldMessages): Promise<StagingCounts> {
  const [counts] = await db.query<StagingCounts>(
    `SELECT coalesce(sum(e.staged_records), 0)::bigint AS "stagedRecords"
     FROM entrepot.execution_entity e JOIN entrepot.message m ON m.seq = e.message_seq
     WHERE e.staging_removed_at IS NULL AND ${isOld('e.entity')}`,
    oldValues(old),
  )
  return counts!
}
