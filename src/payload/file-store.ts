import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, opendir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { MessageRejected, textOf, Unavailable } from '../errors'
import { codeOf } from '../platform/error-code'
import { faultPoint } from '../platform/faults'
import type { PayloadStore, StoredPayload } from './payload-store'

/** 1 MB pieces read at the disk's speed; larger ones gain nothing. */
const pieceBytes = 1024 * 1024

/**
 * Keeps payloads as files in a folder, a sub-folder a day. A file appears under its name only when it is whole and
 * flushed to the disk, and so is the folder that names it.
 */
export function fileStore(folder: string): PayloadStore {
  const pathOf = (location: string) => join(folder, location.replace(/^file:/, ''))
  return {
    async keep(bytes) {
      const name = join(dayOf(Date.now()), randomUUID())
      const path = join(folder, name)
      const partial = `${path}.partial`
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 })
        await writeDurably(partial, bytes)
        faultPoint('payload.beforeRename')
        await rename(partial, path)
        await flushFolder(dirname(path))
        await flushFolder(folder)
      } catch (error) {
        await rm(partial, { force: true })
        throw isFileError(error)
          ? new Unavailable('ES105', `The payload cannot be kept: ${textOf(error)}`, {}, { cause: error })
          : error
      }
      return `file:${name}`
    },
    async *open(location, range) {
      if (range && range.from >= range.to) return
      const part = range ? { start: range.from, end: range.to - 1 } : {}
      try {
        yield* createReadStream(pathOf(location), { highWaterMark: pieceBytes, ...part })
      } catch (error) {
        if (codeOf(error) === 'ENOENT') {
          throw new MessageRejected('ES105', `There is no payload at ${location}`, {}, { cause: error })
        }
        throw isFileError(error)
          ? new Unavailable('ES105', `The payload cannot be read: ${textOf(error)}`, {}, { cause: error })
          : error
      }
    },
    async remove(location) {
      const path = pathOf(location)
      await rm(path, { force: true })
      // Files are only ever added to the folder of the day: an older one that is empty now has done its service.
      if (basename(dirname(path)) < dayOf(Date.now() - dayMs)) await rmdir(dirname(path)).catch(() => undefined)
    },
    list: (before) => listBefore(folder, before),
  }
}

const dayMs = 86_400_000

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

/** Only what a store like this one has made: the folder may hold other things. */
const dayName = /^\d{4}-\d\d-\d\d$/
const payloadName = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.partial)?$/

async function* listBefore(folder: string, before: Date): AsyncGenerator<StoredPayload> {
  for await (const day of namesIn(folder, dayName)) {
    if (day > dayOf(before.getTime())) continue
    for await (const name of namesIn(join(folder, day), payloadName)) {
      const file = await stat(join(folder, day, name)).catch(ifGone)
      if (file && file.mtime < before) yield { location: `file:${join(day, name)}`, bytes: file.size }
    }
  }
}

async function* namesIn(folder: string, pattern: RegExp): AsyncGenerator<string> {
  const entries = await opendir(folder).catch(ifGone)
  for await (const { name } of entries ?? []) if (pattern.test(name)) yield name
}

/** Another process may remove a file while this one looks. */
function ifGone(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT') return undefined
  throw new Unavailable('ES105', `The payloads cannot be listed: ${textOf(error)}`, {}, { cause: error })
}

async function writeDurably(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const piece of bytes) await file.writeFile(piece)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function flushFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return // Windows cannot open folders, and needs no flush of them
  const handle = await open(path, 'r')
  await handle.sync().finally(() => handle.close())
}

/** Errors of the file system carry the failed system call; errors of whoever sends the bytes do not. */
function isFileError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'syscall' in error && 'path' in error
}
