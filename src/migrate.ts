import { createHash } from 'node:crypto'
import type { Entity } from './entity'
import { planTables } from './entity/ddl'
import { ensureEntityTables } from './execution/entity-tables'
import type { Database } from './platform/database'
import { sqlState } from './platform/database-errors'
import { migrations } from './platform/migrations'

/** What migrating changed: names of migrations, names of entities whose tables changed, and what else there is to know. */
export interface Migrated {
  readonly ran: readonly string[]
  readonly changed: readonly string[]
  readonly notices: readonly string[]
}

/**
 * Brings the control tables and the tables of the entities up to date; safe when many processes do so at once.
 * Throws  SetupFault ES104 for changes that could lose data, ES109 when a newer version was here.
 */
export async function migrate(db: Database, entities: readonly Entity[]): Promise<Migrated> {
  // Loaded only when needed: the migrator is a quarter of what a short command would load.
  const { migrateControlTables } = await import('./platform/migrate')
  const ran = await migrateControlTables(db.url)
  const { changed, notices } = await ensureEntityTables(db, entities)
  await db.query(
    `INSERT INTO entrepot.shape (fingerprint) VALUES ($1)
     ON CONFLICT (is_only) DO UPDATE SET fingerprint = excluded.fingerprint`,
    [fingerprint(entities)],
  )
  return { ran, changed, notices }
}

/** Migrates unless the database has been brought to this very shape before, which one query tells. */
export async function migrateIfNeeded(db: Database, entities: readonly Entity[]): Promise<void> {
  const known = await db.query<{ fingerprint: string }>('SELECT fingerprint FROM entrepot.shape').catch((error) => {
    if (sqlState(error) === undefinedTable) return []
    throw error
  })
  if (known[0]?.fingerprint !== fingerprint(entities)) await migrate(db, entities)
}

/** SQLSTATE of a table that is not there (PostgreSQL documentation, appendix A). */
const undefinedTable = '42P01'

/** A hash of all that migrating would make in an empty database. */
function fingerprint(entities: readonly Entity[]): string {
  const shape = [migrations, entities.map((entity) => planTables(entity, []).statements)]
  return createHash('sha256').update(JSON.stringify(shape)).digest('hex')
}
