import { type CompositeEntity, recordNamesOf } from '../entity'
import { MessageRejected } from '../errors'
import type { Context } from '../execution/context'
import type { Work } from '../execution/work'
import type { DocumentShape, SourceDocument } from '../format/document'
import { type DocumentSource, openDocuments } from '../format/xml-composite'
import { type NumberedDocument, type NumberedRecord, sizeOf } from './document-encoder'
import { openFile } from './message-bytes'
import { formatOf } from './open-message'

/** A message opened as documents of its composite entity. */
export interface OpenedDocuments {
  /** In file order; their records are numbered from 1 on, over all members. */
  readonly documents: AsyncGenerator<NumberedDocument, void, undefined>
  readonly unknownNames: ReadonlySet<string>
}

/**
 * Opens a message of a composite entity.
 * Throws  MessageRejected EF205 when it is no XML, EF110 when it cannot be told what it is.
 */
export async function openDocumentsOf(
  context: Context,
  work: Work,
  composite: CompositeEntity,
): Promise<OpenedDocuments> {
  const { format, whole } = await formatOf(context, work, await openFile(context, work))
  if (format.kind !== 'xml') {
    throw new MessageRejected('EF205', `${composite.label} are read from XML only, and the file is delimited text`, {
      entity: composite.name,
    })
  }
  const { maxRecordBytes } = context.limits
  const source = openDocuments(whole, format, shapeOf(composite), { maxRecordBytes })
  return { documents: numbered(source), unknownNames: source.unknownNames }
}

function shapeOf({ members }: CompositeEntity): DocumentShape {
  return {
    members: members.map(({ entity, parent }) => ({
      recordNames: recordNamesOf(entity),
      fieldNames: entity.columns.map(({ name }) => name),
      parent,
    })),
  }
}

async function* numbered({ documents }: DocumentSource): AsyncGenerator<NumberedDocument, void, undefined> {
  let number = 1
  for await (const document of documents) {
    yield withNumbers(document, number)
    number += sizeOf(document)
  }
}

function withNumbers({ records, ...document }: SourceDocument, first: number): NumberedDocument {
  const own: NumberedRecord[] = []
  for (const { member, parent, line, values } of records) {
    own.push({ number: first + own.length, line, member, parent: own[parent], values })
  }
  return { ...document, number: first, records: own }
}
