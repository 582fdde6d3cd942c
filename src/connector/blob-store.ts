import { randomBytes, randomUUID } from 'node:crypto'
import type { RequestRefused } from '../errors'
import type { Context } from '../execution/context'
import type { Database, Queryable, Transaction } from '../platform/database'
import { faultPoint } from '../platform/faults'
import { type KeptBytes, keepBytes } from './blob-bytes'
import { type BlobConditions, demandForWrite } from './blob-conditions'
import { BlobRefused } from './blob-error'
import { type BlobName, blobFileName } from './blob-url'

/**
 * Files behind signed links. Bytes are kept durably first; then, under the lock of the file's row, the row is made to refer
 * to them; then those that they replace are removed. Killed in between, bytes may remain that no row refers to, which
 * cost space only; never a row without its bytes.
 */

/** A file whose bytes are there. */
export interface Blob extends BlobName {
  readonly contentType: string
  readonly bytes: number
  readonly sha256: Buffer
  readonly md5: Buffer
  readonly etag: string
  readonly modifiedAt: Date
  /** Null where the file is empty. */
  readonly payloadLocation: string | null
}

/** A file's row while it is locked. */
export interface LockedBlob {
  /** Undefined until bytes are first put. */
  readonly blob: Blob | undefined
  /** Id and bytes of the blocks that the file was put together from, in order. */
  readonly blocks: readonly (readonly [string, number])[]
  readonly takenAt: Date | null
}

const blobColumns = `id AS "blobId", name, content_type AS "contentType", bytes, sha256, md5, etag,
  modified_at AS "modifiedAt", payload_location AS "payloadLocation"`

const unknownMediaType = 'application/octet-stream'

/** Makes room for a file under a name of the client's choice; there are no bytes until some are put. */
export async function createBlob(
  db: Database,
  { name, expiresAt, contentType = unknownMediaType }: { name: string; expiresAt: Date; contentType?: string },
): Promise<BlobName> {
  const blob = { blobId: randomUUID(), name: blobFileName(name) }
  await db.query('INSERT INTO entrepot.blob (id, name, content_type, expires_at) VALUES ($1, $2, $3, $4)', [
    blob.blobId,
    blob.name,
    contentType,
    expiresAt,
  ])
  return blob
}

/** Throws BlobRefused BlobNotFound (404, EA108), also while nothing was put yet. */
export async function findBlob(db: Queryable, blobId: string): Promise<Blob> {
  const [blob] = await db.query<Blob>(`SELECT ${blobColumns} FROM entrepot.blob WHERE id = $1 AND bytes IS NOT NULL`, [
    blobId,
  ])
  if (!blob) throw notFound(blobId)
  return blob
}

/** Bytes that a message takes over at their location. */
export interface OpenedBlob extends Blob {
  read(): AsyncIterable<Uint8Array>
}

/**
 * Hands the bytes of a file over to a message that is about to be stored with their location. For an hour from now nothing
 * removes them, and later only `removeBlob` while no message has them.
 * Throws  RequestRefused EA108 (404) when there are none, EA121 (403) when the file's time is over.
 */
