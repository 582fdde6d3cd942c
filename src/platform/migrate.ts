import knexFactory, { type Knex } from 'knex'
import { SetupFault } from '../errors'
import { migrations } from './migrations'

/** Any number that no one else takes: processes that start together wait here for the first one. */
const migrationLockKey = 0x656e_7472

/**
 * Brings the control tables (schema `entrepot`) up to date. Safe when many processes start at once and when a
 * migration is killed half-way: each runs in a transaction, all under one advisory lock.
 * Returns  the names of the migrations that it ran.
 * Throws   SetupFault ES109 when the database was migrated by a newer version.
 */
export async function migrateControlTables(databaseUrl: string): Promise<string[]> {
  const knex = knexFactory({ client: 'pg', connection: databaseUrl, pool: { min: 0, max: 2 } })
  try {
    return await knex.transaction(async (lock) => {
      await lock.raw('SELECT pg_advisory_xact_lock(?)', [migrationLockKey])
      await knex.raw('CREATE SCHEMA IF NOT EXISTS entrepot')
      // A process killed while migrating leaves knex's own lock set; ours is held, so nobody else is migrating.
      await knex.migrate.forceFreeMigrationsLock(migratorConfig)
      await refuseNewer(knex)
      const [, ran]: [number, string[]] = await knex.migrate.latest(migratorConfig)
      return ran
    })
  } finally {
    await knex.destroy()
  }
}

const migratorConfig: Knex.MigratorConfig = {
  schemaName: 'entrepot',
  tableName: 'migration',
  migrationSource: {
    getMigrations: async () => [...migrations],
    getMigrationName: (migration: (typeof migrations)[number]) => migration.name,
    getMigration: async (migration: (typeof migrations)[number]) => ({
      up: (knex: Knex) => knex.raw(migration.up),
      down: () => Promise.reject(new Error('Migrations are not taken back: restore a backup instead')),
    }),
  },
}

async function refuseNewer(knex: Knex): Promise<void> {
  if (!(await knex.schema.withSchema('entrepot').hasTable('migration'))) return
  const done: { name: string }[] = await knex.withSchema('entrepot').table('migration').select('name')
  const unknown = done.map(({ name }) => name).filter((name) => !migrations.some((known) => known.name === name))
  if (unknown.length > 0) {
    throw new SetupFault('ES109', `The database has migrations that this version does not know: ${unknown.join(', ')}`)
  }
}
