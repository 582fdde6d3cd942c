import { chmodSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openDatabase } from '../../src/platform/database'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/platform/embedded'
import { migrateControlTables } from '../../src/platform/migrate'
import { migrateQueues } from '../../src/platform/queues'
import { serverUrlVariable, templateDatabase, urlOf } from './postgres'

/** Handed from the set-up to the teardown, which jest runs in the same process. */
export interface TestServer {
  readonly home: string
  readonly server: EmbeddedPostgres
}

/** Starts one embedded Postgres for the whole run, and makes the database that each test's own is copied from. */
export default async function globalSetup(): Promise<void> {
  const home = mkdtempSync(path.join(tmpdir(), 'entrepot-jest-'))
  chmodSync(home, 0o755)
  const server = await startEmbeddedPostgres({ home, log: (text) => console.log(text) })
  process.env[serverUrlVariable] = server.url.replace(/entrepot$/, 'postgres')
  const database = openDatabase({ url: server.url, poolSize: 1, applicationName: 'jest' })
  await database.query(`CREATE DATABASE ${templateDatabase}`)
  await database.close()
  await migrateTemplate(urlOf(templateDatabase))
  const handed: TestServer = { home, server }
  Object.assign(globalThis, { entrepotTestServer: handed })
}

/** Brings the template to the present schema, so that each test's database starts migrated. Leaves no connection open. */
async function migrateTemplate(url: string): Promise<void> {
  await migrateControlTables(url)
  await migrateQueues({ databaseUrl: url })
}