export async function openBlob(db: Database, payloads: Context['payloads'], blobId: string): Promise<OpenedBlob> {
  const [blob] = await db.query<Blob>(
    `UPDATE entrepot.blob SET taken_at = now() WHERE id = $1 AND bytes IS NOT NULL AND expires_at > now() RETURNING ${blobColumns}`,
    [blobId],
  )
  if (!blob) {
    const { name } = await findBlob(db, blobId)
    throw new BlobRefused('AuthenticationFailed', `The link to '${name}' has expired`)
  }
  const { payloadLocation } = blob
  return { ...blob, read: () => (payloadLocation === null ? nothing() : payloads.open(payloadLocation)) }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** What is put in place of a file's bytes. */
export interface BlobChange {
  /** Left out, it stays. */
  readonly contentType?: string | undefined
  readonly conditions?: BlobConditions
  /** What the bytes must have. */
  readonly md5?: Buffer | undefined
}

/**
 * Puts bytes in the place of those that are there. Blocks that were sent until now are forgotten.
 * Throws  BlobRefused BlobNotFound, BlobAlreadyExists, ConditionNotMet, RequestBodyTooLarge, Md5Mismatch; what reading the
 *         bytes throws. The earlier bytes are still there then.
 */
export async function putBlob(
  context: Context,
  blobId: string,
  bytes: AsyncIterable<Uint8Array>,
  { contentType, conditions = {}, md5 }: BlobChange = {},
): Promise<Blob> {
  // Before a byte is read: whoever is refused need not send all.
  await withBlob(context.db, blobId, async (_tx, { blob }) => demandForWrite(blob, conditions))
  const kept = await keepBytes(context, bytes, { maxBytes: context.limits.maxMessageBytes, md5 })
  return replaceBytes(context, blobId, { kept, blocks: [], contentType, conditions })
}

/** Bytes that are to be a file's. */
export interface Replacement extends BlobChange {
  readonly kept: KeptBytes
  readonly blocks: LockedBlob['blocks']
  /** Locations of the blocks that are done with; left out, all. */
  readonly usedBlocks?: readonly string[]
}

/** Makes a file's row refer to kept bytes, and removes what they replace. Throws as `putBlob` does. */
export async function replaceBytes(context: Context, blobId: string, replacement: Replacement): Promise<Blob> {
  const { kept, conditions = {}, usedBlocks = null } = replacement
  let freed: FreedBytes[] = []
  try {
    const changed = await withBlob(context.db, blobId, async (tx, locked) => {
      demandForWrite(locked.blob, conditions)
      const row = await writeBytes(tx, blobId, replacement)
      const blocks = await tx.query<{ location: string }>(
        `DELETE FROM entrepot.blob_block WHERE blob_id = $1 AND ($2::text[] IS NULL OR payload_location = ANY($2))
         RETURNING payload_location AS location`,
        [blobId, usedBlocks],
      )
      freed = [...freedBy(locked), ...blocks]
      faultPoint('blob.beforeCommit')
      return row
    })
    faultPoint('blob.afterCommit')
    await removeFreed(context, freed)
    return changed
  } catch (error) {
    // After any other error the row may refer to them: the answer to a commit can get lost.
    if (error instanceof BlobRefused && kept.payloadLocation !== null) {
      await removeFreed(context, [{ location: kept.payloadLocation }])
    }
    throw error
  }
}

async function writeBytes(tx: Transaction, blobId: string, { kept, blocks, contentType }: Replacement): Promise<Blob> {
  const [row] = await tx.query<Blob>(
    `UPDATE entrepot.blob SET bytes = $2, sha256 = $3, md5 = $4, payload_location = $5, blocks = $6, etag = $7,
       content_type = coalesce($8, content_type), taken_at = NULL, modified_at = now()
     WHERE id = $1 RETURNING ${blobColumns}`,
    [
      blobId,
      kept.bytes,
      kept.sha256,
      kept.md5,
      kept.payloadLocation,
      JSON.stringify(blocks),
      `0x${randomBytes(8).toString('hex').toUpperCase()}`,
      contentType ?? null,
    ],
  )
  return row!
}

/**
 * Works on a file's rows while nobody else does. Short: its lock holds up all other requests for the file.
 * Throws  BlobRefused BlobNotFound.
 */
export async function withBlob<T>(
  db: Database,
  blobId: string,
  work: (tx: Transaction, locked: LockedBlob) => Promise<T>,
): Promise<T> {
  return db.transaction(async (tx) => {
    const [row] = await tx.query<Blob & Omit<LockedBlob, 'blob'> & { isThere: boolean }>(
      `SELECT ${blobColumns}, blocks, taken_at AS "takenAt", bytes IS NOT NULL AS "isThere" FROM entrepot.blob WHERE id = $1 FOR UPDATE`,
      [blobId],
    )
    if (!row) throw notFound(blobId)
    const { blocks, takenAt, isThere, ...blob } = row
    return work(tx, { blob: isThere ? blob : undefined, blocks, takenAt })
  })
}

/** Removes a file, what was sent for it, and its bytes unless a message has them. Does nothing when it is gone already. */
export async function removeBlob(context: Context, blobId: string): Promise<void> {
  let freed: FreedBytes[] = []
  await context.db.transaction(async (tx) => {
    // First the row, so that no block can come in between.
    const rows = await tx.query<{ location: string | null; takenAt: Date | null }>(
      `SELECT payload_location AS location, taken_at AS "takenAt" FROM entrepot.blob WHERE id = $1 FOR UPDATE`,
      [blobId],
    )
    const blocks = await tx.query<FreedBytes>(
      'DELETE FROM entrepot.blob_block WHERE blob_id = $1 RETURNING payload_location AS location',
      [blobId],
    )
    await tx.query('DELETE FROM entrepot.blob WHERE id = $1', [blobId])
    freed = [...blocks, ...rows.flatMap(({ location, takenAt }) => (location === null ? [] : [{ location, takenAt }]))]
  })
  await removeFreed(context, freed)
}

/** As many as a sweep removes without holding up what else it does. */
const removedAtOnce = 100

/** Removes files whose time is over, some at a time. Safe in several processes at once. */
export async function removeExpiredBlobs(context: Context): Promise<void> {
  const expired = await context.db.query<{ id: string }>(
    'SELECT id FROM entrepot.blob WHERE expires_at < now() ORDER BY expires_at LIMIT $1',
    [removedAtOnce],
  )
  for (const { id } of expired) await removeBlob(context, id)
}

/** Bytes that no file refers to any longer. */
interface FreedBytes {
  readonly location: string
  /** When a message took them over. */
  readonly takenAt?: Date | null
}

function freedBy({ blob, takenAt }: LockedBlob): FreedBytes[] {
  return blob && blob.payloadLocation !== null ? [{ location: blob.payloadLocation, takenAt }] : []
}

/** Longer than it takes to store the message that bytes were handed over to. */
const handOverMs = 3_600_000

/** Removes bytes that no message has. Never throws: what is left behind costs space only. */
export async function removeFreed({ db, payloads }: Context, freed: readonly FreedBytes[]): Promise<void> {
  const isInHand = ({ takenAt }: FreedBytes) => takenAt && Date.now() - takenAt.getTime() < handOverMs
  const locations = freed.filter((each) => !isInHand(each)).map(({ location }) => location)
  if (locations.length === 0) return
  try {
    const kept = await db.query<{ location: string }>(
      'SELECT payload_location AS location FROM entrepot.message WHERE payload_location = ANY($1)',
      [locations],
    )
    const isOfMessage = new Set(kept.map(({ location }) => location))
    for (const location of locations.filter((each) => !isOfMessage.has(each))) await payloads.remove(location)
  } catch {
    // The request that freed them has succeeded.
  }
}

function notFound(blobId: string): RequestRefused {
  return new BlobRefused('BlobNotFound', `There is no file '${blobId}', or nothing was put there yet`)
}
