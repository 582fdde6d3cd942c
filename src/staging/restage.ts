import type { Entity } from '../entity'
import { quoteIdentifier, stagingTable } from '../entity/names'
import type { Context } from '../execution/context'
import { type DueWork, fence, type Work } from '../execution/work'
import type { Transaction } from '../platform/database'
import { faultPoint } from '../platform/faults'
import { copyErrors, copyStaging } from './copy'
import { blockOf, type RecordTexts } from './one-record-block'
import { entityOf } from './open-message'
import { RecordEncoder } from './record-encoder'

/** Records of one transaction: a few megabytes at usual record sizes. */
const chunkRecords = 5_000

/**
 * Checks the staged records of an execution that are in error once more, from their staged texts, which a person may
 * have corrected: the first step of a retry. Good ones get state R, by which promotion knows them from those it has
 * promoted before. Records whose shape was wrong stay in error: they have no fields.
 */
export async function restage({ db, registry }: Context, work: Work): Promise<DueWork[]> {
  const entity = entityOf(registry, work)
  const table = work.stagingTable ?? stagingTable(entity)
  for (let after: number | undefined = 0; after !== undefined; ) {
    const position: number = after
    after = await db.transaction(async (tx) => {
      await fence(tx, [work])
      const last = await restageChunk(tx, work, entity, table, position)
      faultPoint('restage.beforeCommit')
      return last
    })
    faultPoint('restage.afterChunk')
  }
  return db.transaction(async (tx) => {
    await fence(tx, [work])
    return tx.query<DueWork>(
      `UPDATE entrepot.execution_entity SET state = 'Promoting', lease_until = NULL, attempts = 0, due_at = now(),
         records_in_error = (SELECT count(*) FROM ${table} WHERE _execution_entity = $1 AND _state = 'E')
       WHERE id = $1 RETURNING id, epoch, state`,
      [work.id],
    )
  })
}

/** Returns the last record number it saw; undefined when there are no more. */
async function restageChunk(
  tx: Transaction,
  work: Work,
  entity: Entity,
  table: string,
  after: number,
): Promise<number | undefined> {
  const columns = entity.columns.map(({ name }) => quoteIdentifier(name)).join(', ')
  const rows = await tx.query<RecordTexts>(
    `SELECT _record_number AS number, _line AS line, ARRAY[${columns}] AS values FROM ${table}
     WHERE _execution_entity = $1 AND _state = 'E' AND _raw IS NULL AND _record_number > $2
     ORDER BY _record_number LIMIT ${chunkRecords}`,
    [work.id, after],
  )
  const last = rows.at(-1)
  if (!last) return undefined
  const which = [work.id, rows.map(({ number }) => number)]
  await tx.query(`DELETE FROM ${table} WHERE _execution_entity = $1 AND _record_number = ANY($2::bigint[])`, which)
  await tx.query(
    'DELETE FROM entrepot.record_error WHERE execution_entity = $1 AND record_number = ANY($2::bigint[])',
    which,
  )
  const copy = tx.copyIn(copyStaging(entity, table))
  const errors = []
  for (const row of rows) {
    const block = blockOf(row)
    const encoder = new RecordEncoder(entity, {
      executionEntityId: work.id,
      width: row.values.length,
      sources: row.values.map((_, index) => index),
      company: null,
      goodState: 'R',
      sourceBytes: block.bytes.length,
    })
    encoder.encode(block)
    errors.push(...encoder.errors)
    await copy.write(encoder.take())
  }
  await copy.end()
  await copyErrors(
    tx,
    errors.map((error) => ({ ...error, executionEntityId: work.id })),
  )
  return last.number
}
