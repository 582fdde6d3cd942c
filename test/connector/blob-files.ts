import { createBlob } from '../../src/connector/blob-store'
import { type BlobName, type BlobPermissions, blobKey, blobUrl } from '../../src/connector/blob-url'
import type { Context } from '../../src/execution/context'

/** A link to a file of its own, valid for an hour. */
export interface LinkedFile extends BlobName {
  /** A link to the same file that allows other things, or ends at another time. */
  link(permissions?: BlobPermissions, expiresAt?: Date): string
}

export const inAnHour = () => new Date(Date.now() + 3_600_000)

export async function linkedFile({ db }: Context, base: string, name = 'Customer groups.zip'): Promise<LinkedFile> {
  const blob = await createBlob(db, { name, expiresAt: inAnHour() })
  const key = await blobKey(db)
  return {
    ...blob,
    link: (permissions = 'rw', expiresAt = inAnHour()) => blobUrl(base, blob, permissions, expiresAt, key),
  }
}

export async function* pieces(...texts: readonly (string | Buffer)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

/** Bytes that are not the same everywhere. */
export function someBytes(count: number, seed = 7): Buffer {
  return Buffer.from(Uint8Array.from({ length: count }, (_, i) => ((i * seed) ^ (i >> 8) ^ (i >> 16)) & 255))
}

/** Locations in the payload store that are taken, when it is the database. */
export async function keptLocations({ db }: Context): Promise<string[]> {
  const rows = await db.query<{ location: string }>('SELECT DISTINCT location FROM entrepot.payload_chunk ORDER BY 1')
  return rows.map(({ location }) => location)
}
