import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir, totalmem } from 'node:os'
import path from 'node:path'
import { type Binaries, giveTo, runProgram } from './embedded-binaries'
import { isProcessAlive } from './file-lock'

/** The data folder of the embedded Postgres, and the programs that work on it. */
export interface Cluster {
  readonly binaries: Binaries
  readonly dataFolder: string
}

/** The superuser, who owns everything. */
export const superuser = 'entrepot'

/** Crash recovery replays up to max_wal_size: minutes on a slow disk. pg_ctl returns at once when the server gives up. */
const startTimeoutMs = 600_000
const initTimeoutMs = 120_000

/** Where the server writes its log. */
export function logOf({ dataFolder }: Cluster): string {
  return path.join(dataFolder, 'server.log')
}

/** Makes the data folder unless it is there; under another name first, so that a killed initdb leaves no half of one. */
export async function initCluster({ binaries, dataFolder }: Cluster, password: string): Promise<void> {
  if (existsSync(path.join(dataFolder, 'PG_VERSION'))) return
  const draft = `${dataFolder}.initializing`
  const secret = mkdtempSync(path.join(tmpdir(), 'entrepot-'))
  const passwordFile = path.join(secret, 'password')
  try {
    rmSync(draft, { recursive: true, force: true })
    mkdirSync(draft, { mode: 0o700 })
    writeFileSync(passwordFile, password, { mode: 0o600 })
    for (const given of [draft, passwordFile, secret]) giveTo(binaries.runAs, given)
    const how = [
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--no-instructions',
    ]
    const who = [`--username=${superuser}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
    await runProgram(binaries, 'initdb', [`--pgdata=${draft}`, ...how, ...who], initTimeoutMs)
    appendFileSync(path.join(draft, 'postgresql.conf'), "\ninclude_if_exists = 'entrepot.conf'\n")
    renameSync(draft, dataFolder)
  } finally {
    rmSync(secret, { recursive: true, force: true })
  }
}

/** Starts the server, detached: it outlives this process, however that ends. Throws Error when it does not come up. */
export async function startServer(cluster: Cluster, port: number): Promise<void> {
  const { binaries, dataFolder } = cluster
  const settingsFile = path.join(dataFolder, 'entrepot.conf')
  writeFileSync(settingsFile, serverSettings(port), { mode: 0o600 })
  giveTo(binaries.runAs, settingsFile)
  // The stale pid file of a crashed machine may name a pid that another program of this user has now; Postgres would refuse.
  rmSync(path.join(dataFolder, 'postmaster.pid'), { force: true })
  const wait = ['--wait', `--timeout=${startTimeoutMs / 1_000}`, '--silent']
  const args = ['start', `--pgdata=${dataFolder}`, `--log=${logOf(cluster)}`, ...wait]
  await runProgram(binaries, 'pg_ctl', args, startTimeoutMs + 5_000)
}

/** Stops the server, cutting its connections. Throws Error when it is still there after the time. */
export async function stopServer({ binaries, dataFolder }: Cluster, timeoutMs: number): Promise<void> {
  const wait = ['--wait', `--timeout=${Math.floor(timeoutMs / 1_000)}`, '--silent']
  await runProgram(binaries, 'pg_ctl', ['stop', `--pgdata=${dataFolder}`, '--mode=fast', ...wait], timeoutMs + 1_000)
}

/** The port of the live server of this data folder, whether it answers already or not; undefined when there is none. */
export function runningPort({ dataFolder }: Cluster): number | undefined {
  const file = path.join(dataFolder, 'postmaster.pid')
  if (!existsSync(file)) return undefined
  // Lines: pid, data folder, start time, port, ... (PostgreSQL source, miscadmin.h)
  const [pid, , , port] = readFileSync(file, 'utf8').split('\n')
  return isServerOf(Number(pid), dataFolder) ? Number(port) : undefined
}

/** Pids are used again, in containers nearly always: the process must also have been started on this folder. */
function isServerOf(pid: number, dataFolder: string): boolean {
  if (!(pid > 0) || !isProcessAlive(pid)) return false
  try {
    if (process.platform === 'win32') return true
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dataFolder)
    return execFileSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).includes(dataFolder)
  } catch {
    return isProcessAlive(pid)
  }
}

/** The wanted port when nobody listens there, else any free one. */
export async function freePort(wanted: number | undefined): Promise<number> {
  const tried = wanted === undefined ? undefined : await listenOnce(wanted)
  const port = tried ?? (await listenOnce(0))
  if (port === undefined) throw new Error('No port of 127.0.0.1 is free')
  return port
}

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined))
    })
  })
}

/** Written before each start, so that a newer Entrepot's settings hold for an older data folder; ALTER SYSTEM goes over it. */
function serverSettings(port: number): string {
  const megabytes = Math.floor(totalmem() / 1024 ** 2)
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '', // their paths may have 107 bytes at most, and the data folder may lie deep
    max_connections: 100,
    shared_buffers: `${Math.min(512, Math.floor(megabytes / 4))}MB`,
    work_mem: '64MB',
    maintenance_work_mem: '256MB',
    wal_level: 'minimal', // no replica follows it, and COPY into a table of its own transaction needs no WAL
    max_wal_senders: 0,
    max_wal_size: '8GB', // a million records make 1 to 2 GB: no checkpoint is forced in the middle of a load
    checkpoint_timeout: '15min',
    wal_compression: 'off', // lz4 is not built into these programs, and pglz costs more than it saves
    fsync: 'on',
    synchronous_commit: 'on',
    jit: 'off', // compiling takes longer than the short statements of promotion run
    autovacuum: 'on',
    timezone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',
    ...(hasSmallSharedMemory() ? { dynamic_shared_memory_type: 'mmap' } : {}),
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'`)
  return `# Written by Entrepot at each start.\n${lines.join('\n')}\n`
}

/** Containers have 64 MB of /dev/shm, on which a parallel hash join fails. */
function hasSmallSharedMemory(): boolean {
  if (process.platform !== 'linux') return false
  try {
    const { bsize, blocks } = statfsSync('/dev/shm')
    return bsize * blocks < 512 * 1024 ** 2
  } catch {
    return true
  }
}

/** The last lines of the server's log, for an error's text. */
export function logTail(cluster: Cluster): string {
  const file = logOf(cluster)
  if (!existsSync(file)) return '(it wrote no log)'
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-8).join('\n')
}
