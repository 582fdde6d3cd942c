import type { CompositeEntity, Entity } from '../entity'
import { sourceFormats } from '../format/source-format'
import { documentsFooter, documentsHeader, documentText, type WrittenRecord } from '../format/xml-composite-writer'
import type { Queryable } from '../platform/database'
import type { NumberedRecord } from './document-encoder'
import { type FailedDocument, failedDocuments } from './failed-documents'

const format = sourceFormats['XML-Element']

/**
 * The documents of an execution that are in error, as XML, ready to be corrected and sent again. What a record takes over
 * from the one that it stands in is left out, so that it has to be corrected once only.
 * Yields  text of the file.
 */
export async function* compositeErrorsFile(
  db: Queryable,
  composite: CompositeEntity,
  { id, stagedRecords }: { readonly id: number; readonly stagedRecords: number },
): AsyncGenerator<string> {
  yield documentsHeader(format)
  for (let after = 0; ; ) {
    const query = { executionEntityId: id, stagedRecords, after, withText: true }
    const documents = await failedDocuments(db, composite, query)
    const last = documents.at(-1)
    if (last === undefined) break
    for (const document of documents) yield textOf(composite, document)
    after = last.number
  }
  yield documentsFooter(format)
}

function textOf(composite: CompositeEntity, { text, records }: FailedDocument): string {
  return text === null ? documentText(nested(composite, records)) : `  ${text}\n`
}

/** The first record, with the others where they stand. */
function nested({ members }: CompositeEntity, records: readonly NumberedRecord[]): WrittenRecord {
  const written = new Map<NumberedRecord, WrittenRecord & { children: WrittenRecord[] }>()
  for (const record of records) {
    const { entity, parent, handedDown } = members[record.member]!
    const isTakenOver = (name: string, value: string): boolean => {
      const theirs = handedDown[name]
      return theirs !== undefined && record.parent?.values[indexOf(members[parent]!.entity, theirs)] === value
    }
    const fields = entity.columns.flatMap(({ name }, index) => {
      const value = record.values[index]
      return value === undefined || isTakenOver(name, value) ? [] : [[name, value] as const]
    })
    const own = { name: entity.name, fields, children: [] }
    written.set(record, own)
    if (record.parent) written.get(record.parent)!.children.push(own)
  }
  return written.get(records[0]!)!
}

function indexOf({ columns }: Entity, name: string): number {
  return columns.findIndex((column) => column.name === name)
}
