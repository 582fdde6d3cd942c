import { randomUUID } from 'node:crypto'
import { MessageRejected } from '../errors'
import type { Database } from '../platform/database'
import type { ByteRange, PayloadStore, StoredPayload } from './payload-store'

/** Rows of 1 MB: Postgres writes them to its TOAST table uncompressed, and one is held in memory at a time. */
const chunkBytes = 1024 * 1024

/** Keeps payloads in table `payload_chunk`, so that every worker on every machine sees them. */
export function postgresStore(db: Database): PayloadStore {
  return {
    async keep(bytes) {
      const location = `postgres:${randomUUID()}`
      await db.transaction(async (tx) => {
        let position = 0
        for await (const chunk of inChunks(bytes)) {
          await tx.query('INSERT INTO entrepot.payload_chunk (location, position, bytes) VALUES ($1, $2, $3)', [
            location,
            position++,
            chunk,
          ])
        }
      })
      return location
    },
    open: (location, range) => (range ? openRange(db, location, range) : openAll(db, location)),
    async remove(location) {
      await db.query('DELETE FROM entrepot.payload_chunk WHERE location = $1', [location])
    },
    list: (before) => listBefore(db, before),
  }
}

async function* openAll(db: Database, location: string): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; position++) {
    const [chunk] = await db.query<{ bytes: Buffer }>(
      'SELECT bytes FROM entrepot.payload_chunk WHERE location = $1 AND position = $2',
      [location, position],
    )
    if (chunk) yield chunk.bytes
    else if (position > 0) return
    else throw missing(location)
  }
}

/** The lengths of chunks are known without reading them; of the first and the last only what is asked for is sent. */
async function* openRange(db: Database, location: string, { from, to }: ByteRange): AsyncGenerator<Uint8Array> {
  const chunks = await db.query<{ position: number; start: number; length: number }>(
    `SELECT position, (sum(octet_length(bytes)) OVER (ORDER BY position) - octet_length(bytes))::bigint AS start,
       octet_length(bytes) AS length FROM entrepot.payload_chunk WHERE location = $1 ORDER BY position`,
    [location],
  )
  if (chunks.length === 0) throw missing(location)
  for (const { position, start, length } of chunks) {
    const first = Math.max(0, from - start)
    const count = Math.min(length, to - start) - first
    if (count <= 0) continue
    const [chunk] = await db.query<{ bytes: Buffer }>(
      'SELECT substr(bytes, $3, $4) AS bytes FROM entrepot.payload_chunk WHERE location = $1 AND position = $2',
      [location, position, first + 1, count],
    )
    if (!chunk) throw missing(location)
    yield chunk.bytes
  }
}

/** Payloads asked for at a time. */
const pagePayloads = 1_000

/** By its last chunk, since a slow sender may take long from the first one on. */
async function* listBefore(db: Database, before: Date): AsyncGenerator<StoredPayload> {
  for (let after = ''; ; ) {
    const page = await db.query<StoredPayload & { isOld: boolean }>(
      `SELECT f.location, c.bytes, c.last < $1 AS "isOld" FROM (
         SELECT location FROM entrepot.payload_chunk WHERE position = 0 AND created_at < $1 AND location > $2
         ORDER BY location LIMIT ${pagePayloads}) f
       CROSS JOIN LATERAL (
         SELECT sum(octet_length(bytes))::bigint AS bytes, max(created_at) AS last
         FROM entrepot.payload_chunk WHERE location = f.location) c
       ORDER BY f.location`,
      [before, after],
    )
    for (const { location, bytes, isOld } of page) if (isOld) yield { location, bytes }
    if (page.length < pagePayloads) return
    after = page.at(-1)!.location
  }
}

function missing(location: string): MessageRejected {
  return new MessageRejected('ES105', `There is no payload at ${location}`)
}

async function* inChunks(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of bytes) {
    pieces.push(piece)
    size += piece.length
    if (size < chunkBytes) continue
    yield Buffer.concat(pieces)
    pieces = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(pieces)
}
