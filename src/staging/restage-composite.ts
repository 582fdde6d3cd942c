import type { CompositeEntity } from '../entity'
import { stagingTable } from '../entity/names'
import type { Context } from '../execution/context'
import { spreadErrors } from '../execution/document-errors'
import type { DueWork, Work } from '../execution/work'
import type { Transaction } from '../platform/database'
import { copyErrors } from './copy'
import { DocumentEncoder, sizeOf } from './document-encoder'
import { type FailedDocument, failedDocuments } from './failed-documents'
import { restageAll } from './restage'

/**
 * As `restage`, for the documents of a composite that are in error: all records of each are checked once more, and those
 * of documents that are good now get state R.
 */
export function restageComposite({ db }: Context, work: Work, composite: CompositeEntity): Promise<DueWork[]> {
  const tables = composite.members.map(({ entity }) => `ONLY ${stagingTable(entity)}`)
  return restageAll(db, work, tables, (tx, after) => restageChunk(tx, work, composite, after))
}

/** Returns the number of the last record it saw; undefined when there are no more. */
async function restageChunk(
  tx: Transaction,
  work: Work,
  composite: CompositeEntity,
  after: number,
): Promise<number | undefined> {
  const { id, stagedRecords } = work
  const documents = await failedDocuments(tx, composite, {
    executionEntityId: id,
    stagedRecords,
    after,
    withText: false,
  })
  const [first, last] = [documents[0], documents.at(-1)]
  if (!first || !last) return undefined
  await forget(tx, id, composite, documents)
  const encoder = new DocumentEncoder(composite, {
    executionEntityId: id,
    company: null,
    goodState: 'R',
    sourceBytes: sourceBytesOf(documents),
  })
  for (const document of documents) encoder.encode(document)
  await encoder.send(tx)
  await copyErrors(
    tx,
    encoder.errors.map((error) => ({ ...error, executionEntityId: id })),
  )
  const range = { executionEntityId: id, first: first.number, last: last.number + sizeOf(last) - 1 }
  if (encoder.errors.length > 0) await spreadErrors(tx, composite, range, { step: 'stage', state: 'R' })
  return range.last
}

/** Removes the staged records of documents and what was wrong with them. */
async function forget(
  tx: Transaction,
  id: number,
  { members }: CompositeEntity,
  documents: readonly FailedDocument[],
): Promise<void> {
  const numbers = documents.flatMap(({ records }) => records.map(({ number }) => number))
  for (const { entity } of members) {
    await tx.query(
      `DELETE FROM ONLY ${stagingTable(entity)} WHERE _execution_entity = $1 AND _record_number = ANY($2::bigint[])`,
      [id, numbers],
    )
  }
  await tx.query(
    'DELETE FROM entrepot.record_error WHERE execution_entity = $1 AND record_number = ANY($2::bigint[])',
    [id, numbers],
  )
}

function sourceBytesOf(documents: readonly FailedDocument[]): number {
  let length = 0
  for (const { records } of documents) {
    for (const { values } of records) for (const value of values) length += value?.length ?? 0
  }
  return length
}
