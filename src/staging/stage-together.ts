import type { Entity } from '../entity'
import { stagingTable } from '../entity/names'
import type { Context } from '../execution/context'
import type { RecordError } from '../execution/record-error'
import { fence, type StepResult, type Work } from '../execution/work'
import type { Transaction } from '../platform/database'
import { faultPoint } from '../platform/faults'
import { observe } from '../platform/observe'
import { copyErrors, copyStaging } from './copy'
import { KeySet } from './key-set'
import { openMessage } from './open-message'
import { isRejection, type Rejection } from './rejection'
import { finishStaging, givenColumns, type StagedMessage } from './staging-state'

/**
 * Stages many small messages in one transaction, so that their cost is not one set of commits each.
 * Returns the works to go on with, whose claims are held, and those that wait for their turn among the entities of
 * their execution.
 */
export async function stageTogether(
  context: Context,
  works: readonly Work[],
  reject: (rejections: readonly Rejection[]) => Promise<void>,
): Promise<StepResult> {
  const startedAt = performance.now()
  const encoded: EncodedMessage[] = []
  const rejections: Rejection[] = []
  const keysOf = new Map<string, KeySet>()
  for (const work of works) {
    try {
      const keys = keysOf.get(work.entity) ?? new KeySet()
      keysOf.set(work.entity, keys)
      encoded.push(await encodeMessage(context, work, keys))
    } catch (error) {
      if (!isRejection(error)) throw error
      rejections.push({ work, error })
    }
  }
  await reject(rejections)
  if (encoded.length === 0) return { due: [], held: [] }
  const due = await context.db.transaction(async (tx) => {
    for (const [entity, messages] of byEntity(encoded)) await copyRows(tx, entity, messages)
    await copyErrors(
      tx,
      encoded.flatMap(({ work, errors }) => errors.map((error) => ({ ...error, executionEntityId: work.id }))),
    )
    await fence(
      tx,
      encoded.map(({ work }) => work),
    )
    const moved = await finishStaging(tx, encoded, 'held')
    faultPoint('stage.beforeCommit')
    return moved
  })
  faultPoint('stage.afterTogether')
  const ms = Math.round(performance.now() - startedAt)
  for (const { work, records, inError } of encoded) {
    observe({ at: 'stage.finished', executionId: work.executionId, entity: work.entity, records, errors: inError, ms })
  }
  const alone = encoded.filter(({ work }) => !work.isOrdered)
  const released = new Set(encoded.filter(({ work }) => work.isOrdered).map(({ work }) => work.id))
  return {
    due: due.filter(({ id }) => released.has(id)),
    held: alone.map((message) => stagedWork(message, keysOf.get(message.work.entity)!)),
  }
}

/** The work as it is now, without asking the database. */
function stagedWork(message: EncodedMessage, keys: KeySet): Work {
  const { work, opened, records, inError } = message
  return {
    ...work,
    stagedRecords: records,
    recordsInError: inError,
    columns: givenColumns(message),
    sparse: opened.encoder.isSparse,
    repeats: opened.encoder.repeats,
    ...(keys.areUnique ? { disjoint: keys } : {}),
  }
}

interface EncodedMessage extends StagedMessage {
  readonly rows: Buffer
  readonly errors: readonly RecordError[]
}

async function encodeMessage(context: Context, work: Work, keys: KeySet): Promise<EncodedMessage> {
  const opened = await openMessage(context, work, keys)
  const { encoder, source } = opened
  let records = 0
  for await (const block of source.blocks) {
    encoder.encode(block)
    records = block.firstRecordNumber + block.count - 1
  }
  return { work, opened, records, inError: encoder.recordsInError, rows: encoder.take(), errors: encoder.errors }
}

function byEntity(messages: readonly EncodedMessage[]): Map<Entity, EncodedMessage[]> {
  const groups = new Map<Entity, EncodedMessage[]>()
  for (const message of messages) {
    const { entity } = message.opened
    const group = groups.get(entity)
    if (group) group.push(message)
    else groups.set(entity, [message])
  }
  return groups
}

async function copyRows(tx: Transaction, entity: Entity, messages: readonly EncodedMessage[]): Promise<void> {
  const copy = tx.copyIn(copyStaging(entity, stagingTable(entity)))
  await copy.write(Buffer.concat(messages.map(({ rows }) => rows)))
  await copy.end()
}
