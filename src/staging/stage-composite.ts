import type { CompositeEntity } from '../entity'
import type { Context } from '../execution/context'
import { spreadErrors } from '../execution/document-errors'
import { type DueWork, fence, type Work } from '../execution/work'
import type { Transaction } from '../platform/database'
import { faultPoint } from '../platform/faults'
import { copyErrors } from './copy'
import { DocumentEncoder, type NumberedDocument, sizeOf } from './document-encoder'
import { endStaging } from './end-staging'
import { openDocumentsOf } from './open-documents'
import { savePosition } from './stage-alone'
import { moveOn } from './staging-state'

/** Rows are sent when so many bytes of them wait: bounds memory; a COPY a member each costs nothing beside them. */
const sendBytes = 1024 * 1024
/** Errors are written with their chunk; so many of them end it early, to bound memory. */
const chunkErrors = 20_000

/**
 * Stages the documents of a composite into the shared staging tables of its members, in chunks of whole documents; goes on
 * behind those that an earlier run has committed. A document with a record in error is in error as a whole.
 */
export async function stageComposite(context: Context, work: Work, composite: CompositeEntity): Promise<DueWork[]> {
  const startedAt = performance.now()
  const { documents, unknownNames } = await openDocumentsOf(context, work, composite)
  const encoder = new DocumentEncoder(composite, {
    executionEntityId: work.id,
    company: composite.companySpecific ? work.company : null,
    goodState: 'V',
    sourceBytes: work.bytes,
  })
  const inError = () => work.recordsInError + encoder.recordsInError
  const position: Position = { records: work.stagedRecords, next: undefined }
  try {
    position.next = await skip(encoder, documents, work.stagedRecords)
    while (position.next) {
      await context.db.transaction(async (tx) => {
        await stageChunk(tx, work, composite, encoder, documents, position, context.limits.chunkRecords)
        // Only now, so that a process which is stopped meanwhile holds no lock that keeps others from taking over.
        await fence(tx, [work])
        const { leaseSeconds } = context.limits
        await savePosition(tx, work, { records: position.records, inError: inError(), leaseSeconds })
        faultPoint('stage.beforeCommit')
      })
      faultPoint('stage.afterChunk')
    }
  } finally {
    await documents.return()
  }
  const { records } = position
  const facts = {
    id: work.id,
    records,
    in_error: inError(),
    columns: encoder.given,
    source_columns: null,
    sparse: true,
    repeats: null,
    unknown: [...unknownNames],
    lacking: [],
    is_empty: false,
  }
  const move = (tx: Transaction) => moveOn(tx, [facts], 'released')
  return endStaging(context, work, move, { records, errors: encoder.recordsInError, startedAt })
}

type Documents = AsyncIterator<NumberedDocument, void>

interface Position {
  /** Records staged so far. */
  records: number
  /** The document to go on with; undefined at the end of the source. */
  next: NumberedDocument | undefined
}

/** Reads past the documents that are staged already. */
async function skip(encoder: DocumentEncoder, documents: Documents, staged: number): Promise<Position['next']> {
  for (;;) {
    const { done, value: document } = await documents.next()
    if (done) return undefined
    if (document.number > staged) return document
    encoder.observe(document)
  }
}

async function stageChunk(
  tx: Transaction,
  work: Work,
  composite: CompositeEntity,
  encoder: DocumentEncoder,
  documents: Documents,
  position: Position,
  chunkRecords: number,
): Promise<void> {
  const first = position.records + 1
  while (position.next && position.records < first + chunkRecords - 1 && encoder.errors.length < chunkErrors) {
    encoder.encode(position.next)
    position.records += sizeOf(position.next)
    if (encoder.size >= sendBytes) await encoder.send(tx)
    faultPoint('stage.inChunk')
    const { done, value } = await documents.next()
    position.next = done ? undefined : value
  }
  await encoder.send(tx)
  const { errors } = encoder
  encoder.errors = []
  if (errors.length === 0) return
  await copyErrors(
    tx,
    errors.map((error) => ({ ...error, executionEntityId: work.id })),
  )
  const range = { executionEntityId: work.id, first, last: position.records }
  await spreadErrors(tx, composite, range, { step: 'stage', state: 'V' })
}
