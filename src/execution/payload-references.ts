import type { Database } from '../platform/database'
import { byIndex } from './clean-scope'

/**
 * Those of the payloads that no row refers to. What refers to payloads is every table of ours with a column
 * `payload_location`: a new one is never forgotten here, which would cost somebody their bytes.
 */
export async function findUnreferenced(db: Database, locations: readonly string[]): Promise<string[]> {
  if (locations.length === 0) return []
  const tables = await db.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_attribute a
     JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'entrepot' AND c.relkind IN ('r', 'p') AND a.attname = 'payload_location' AND NOT a.attisdropped`,
  )
  const isFree = tables.map(({ name }) => `NOT EXISTS (SELECT FROM ${name} t WHERE t.payload_location = l.location)`)
  const rows = await db.transaction(async (tx) => {
    await byIndex(tx)
    return tx.query<{ location: string }>(
      `SELECT l.location FROM unnest($1::text[]) AS l(location) WHERE ${isFree.join(' AND ')}`,
      [locations],
    )
  })
  return rows.map(({ location }) => location)
}
