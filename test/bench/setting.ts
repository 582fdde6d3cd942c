import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os'
import path from 'node:path'
import { type Database, openDatabase } from '../../src/platform/database'
import { startEmbeddedPostgres } from '../../src/platform/embedded'

/** Where the benches run: a Postgres and a folder for files, both theirs alone. */
export interface Setting {
  readonly folder: string
  /** Version number of the server, such as 180004. */
  readonly postgresVersion: number
  /** Whether psql is there: without it no floor of `import` can be measured. */
  readonly hasPsql: boolean
  /** Cores, memory, versions: without them no number means anything. */
  readonly facts: string
  /** Works in an empty database, which is dropped afterwards. */
  inDatabase<T>(work: (database: BenchDatabase) => Promise<T>): Promise<T>
  /** Environment of a process of Entrepot on this database, as its users would start it. */
  environment(url: string): NodeJS.ProcessEnv
  close(): Promise<void>
}

export interface BenchDatabase {
  readonly url: string
  readonly db: Database
  /** Writes what is dirty, so that nobody pays for what ran before. */
  settle(): Promise<void>
}

/** Opens the setting: the server of DATABASE_URL, else an embedded one in a folder of its own. */
export async function openSetting(): Promise<Setting> {
  const folder = mkdtempSync(path.join(tmpdir(), 'entrepot-bench-'))
  const given = process.env.DATABASE_URL
  const embedded = given ? undefined : await startEmbeddedPostgres({ home: path.join(folder, 'home'), log: () => {} })
  const serverUrl = given ?? embedded!.url
  const server = openDatabase({ url: serverUrl, poolSize: 1, applicationName: 'bench' })
  const [{ version = '', number = 0, buffers = '' } = {}] = await server.query<ServerFacts>(
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
       current_setting('shared_buffers') AS buffers`,
  )
  const hasPsql = spawnSync('psql', ['--version']).status === 0
  return {
    folder,
    postgresVersion: number,
    hasPsql,
    facts: `${machine()}, Node ${process.versions.node}, Postgres ${version} (${embedded ? 'embedded' : 'DATABASE_URL'}, shared_buffers ${buffers})`,
    inDatabase: (work) => inDatabase(server, serverUrl, work),
    environment: (url) => ({
      ...process.env,
      DATABASE_URL: url,
      ENTREPOT_HOME: path.join(folder, 'hub'),
      LOG_LEVEL: 'silent',
      // Whoever uses the embedded server has payloads in files by default.
      ...(embedded ? { PAYLOAD_STORE: 'file' } : {}),
    }),
    async close() {
      await server.close()
      await embedded?.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface ServerFacts {
  version: string
  number: number
  buffers: string
}

function machine(): string {
  const model = cpus()[0]?.model.trim() || 'unknown processor'
  return `${availableParallelism()} cores (${model}), ${Math.round(totalmem() / 2 ** 30)} GiB`
}

/** One at a time, so one name is enough; a bench that was killed leaves it to the next one. */
const databaseName = 'entrepot_bench'

async function inDatabase<T>(
  server: Database,
  serverUrl: string,
  work: (database: BenchDatabase) => Promise<T>,
): Promise<T> {
  const drop = () => server.query(`DROP DATABASE IF EXISTS ${databaseName} WITH (FORCE)`)
  await drop()
  await server.query(`CREATE DATABASE ${databaseName}`)
  const url = new URL(serverUrl)
  url.pathname = `/${databaseName}`
  const db = openDatabase({ url: url.href, poolSize: 8, applicationName: 'bench' })
  try {
    const result = await work({ url: url.href, db, settle: async () => void (await db.query('CHECKPOINT')) })
    await db.close()
    await drop()
    return result
  } catch (error) {
    // What went wrong first matters; the next run drops what is left.
    await db.close().catch(() => undefined)
    throw error
  }
}

/** A folder for files that the benches make. */
export function fileFolder({ folder }: Setting): string {
  const files = path.join(folder, 'files')
  mkdirSync(files, { recursive: true })
  return files
}
