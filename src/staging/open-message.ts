import type { Entity, EntityRegistry } from '../entity'
import { MessageRejected } from '../errors'
import type { Context } from '../execution/context'
import type { Work } from '../execution/work'
import { detectFormat } from '../format/detect'
import type { RecordBlock, RecordSource } from '../format/record-block'
import { openRecords } from '../format/registry'
import type { SourceFormat } from '../format/source-format'
import type { FieldMap } from '../project/mapping'
import { findSourceFormat } from '../project/source-format-store'
import { type ColumnMap, mapColumns, reasonColumn, refuseUnknown } from './column-map'
import { readingsOf } from './field-reading'
import type { KeySet } from './key-set'
import { openFile } from './message-bytes'
import { type NumberSupply, openNumbers } from './number-supply'
import { RecordEncoder } from './record-encoder'

/** A message opened as records of its entity, with the encoder that stages them. */
export interface OpenedMessage {
  readonly entity: Entity
  readonly source: RecordSource
  readonly map: ColumnMap
  readonly encoder: RecordEncoder
  /** The number sequences that its mapping names. */
  readonly numbers: readonly NumberSupply[]
}

/**
 * Opens a message: detects or looks up its format, reads its header and matches its columns.
 * Input   `groupKeys`: takes the keys of all messages that are staged together.
 * Throws  MessageRejected (EF…, EP105, ES105), RequestRefused EA115 (its format was removed) when nothing of the file can
 *         be staged.
 */
export async function openMessage(context: Context, work: Work, groupKeys?: KeySet): Promise<OpenedMessage> {
  const entity = entityOf(context.registry, work)
  const { mapping, runBusinessValidation: asksRules = true } = work.settings
  const { format, whole } = await formatOf(context, work, await openFile(context, work))
  const fieldNames = sourceNames(entity, mapping)
  const recordNames = [entity.name, entity.publicEntityName]
  const source = await openRecords(
    whole,
    format,
    { fieldNames, recordNames },
    { maxRecordBytes: context.limits.maxRecordBytes },
  )
  const company = entity.companySpecific ? work.company : null
  const map = mapColumns(entity, source.columns, { strict: work.strict, company, ...(mapping ? { mapping } : {}) })
  const numbers = await openNumbers(context.db, mapping)
  const encoder = new RecordEncoder(entity, {
    executionEntityId: work.id,
    width: source.columns.length,
    sources: map.sources,
    company,
    sourceBytes: work.bytes,
    readings: readingsOf(format, entity, mapping, numbers),
    asksRules,
    ...(groupKeys ? { groupKeys } : {}),
  })
  const strict = work.strict ? { ...source, blocks: strictly(entity, source) } : source
  return { entity, source: strict, map, encoder, numbers: [...numbers.values()] }
}

/** What an XML file names is known only when it is read. */
async function* strictly(entity: Entity, { blocks, unknownNames }: RecordSource): AsyncGenerator<RecordBlock> {
  for await (const block of blocks) {
    refuseUnknown(
      entity,
      [...unknownNames].filter((name) => name !== reasonColumn),
    )
    yield block
  }
}

/** The names by which an XML file is read, and the columns of a file without header: the mapping's, else the entity's. */
function sourceNames({ columns }: Entity, mapping: readonly FieldMap[] | undefined): string[] {
  if (mapping === undefined) return columns.map(({ name }) => name)
  return [...new Set(mapping.flatMap(({ source }) => source ?? []))]
}

/** The entity of a message; it may have been taken out of the hub since the message came. */
export function entityOf(registry: EntityRegistry, work: Pick<Work, 'entity'>): Entity {
  const entity = registry.find(work.entity)
  if (!entity) throw new MessageRejected('EA102', `There is no entity '${work.entity}' any more`)
  return entity
}

/** Enough to see a byte order mark, a root element or a few lines. */
const headBytes = 64 * 1024

/** The format of a message's bytes, and all of them: a few may have been read to see it. */
export async function formatOf(
  { db }: Context,
  work: Work,
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ format: SourceFormat; whole: AsyncIterable<Uint8Array> }> {
  if (work.sourceFormat !== null) {
    const { format } = await findSourceFormat(db, work.sourceFormat)
    return { format, whole: bytes }
  }
  const iterator = bytes[Symbol.asyncIterator]()
  const head: Uint8Array[] = []
  for (let size = 0; size < headBytes; ) {
    const { done, value } = await iterator.next()
    if (done) break
    head.push(value)
    size += value.length
  }
  const { format } = detectFormat(Buffer.concat(head).subarray(0, headBytes))
  return { format, whole: rejoined(head, iterator) }
}

async function* rejoined(head: Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* head
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}
