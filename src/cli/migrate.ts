import { registry } from '../hub'
import { migrate } from '../migrate'
import { readConfig } from '../platform/config'
import { openDatabase } from '../platform/database'
import { startEmbeddedPostgres } from '../platform/embedded'
import { openLifecycle } from '../platform/lifecycle'
import { exitCodes } from './failure'
import { paint, print, tell } from './terminal'

/**
 * Brings the database up to date and prints what changed.
 * Throws  SetupFault when a change is refused, with its reason.
 */
export async function migrateNow(): Promise<number> {
  const { databaseUrl, home } = readConfig()
  const lifecycle = openLifecycle()
  try {
    // The hub itself is not opened: it would migrate without telling what it changed.
    const embedded = databaseUrl === undefined ? await startEmbeddedPostgres({ home, log: tell }) : undefined
    if (embedded) lifecycle.onShutdown('embedded Postgres', () => embedded.stop())
    const url = databaseUrl ?? embedded?.url ?? ''
    const db = openDatabase({ url, poolSize: 2, applicationName: 'entrepot migrate' })
    lifecycle.onShutdown('database', () => db.close())
    // Says by name that the database is away, which the migrator does not.
    await db.query('SELECT 1')
    const { ran, changed, notices } = await migrate(db, registry.all)
    for (const name of ran) print(`migrated   ${name}`)
    for (const name of changed) print(`tables of  ${registry.find(name)?.label ?? name}`)
    for (const notice of notices) print(`${paint('yellow', 'notice')}     ${notice}`)
    if (ran.length + changed.length === 0) print('The database is up to date')
    return exitCodes.good
  } finally {
    await lifecycle.shutdown('done')
  }
}
