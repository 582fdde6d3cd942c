import type { Entity } from '../entity'
import { RequestRefused } from '../errors'
import type { Context } from '../execution/context'
import { tableOf } from '../execution/staged-rows'
import { builtInFormat } from '../format/registry'
import type { Transaction } from '../platform/database'
import { findSourceFormat } from '../project/source-format-store'
import { writingsOf } from './field-writing'
import { openStaging, restageRows, type StagedRow } from './restage'
import { columnNamed, findStaged, findStagedEntity, type StagedEntity, type StagedRecord } from './staged-records'

/** What a person changes of a staged record: texts as the source would write them; null takes a field away. */
export type Correction = Readonly<Record<string, string | null>>

/**
 * Corrects a staged record and checks it again. In an execution that stages only, a good one waits to be promoted with the
 * others; elsewhere it stays in error, until a retry promotes it.
 * Throws  RequestRefused EA108 (404), EA102, EA109 (400), EA110 (409) while the execution is under way, or for a record that
 *         is promoted, EA130 (410).
 */
export async function correctStaged(
  context: Context,
  executionId: string,
  { entity: entityName, recordNumber }: { entity?: string; recordNumber: number },
  correction: Correction,
): Promise<StagedRecord> {
  return context.db.transaction(async (tx) => {
    const staged = await findStagedEntity(tx, context, executionId, entityName, { lock: true })
    const entity = context.registry.get(staged.entity)
    const record = await findStaged(tx, entity, staged, recordNumber)
    refuseUnfit(staged, record)
    const changes = changesOf(entity, correction)
    const staging = await openStaging(tx, context.registry, staged)
    const row = await correctedRow(tx, entity, staged, record, changes)
    const isStaged = staged.state === 'Staged'
    const inError = await restageRows(tx, staged.id, staging, [row], isStaged ? 'V' : 'E')
    if (inError === 0 && !isStaged) await noteCorrected(tx, staged, row)
    await noteChange(tx, staged, [...changes.keys()])
    const { isAsItCame: _, ...corrected } = await findStaged(tx, entity, staged, recordNumber)
    return corrected
  })
}

function refuseUnfit(staged: StagedEntity, { status, recordNumber }: StagedRecord): void {
  const { state, mode, executionId, composite } = staged
  if (composite !== undefined) {
    throw refused(`The record is part of a document of ${composite}: correct the file of its errors, and import that`)
  }
  if (mode === 'validate') {
    throw refused(`The execution ${executionId} is a dry run, of which nothing is promoted: correct the file`)
  }
  if (state !== 'Finished' && state !== 'Staged') throw refused(`The execution ${executionId} is still under way`)
  const isOpen = status === 'Error' || (state === 'Staged' && status === 'NotStarted')
  if (!isOpen)
    throw refused(`Record ${recordNumber} is ${status}: only records that wait or are in error can be corrected`)
}

/** A correction by the names of the entity's columns. */
function changesOf(entity: Entity, correction: Correction): Map<string, string | null> {
  const changes = new Map<string, string | null>()
  for (const [field, text] of Object.entries(correction)) {
    const name = columnNamed(entity, field)
    if (changes.has(name)) throw new RequestRefused(400, 'EA109', `The field ${name} is corrected twice`)
    changes.set(name, text)
  }
  return changes
}

/** The record as the source would have written it, with the corrections in it. */
async function correctedRow(
  tx: Transaction,
  entity: Entity,
  { sourceFormat, settings }: StagedEntity,
  record: StagedRecord & { readonly isAsItCame: boolean },
  changes: ReadonlyMap<string, string | null>,
): Promise<StagedRow> {
  const format = sourceFormat === null ? builtInFormat('CSV-Comma')! : await findSourceFormat(tx, sourceFormat)
  const written = writingsOf(format.format, entity, settings.mapping)
  const values = entity.columns.map(({ name }, index) => {
    const change = changes.get(name)
    if (change !== undefined) return change
    const text = record.values[name] ?? null
    return text === null || record.isAsItCame ? text : written[index]!(text)
  })
  return { number: record.recordNumber, line: record.line ?? 0, values, isAsItCame: true }
}

/** Until it is promoted the record counts as one in error, with this in place of its errors. */
async function noteCorrected(tx: Transaction, { id }: StagedEntity, { number, line }: StagedRow): Promise<void> {
  await tx.query(
    `INSERT INTO entrepot.record_error (execution_entity, record_number, line, step, code, reason)
     VALUES ($1, $2, $3, 'promote', 'ER301', 'The record was corrected and waits for a retry')`,
    [id, number, line],
  )
}

/**
 * The account follows; fields that the file does not give are promoted from now on, this record may leave out some that it
 * does give, and reading no longer knows the keys.
 */
async function noteChange(tx: Transaction, staged: StagedEntity, fields: readonly string[]): Promise<void> {
  await tx.query(
    `UPDATE entrepot.execution_entity e SET repeats = NULL, sparse = true,
       columns = ARRAY(SELECT DISTINCT name FROM unnest(e.columns || $2::text[]) AS name),
       records_in_error = (SELECT count(*) FROM ${tableOf(staged)} WHERE _execution_entity = $1 AND _state = 'E')
     WHERE e.id = $1`,
    [staged.id, fields],
  )
}

function refused(message: string): RequestRefused {
  return new RequestRefused(409, 'EA110', message)
}
