import { randomUUID } from 'node:crypto'
import { MessageRejected } from '../errors'
import type { Database } from '../platform/database'
import type { ByteRange, PayloadStore } from './payload-store'

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
