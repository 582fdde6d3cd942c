import { randomBytes } from 'node:crypto'
import { openDatabase } from '../../src/platform/database'

/** Names, in the environment, of what the global set-up hands to the test processes. */
export const serverUrlVariable = 'ENTREPOT_TEST_POSTGRES'
export const templateDatabase = 'entrepot_template'

export interface TestDatabase {
  readonly url: string
  /** Drops it, cutting connections that are still open. */
  drop(): Promise<void>
}

/** The server that this run of jest started, as a URL of its `postgres` database. */
export function testServerUrl(): string {
  const url = process.env[serverUrlVariable]
  if (!url) throw new Error('No test server: test/helpers/global-setup.ts has not run')
  return url
}

/** A fresh database of this test's own, migrated, on the server that this run of jest started. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await onServer(`CREATE DATABASE ${name} TEMPLATE ${templateDatabase}`)
  return {
    url: urlOf(name),
    drop: () => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  }
}

/** The URL of another database on the test server. */
export function urlOf(database: string): string {
  const url = new URL(testServerUrl())
  url.pathname = `/${database}`
  return url.href
}

async function onServer(sql: string): Promise<void> {
  const server = openDatabase({ url: testServerUrl(), poolSize: 1, applicationName: 'jest' })
  try {
    await server.query(sql)
  } finally {
    await server.close()
  }
}
