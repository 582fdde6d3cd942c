import { linkSync, readFileSync, renameSync, rmSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from './error-code'

/** The holder shows each second that it lives; ten missed beats and it is taken for dead (a reused pid can't hide that). */
const beatMs = 1_000
const silenceMs = 10 * beatMs

/**
 * Does work while holding a lock between the processes of one machine: a file that only one of them can create.
 * The lock of a process that died or fell silent is taken over.
 * Throws  Error when the lock is not free after `waitMs`.
 */
export async function withFileLock<T>(file: string, waitMs: number, work: () => Promise<T>): Promise<T> {
  const holder = `${process.pid} ${Math.random().toString(36).slice(2)}\n`
  const deadline = Date.now() + waitMs
  while (!acquire(file, holder)) {
    if (Date.now() > deadline) throw new Error(`The lock ${file} is held by process ${read(file)?.trim() ?? 'unknown'}`)
    await sleep(50)
  }
  const beat = setInterval(() => touch(file), beatMs)
  beat.unref()
  try {
    return await work()
  } finally {
    clearInterval(beat)
    if (read(file) === holder) rmSync(file, { force: true })
  }
}

function acquire(file: string, holder: string): boolean {
  try {
    writeFileSync(file, holder, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    removeIfDead(file)
    return false
  }
}

/** Moves a dead lock aside, looks again at what was moved, and puts it back if somebody else's fresh lock was hit. */
function removeIfDead(file: string): void {
  const seen = read(file)
  if (seen === undefined || isAlive(file, seen)) return
  const aside = `${file}.${process.pid}`
  try {
    renameSync(file, aside)
    if (read(aside) !== seen) linkSync(aside, file)
    unlinkSync(aside)
  } catch {
    // Another process moved it first: the next attempt sees what is there then.
  }
}

function isAlive(file: string, content: string): boolean {
  try {
    if (Date.now() - statSync(file).mtimeMs > silenceMs) return false
    // A lock that was created but not yet written has no pid: its age alone decides.
    return content === '' || isProcessAlive(Number.parseInt(content, 10))
  } catch {
    return true // it is gone: the next attempt decides
  }
}

/** Whether a process of this id exists, also one of another user. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function touch(file: string): void {
  try {
    utimesSync(file, new Date(), new Date())
  } catch {
    // Taken over by another process, which owns it now.
  }
}
