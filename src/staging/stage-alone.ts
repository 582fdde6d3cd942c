import type { Entity } from '../entity'
import { createExecutionStaging } from '../entity/ddl'
import { executionStagingTable, stagingTable } from '../entity/names'
import type { Context } from '../execution/context'
import { type DueWork, fence, type Work } from '../execution/work'
import type { RecordBlock } from '../format/record-block'
import type { Transaction } from '../platform/database'
import { faultPoint } from '../platform/faults'
import { copyErrors, copyStaging, RowSender } from './copy'
import { endStaging } from './end-staging'
import { type OpenedMessage, openMessage } from './open-message'
import { finishStaging } from './staging-state'

/** Rows are sent in pieces of this size: large enough for the socket, small enough to encode the next meanwhile. */
const sendBytes = 256 * 1024
/** Errors are written with their chunk; so many of them end it early, to bound memory. */
const chunkErrors = 20_000

/** Stages one message in chunks, going on behind the records that an earlier run has committed. */
export async function stageAlone(context: Context, work: Work): Promise<DueWork[]> {
  const startedAt = performance.now()
  const opened = await openMessage(context, work)
  const { entity, encoder, source } = opened
  const ownTable = work.bytes >= context.limits.ownTableBytes
  const table = ownTable ? executionStagingTable(entity, work.id) : stagingTable(entity)
  const blocks = source.blocks[Symbol.asyncIterator]()
  const position = { records: work.stagedRecords, next: await skip(opened, blocks, work.stagedRecords) }
  if (ownTable && work.stagingTable === null) await giveOwnTable(context, work, entity)
  try {
    while (position.next) {
      for (const supply of opened.numbers) await supply.reserve(context.db, position.next.block.count)
      await context.db.transaction(async (tx) => {
        for (const supply of opened.numbers) await supply.begin(tx)
        await stageChunk(tx, work, opened, blocks, table, position, context.limits.chunkRecords)
        for (const supply of opened.numbers) await supply.end(tx)
        // Only now, so that a process which is stopped meanwhile holds no lock that keeps others from taking over.
        await fence(tx, [work])
        await savePosition(tx, work, {
          records: position.records,
          inError: work.recordsInError + encoder.recordsInError,
          leaseSeconds: context.limits.leaseSeconds,
        })
        faultPoint('stage.beforeCommit')
      })
      faultPoint('stage.afterChunk')
    }
  } finally {
    await blocks.return?.()
  }
  const { records } = position
  const inError = work.recordsInError + encoder.recordsInError
  const move = (tx: Transaction) => finishStaging(tx, [{ work, opened, records, inError }], 'released')
  return endStaging(context, work, move, { records, errors: encoder.recordsInError, startedAt })
}

/** A large message gets a staging table of its own, before any record of it is staged. */
async function giveOwnTable({ db }: Context, work: Work, entity: Entity): Promise<void> {
  await db.transaction(async (tx) => {
    await fence(tx, [work])
    await tx.query(createExecutionStaging(entity, work.id))
    await tx.query('UPDATE entrepot.execution_entity SET staging_table = $2 WHERE id = $1', [
      work.id,
      executionStagingTable(entity, work.id),
    ])
  })
  faultPoint('stage.afterOwnTable')
}

interface Position {
  /** Records staged so far. */
  records: number
  /** The block to go on with, and the index in it; undefined at the end of the source. */
  next: { block: RecordBlock; from: number } | undefined
}

type Blocks = AsyncIterator<RecordBlock>

/** Reads past the records that are staged already. */
async function skip({ encoder }: OpenedMessage, blocks: Blocks, staged: number): Promise<Position['next']> {
  for (;;) {
    const { done, value: block } = await blocks.next()
    if (done) return undefined
    const last = block.firstRecordNumber + block.count - 1
    const from = Math.max(0, staged + 1 - block.firstRecordNumber)
    if (from > 0) encoder.observe(block)
    if (last > staged) return { block, from }
  }
}

/** Stages blocks until the chunk is full; a block is never split, so that its buffers need not be kept. */
async function stageChunk(
  tx: Transaction,
  work: Work,
  { entity, encoder, numbers }: OpenedMessage,
  blocks: Blocks,
  table: string,
  position: Position,
  chunkRecords: number,
): Promise<void> {
  const sender = new RowSender(tx.copyIn(copyStaging(entity, table)))
  const until = position.records + chunkRecords
  while (position.next && position.records < until && encoder.errors.length < chunkErrors) {
    const { block, from } = position.next
    if (numbers.some(({ left }) => left < block.count)) break // the next chunk takes more
    encoder.encode(block, from)
    position.records = block.firstRecordNumber + block.count - 1
    if (encoder.size >= sendBytes) await sender.send(encoder.take())
    faultPoint('stage.inChunk')
    const { done, value } = await blocks.next()
    position.next = done ? undefined : { block: value, from: 0 }
  }
  await sender.send(encoder.take())
  await sender.finish()
  await copyErrors(
    tx,
    encoder.errors.map((error) => ({ ...error, executionEntityId: work.id })),
  )
  encoder.errors = []
}

/** Keeps how far staging has come; an earlier claim's failures count no more. */
export async function savePosition(
  tx: Transaction,
  { id }: Work,
  position: { records: number; inError: number; leaseSeconds: number },
): Promise<void> {
  await tx.query(
    `UPDATE entrepot.execution_entity SET staged_records = $2, records_in_error = $3, attempts = 0,
       lease_until = now() + make_interval(secs => $4) WHERE id = $1`,
    [id, position.records, position.inError, position.leaseSeconds],
  )
}
