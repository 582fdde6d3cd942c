import type { Database } from '../platform/database'
import { faultPoint } from '../platform/faults'
import type { CleanCounts } from '../platform/observe'
import { byIndex, hasBytes, isOld, type MayGoOn, type OldMessages, oldValues } from './clean-scope'
import type { Context } from './context'
import { findUnreferenced } from './payload-references'

type PayloadCounts = Pick<CleanCounts, 'payloads' | 'payloadBytes'>

/** At most 32 MB of bytes that stand in rows. */
const batchMessages = 500

/**
 * Removes the bytes of old messages; their number and hash stay. First the message forgets its bytes, then they go: what
 * is left behind by a crash in between is an orphan, which nobody misses.
 */
export async function cleanPayloads(context: Context, old: OldMessages, mayGoOn: MayGoOn): Promise<PayloadCounts> {
  const counts = { payloads: 0, payloadBytes: 0 }
  for (let after = 0, isLast = false; !isLast && mayGoOn(); ) {
    const messages = await forgetBytes(context.db, old, after)
    faultPoint('clean.afterForget')
    const locations = messages.flatMap(({ location }) => (location === null ? [] : [location]))
    await removePayloads(context, locations)
    for (const { seq, bytes } of messages) {
      counts.payloads++
      counts.payloadBytes += bytes
      after = Math.max(after, seq)
    }
    isLast = messages.length < batchMessages
  }
  return counts
}

interface Forgotten {
  readonly seq: number
  readonly bytes: number
  readonly location: string | null
}

function forgetBytes(db: Database, old: OldMessages, after: number): Promise<Forgotten[]> {
  return db.transaction(async (tx) => {
    await byIndex(tx)
    const forgotten = await tx.query<Forgotten>(
      // Whoever sets a message going again has its row locked: it is passed over.
      `WITH old AS MATERIALIZED (
         SELECT m.id, m.payload_location FROM entrepot.message m WHERE ${hasBytes} AND m.seq > $6 AND ${isOld()}
         ORDER BY m.seq LIMIT ${batchMessages} FOR UPDATE SKIP LOCKED)
       UPDATE entrepot.message m SET payload = NULL, payload_location = NULL FROM old WHERE m.id = old.id
       RETURNING m.seq, m.bytes, old.payload_location AS location`,
      [...oldValues(old), after],
    )
    faultPoint('clean.beforeForget')
    return forgotten
  })
}

/** Removes those of the payloads that nothing refers to any more: a blob and a message may have the same one. */
export async function removePayloads({ db, payloads }: Context, locations: readonly string[]): Promise<string[]> {
  const unreferenced = await findUnreferenced(db, locations)
  for (const location of unreferenced) {
    await payloads.remove(location)
    faultPoint('clean.afterRemove')
  }
  return unreferenced
}

/** How many messages have bytes to remove, and how many bytes. */
export async function countPayloads({ db }: Context, old: OldMessages): Promise<PayloadCounts> {
  const [counts] = await db.query<PayloadCounts>(
    `SELECT count(*) AS payloads, coalesce(sum(m.bytes), 0)::bigint AS "payloadBytes" FROM entrepot.message m
     WHERE ${hasBytes} AND ${isOld()}`,
    oldValues(old),
  )
  return counts!
}
