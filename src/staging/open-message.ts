import type { Entity, EntityRegistry } from '../entity'
import { MessageRejected } from '../errors'
import type { Context } from '../execution/context'
import type { Work } from '../execution/work'
import { detectFormat } from '../format/detect'
import type { RecordSource } from '../format/record-block'
import { openRecords, sourceFormatNamed } from '../format/registry'
import type { SourceFormat } from '../format/source-format'
import { type ColumnMap, mapColumns } from './column-map'
import type { KeySet } from './key-set'
import { RecordEncoder } from './record-encoder'

/** A message opened as records of its entity, with the encoder that stages them. */
export interface OpenedMessage {
  readonly entity: Entity
  readonly source: RecordSource
  readonly map: ColumnMap
  readonly encoder: RecordEncoder
}

/**
 * Opens a message: detects or looks up its format, reads its header and matches its columns.
 * Input   `groupKeys`: takes the keys of all messages that are staged together.
 * Throws  MessageRejected (EF…, EP105, ES105) when nothing of the file can be staged.
 */
export async function openMessage(context: Context, work: Work, groupKeys?: KeySet): Promise<OpenedMessage> {
  const entity = entityOf(context.registry, work)
  const { format, whole } = await formatOf(work, bytesOf(context, work))
  const fieldNames = entity.columns.map(({ name }) => name)
  const recordNames = [entity.name, entity.publicEntityName]
  const source = await openRecords(
    whole,
    format,
    { fieldNames, recordNames },
    { maxRecordBytes: context.limits.maxRecordBytes },
  )
  const company = entity.companySpecific ? work.company : null
  const map = mapColumns(entity, source.columns, { strict: work.strict, company })
  const encoder = new RecordEncoder(entity, {
    executionEntityId: work.id,
    width: source.columns.length,
    sources: map.sources,
    company,
    sourceBytes: work.bytes,
    ...(groupKeys ? { groupKeys } : {}),
  })
  return { entity, source, map, encoder }
}

/** The entity of a message; it may have been taken out of the hub since the message came. */
export function entityOf(registry: EntityRegistry, work: Pick<Work, 'entity'>): Entity {
  const entity = registry.find(work.entity)
  if (!entity) throw new MessageRejected('EA102', `There is no entity '${work.entity}' any more`)
  return entity
}

/** The bytes of a message. */
export function bytesOf({ payloads }: Context, work: Work): AsyncIterable<Uint8Array> {
  return work.payload === null ? payloads.open(work.payloadLocation!) : once(work.payload)
}

/** Enough to see a byte order mark, a root element or a few lines. */
const headBytes = 64 * 1024

/** The format of a message's bytes, and all of them: a few may have been read to see it. */
export async function formatOf(
  work: Work,
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ format: SourceFormat; whole: AsyncIterable<Uint8Array> }> {
  if (work.sourceFormat !== null) return { format: sourceFormatNamed(work.sourceFormat).format, whole: bytes }
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

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function* rejoined(head: Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* head
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}
