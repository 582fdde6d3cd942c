import type { Entity, EntityRegistry } from '../entity'
import { quoteIdentifier, stagingTable } from '../entity/names'
import type { Context } from '../execution/context'
import { isAsItCame } from '../execution/staged-rows'
import { type DueWork, fence, type Work } from '../execution/work'
import { builtInFormat } from '../format/registry'
import type { Database, Queryable, Transaction } from '../platform/database'
import { faultPoint } from '../platform/faults'
import { findSourceFormat } from '../project/source-format-store'
import { copyErrors, copyStaging } from './copy'
import { type FieldReadings, readingsOf } from './field-reading'
import { type NumberSupply, openNumbers } from './number-supply'
import { blockOf, type RecordTexts } from './one-record-block'
import { entityOf } from './open-message'
import { RecordEncoder } from './record-encoder'

/** Records of one transaction: a few megabytes at usual record sizes. */
const chunkRecords = 5_000

/**
 * Checks the staged records of an execution that are in error once more, from their staged texts, which a person may
 * have corrected: the first step of a retry. Texts of records that were found wrong when they were staged are as they
 * came, those of records that failed at promotion are canonical. Good ones get state R, by which promotion knows them from
 * those it has promoted before. Records whose shape was wrong stay in error: they have no fields.
 */
export async function restage({ db, registry }: Context, work: Work): Promise<DueWork[]> {
  const staging = await openStaging(db, registry, work)
  return restageAll(db, work, [staging.table], (tx, after) => restageChunk(tx, work, staging, after))
}

/**
 * Restages records in error chunk by chunk, and moves the work on to promotion.
 * Input   `tables`: SQL names of those that hold them; `restageNext`: restages those behind a record number, and gives
 *         the last one that it saw; undefined when there are no more.
 * Throws  Conflict.
 */
export async function restageAll(
  db: Database,
  work: Work,
  tables: readonly string[],
  restageNext: (tx: Transaction, after: number) => Promise<number | undefined>,
): Promise<DueWork[]> {
  for (let after: number | undefined = 0; after !== undefined; ) {
    const position: number = after
    after = await db.transaction(async (tx) => {
      await fence(tx, [work])
      const last = await restageNext(tx, position)
      faultPoint('restage.beforeCommit')
      return last
    })
    faultPoint('restage.afterChunk')
  }
  const inError = tables.map((table) => `(SELECT count(*) FROM ${table} WHERE _execution_entity = $1 AND _state = 'E')`)
  return db.transaction(async (tx) => {
    await fence(tx, [work])
    return tx.query<DueWork>(
      `UPDATE entrepot.execution_entity SET state = 'Promoting', lease_until = NULL, attempts = 0, due_at = now(), repeats = NULL,
         records_in_error = ${inError.join(' + ')}
       WHERE id = $1 RETURNING id, epoch, state`,
      [work.id],
    )
  })
}

/** What is staged, where, and how its texts are read. */
export interface Staging {
  readonly entity: Entity
  readonly table: string
  readonly readings: FieldReadings
  /** Company of records that name none. */
  readonly company: string | null
  readonly asksRules: boolean
  readonly numbers: readonly NumberSupply[]
}

/** What says how the staged records of an execution's entity are read again. */
export type StagedWork = Pick<Work, 'id' | 'entity' | 'company' | 'stagingTable' | 'sourceFormat' | 'settings'>

/** Opens the staged records of an execution's entity to be read again. Throws as `openMessage` does. */
export async function openStaging(db: Queryable, registry: EntityRegistry, work: StagedWork): Promise<Staging> {
  const entity = entityOf(registry, work)
  const { mapping, runBusinessValidation: asksRules = true } = work.settings
  // A detected format has no conventions.
  const format = work.sourceFormat === null ? plainFormat : (await findSourceFormat(db, work.sourceFormat)).format
  const numbers = await openNumbers(db, mapping)
  return {
    entity,
    table: work.stagingTable ?? stagingTable(entity),
    readings: readingsOf(format, entity, mapping, numbers),
    company: entity.companySpecific ? work.company : null,
    asksRules,
    numbers: [...numbers.values()],
  }
}

const plainFormat = builtInFormat('CSV-Comma')!.format

/** A staged record that is read again. */
export interface StagedRow extends RecordTexts {
  readonly values: (string | null)[]
  /** Whether its texts are as they came. */
  readonly isAsItCame: boolean
}

/** Returns the last record number it saw; undefined when there are no more. */
async function restageChunk(tx: Transaction, work: Work, staging: Staging, after: number): Promise<number | undefined> {
  const { entity, table } = staging
  const columns = entity.columns.map(({ name }) => quoteIdentifier(name)).join(', ')
  const rows = await tx.query<StagedRow>(
    `SELECT _record_number AS number, _line AS line, ARRAY[${columns}] AS values, ${isAsItCame} AS "isAsItCame" FROM ${table} s
     WHERE _execution_entity = $1 AND _state = 'E' AND _raw IS NULL AND _record_number > $2
     ORDER BY _record_number LIMIT ${chunkRecords}`,
    [work.id, after],
  )
  await restageRows(tx, work.id, staging, rows, 'R')
  return rows.at(-1)?.number
}

/**
 * Reads staged records again, in place of what was staged of them, with their errors.
 * Input   `goodState`: the state that good ones get.
 * Returns  how many are in error.
 */
export async function restageRows(
  tx: Transaction,
  workId: number,
  { entity, table, readings, company, asksRules, numbers }: Staging,
  rows: readonly StagedRow[],
  goodState: 'V' | 'R' | 'E',
): Promise<number> {
  if (rows.length === 0) return 0
  const which = [workId, rows.map(({ number }) => number)]
  await tx.query(`DELETE FROM ${table} WHERE _execution_entity = $1 AND _record_number = ANY($2::bigint[])`, which)
  await tx.query(
    'DELETE FROM entrepot.record_error WHERE execution_entity = $1 AND record_number = ANY($2::bigint[])',
    which,
  )
  for (const supply of numbers) await supply.begin(tx, rows.length)
  const copy = tx.copyIn(copyStaging(entity, table))
  const errors = []
  let inError = 0
  for (const row of rows) {
    const block = blockOf(row)
    const encoder = new RecordEncoder(entity, {
      executionEntityId: workId,
      width: row.values.length,
      sources: row.values.map((_, index) => index),
      company,
      goodState,
      sourceBytes: block.bytes.length,
      asksRules,
      ...(row.isAsItCame ? { readings } : {}),
    })
    encoder.encode(block)
    errors.push(...encoder.errors)
    inError += encoder.recordsInError
    await copy.write(encoder.take())
  }
  await copy.end()
  for (const supply of numbers) await supply.end(tx)
  await copyErrors(
    tx,
    errors.map((error) => ({ ...error, executionEntityId: workId })),
  )
  return inError
}
