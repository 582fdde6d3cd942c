import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { MessageRejected, textOf, Unavailable } from '../errors'
import { codeOf } from '../platform/error-code'
import type { PayloadStore } from './payload-store'

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
      const name = join(new Date().toISOString().slice(0, 10), randomUUID())
      const path = join(folder, name)
      const partial = `${path}.partial`
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 })
        await writeDurably(partial, bytes)
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
    remove: (location) => rm(pathOf(location), { force: true }),
  }
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
