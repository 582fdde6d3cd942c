import { type PassThrough, Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import { nameFault, shownName, twinKey } from './zip-names'

/** A file to be written into an archive. */
export interface FileToWrite {
  /** Without folders: the unzip of Dynamics 365's own clients makes none. */
  readonly name: string
  readonly bytes: AsyncIterable<Uint8Array>
}

/**
 * The same for every entry, so that the same files make the same archive. The date is the first that a zip can hold;
 * it is written as it reads here, so that the time zone makes no difference.
 */
const entryOptions = { mtime: new Date(1980, 0, 1), forceDosTimestamp: true, mode: 0o100644, compressionLevel: 6 }

/**
 * Writes files as a zip archive, deflated, in their order; a file is opened when the one before it is read to its end.
 * Yields  the archive in pieces; the same for the same files. ZIP64 where a size needs it.
 * Throws  what reading the files throws; an Error for a name that the reader would refuse, that has a folder or that is there already.
 */
export async function* writeArchive(
  files: AsyncIterable<FileToWrite> | Iterable<FileToWrite>,
): AsyncGenerator<Buffer, void, undefined> {
  const zip = new ZipFile()
  const archive = zip.outputStream as PassThrough // as yazl makes it; its types say less
  const adding = new AbortController()
  const fail = (error: unknown) => archive.destroy(error as Error) // what streams and files throw
  zip.on('error', fail)
  const added = addAll(zip, files, adding.signal).catch(fail)
  try {
    yield* archive
  } finally {
    // Where nobody reads on, the file under way is closed.
    adding.abort()
    await added
  }
}

async function addAll(
  zip: ZipFile,
  files: AsyncIterable<FileToWrite> | Iterable<FileToWrite>,
  signal: AbortSignal,
): Promise<void> {
  const names = new Set<string>()
  for await (const { name, bytes } of files) {
    const isTwin = names.size === names.add(twinKey(name)).size
    const fault = isTwin ? 'is there already' : name.includes('/') ? 'has a folder' : nameFault(name)
    if (fault !== undefined) throw new Error(`${shownName(name)} is no name for a file of a package: it ${fault}`)
    const content = Readable.from(bytes, { signal })
    zip.addReadStreamLazy(name, entryOptions, (use) => use(null, content))
    await finished(content)
  }
  zip.end()
}
