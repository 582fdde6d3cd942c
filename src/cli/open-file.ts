import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { RequestRefused, textOf } from '../errors'

/** A file that is about to be read. */
export interface OpenedFile {
  readonly bytes: AsyncIterable<Uint8Array>
  /** In bytes; undefined where only the end will tell. */
  readonly length: number | undefined
}

/** As much as is read from a disk at a time: fewer and larger reads were not faster. */
const readBytes = 512 * 1024

const isFolder = 'it is a folder, not a file'

/**
 * Opens a file for reading from its start; `-` is standard input.
 * Throws  RequestRefused EA112 when there is no such file to read.
 */
export async function openFile(file: string): Promise<OpenedFile> {
  if (file === '-') return { bytes: process.stdin, length: undefined }
  try {
    const found = await stat(file)
    if (found.isDirectory()) throw new Error(isFolder)
    const bytes = createReadStream(file, { highWaterMark: readBytes })
    return { bytes: reading(file, bytes), length: found.isFile() ? found.size : undefined }
  } catch (error) {
    throw unreadable(file, error)
  }
}

/** That a path is of something that can be read, before any of it is. Throws RequestRefused EA112. */
export async function checkReadable(file: string): Promise<void> {
  if (file === '-') return
  const found = await stat(file).catch((error) => {
    throw unreadable(file, error)
  })
  if (found.isDirectory()) throw unreadable(file, new Error(isFolder))
}

async function* reading(file: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces = bytes[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await pieces.next().catch((error) => {
        throw unreadable(file, error)
      })
      if (next.done) return
      yield next.value
    }
  } finally {
    await pieces.return?.()
  }
}

export function unreadable(file: string, error: unknown): RequestRefused {
  return new RequestRefused(400, 'EA112', `The file ${file} cannot be read: ${fileTrouble(error)}`)
}

/** What the system says about a file, in words where the usual codes say it. */
export function fileTrouble(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return wordsOfCodes[code] ?? textOf(error)
}

const wordsOfCodes: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'you are not allowed to',
  EEXIST: 'it is there already',
}
