import { randomBytes } from 'node:crypto'
import type { Database } from './database'

/** As long as the output of SHA-256: a longer HMAC key adds nothing (RFC 2104, section 3). */
const secretBytes = 32

/** Secrets never change: each is read once a process. */
const known = new WeakMap<Database, Map<string, Buffer>>()

/** A random key of 32 bytes that all processes share: made by whoever needs it first, the same for ever after. */
export async function sharedSecret(db: Database, name: string): Promise<Buffer> {
  const secrets = known.get(db) ?? new Map<string, Buffer>()
  known.set(db, secrets)
  const secret = secrets.get(name) ?? (await findOrMakeSecret(db, name))
  secrets.set(name, secret)
  return secret
}

async function findOrMakeSecret(db: Database, name: string): Promise<Buffer> {
  await db.query('INSERT INTO entrepot.secret (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    name,
    randomBytes(secretBytes),
  ])
  const [row] = await db.query<{ value: Buffer }>('SELECT value FROM entrepot.secret WHERE name = $1', [name])
  return row!.value
}
