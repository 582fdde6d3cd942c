import { MessageRejected } from '../errors'
import type { Context } from '../execution/context'
import type { Database, Transaction } from '../platform/database'
import { faultPoint } from '../platform/faults'
import { keepBytes } from './blob-bytes'
import { demandForWrite } from './blob-conditions'
import { BlobRefused } from './blob-error'
import { type Blob, type BlobChange, type LockedBlob, removeFreed, replaceBytes, withBlob } from './blob-store'
import { type BlockReport, type ListedBlock, maxBlocks } from './block-list'

/**
 * Keeps a block for a later list; another one with the same id is replaced. All blocks that wait for a file together are as
 * large as a message may be.
 * Throws  BlobRefused BlobNotFound, RequestBodyTooLarge, BlockCountExceedsLimit, Md5Mismatch, InvalidHeaderValue (no bytes);
 *         what reading the bytes throws.
 * Source  Azure Storage REST API, "Put Block".
 */
export async function putBlock(
  context: Context,
  blobId: string,
  blockId: string,
  bytes: AsyncIterable<Uint8Array>,
  md5?: Buffer,
): Promise<{ md5: Buffer }> {
  const others = await withBlob(context.db, blobId, (tx) => otherBlocks(tx, blobId, blockId))
  if (others.count >= maxBlocks) throw new BlobRefused('BlockCountExceedsLimit', `${maxBlocks} blocks wait already`)
  const kept = await keepBytes(context, bytes, { maxBytes: context.limits.maxMessageBytes - others.bytes, md5 })
  const location = kept.payloadLocation
  if (location === null) throw new BlobRefused('InvalidHeaderValue', 'A block must have at least one byte')
  faultPoint('blob.afterBlock')
  try {
    const replaced = await withBlob(context.db, blobId, async (tx) => {
      const earlier = await tx.query<{ location: string }>(
        'DELETE FROM entrepot.blob_block WHERE blob_id = $1 AND block_id = $2 RETURNING payload_location AS location',
        [blobId, blockId],
      )
      await tx.query(
        'INSERT INTO entrepot.blob_block (blob_id, block_id, bytes, md5, payload_location) VALUES ($1, $2, $3, $4, $5)',
        [blobId, blockId, kept.bytes, kept.md5, location],
      )
      return earlier
    })
    await removeFreed(context, replaced)
  } catch (error) {
    // The file was removed meanwhile. After any other error the row may be there: the answer to a commit can get lost.
    if (error instanceof BlobRefused) await removeFreed(context, [{ location }])
    throw error
  }
  return kept
}

async function otherBlocks(
  tx: Transaction,
  blobId: string,
  blockId: string,
): Promise<{ count: number; bytes: number }> {
  const [sums] = await tx.query<{ count: number; bytes: number }>(
    `SELECT count(*) AS count, coalesce(sum(bytes), 0)::bigint AS bytes FROM entrepot.blob_block
     WHERE blob_id = $1 AND block_id <> $2`,
    [blobId, blockId],
  )
  return sums!
}

/** How often a list is tried whose blocks another request has used up meanwhile. */
const maxTries = 3

/**
 * Puts a file together from blocks, in the order of the list: copies them into one, so that a message can take it over.
 * Blocks that were sent before and are not in the list are forgotten.
 * Throws  BlobRefused BlobNotFound, InvalidBlockList, BlobAlreadyExists, ConditionNotMet, RequestBodyTooLarge. The earlier
 *         bytes and the blocks are still there then.
 * Source  Azure Storage REST API, "Put Block List".
 */
export async function putBlockList(
  context: Context,
  blobId: string,
  list: readonly ListedBlock[],
  { contentType, conditions = {} }: BlobChange = {},
): Promise<Blob> {
  const maxBytes = context.limits.maxMessageBytes
  for (let tries = 1; ; tries++) {
    const { parts, waiting } = await withBlob(context.db, blobId, async (tx, locked) => {
      demandForWrite(locked.blob, conditions)
      const blocks = await waitingBlocks(tx, blobId)
      return { parts: chooseParts(list, locked, blocks), waiting: blocks }
    })
    const sum = parts.reduce((bytes, part) => bytes + part.bytes, 0)
    if (sum > maxBytes) throw new BlobRefused('RequestBodyTooLarge', `The blocks have ${sum} bytes of ${maxBytes}`)
    try {
      const kept = await oneByOne(context.db, () => keepBytes(context, readParts(context, parts), { maxBytes }))
      const blocks = parts.map(({ blockId, bytes }) => [blockId, bytes] as const)
      const usedBlocks = waiting.map(({ location }) => location)
      return await replaceBytes(context, blobId, { kept, blocks, usedBlocks, contentType, conditions })
    } catch (error) {
      const isGone = error instanceof MessageRejected && error.code === 'ES105'
      if (!isGone || tries === maxTries) throw error
    }
  }
}

const copying = new WeakMap<Database, Promise<unknown>>()

/**
 * Copies one file at a time in a process: a copy within the database holds one connection and needs a second one, and
 * many at once could wait for one another's.
 */
function oneByOne<T>(db: Database, copy: () => Promise<T>): Promise<T> {
  const mine = (copying.get(db) ?? Promise.resolve()).then(copy)
  copying.set(
    db,
    mine.catch(() => undefined),
  )
  return mine
}

/** What there is of a file. Throws BlobRefused BlobNotFound. */
export function listBlocks(
  db: Database,
  blobId: string,
): Promise<{ committed: BlockReport[]; uncommitted: BlockReport[] }> {
  return withBlob(db, blobId, async (tx, { blocks }) => ({
    committed: blocks.map(([blockId, bytes]) => ({ blockId, bytes })),
    uncommitted: await waitingBlocks(tx, blobId),
  }))
}

/** Where the bytes of a block are: all those of a location, or from here on within those of the file. */
interface Part extends BlockReport {
  readonly location: string
  readonly from?: number
}

async function waitingBlocks(tx: Transaction, blobId: string): Promise<Part[]> {
  return tx.query<Part>(
    `SELECT block_id AS "blockId", bytes, payload_location AS location FROM entrepot.blob_block
     WHERE blob_id = $1 ORDER BY block_id`,
    [blobId],
  )
}

function chooseParts(list: readonly ListedBlock[], { blob, blocks }: LockedBlob, waiting: readonly Part[]): Part[] {
  const uncommitted = new Map(waiting.map((part) => [part.blockId, part]))
  const committed = new Map<string, Part>()
  let from = 0
  for (const [blockId, bytes] of blocks) {
    committed.set(blockId, { blockId, bytes, location: blob!.payloadLocation!, from }) // blocks have bytes
    from += bytes
  }
  return list.map(({ from: kind, blockId }) => {
    const part =
      (kind === 'Committed' ? undefined : uncommitted.get(blockId)) ??
      (kind === 'Uncommitted' ? undefined : committed.get(blockId))
    if (part) return part
    throw new BlobRefused('InvalidBlockList', `There is no ${kind} block '${blockId}'`)
  })
}

async function* readParts({ payloads }: Context, parts: readonly Part[]): AsyncGenerator<Uint8Array> {
  for (const { location, from, bytes } of parts) {
    yield* payloads.open(location, from === undefined ? undefined : { from, to: from + bytes })
  }
}
