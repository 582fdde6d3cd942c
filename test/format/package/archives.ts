import { MessageRejected } from '../../../src/errors'
import { type ByteSource, bufferSource } from '../../../src/format/byte-source'
import { type ArchiveLimits, defaultArchiveLimits } from '../../../src/format/package/archive'
import { openArchive } from '../../../src/format/package/zip-reader'

/** All bytes of a stream. */
export async function whole(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of bytes) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** All files of an archive by their names. */
export async function read(
  source: ByteSource | Buffer,
  limits: ArchiveLimits = defaultArchiveLimits,
): Promise<Record<string, string>> {
  const archive = await openArchive(Buffer.isBuffer(source) ? bufferSource(source) : source, limits)
  const files: Record<string, string> = {}
  for (const entry of archive.entries) files[entry.name] = String(await whole(archive.open(entry)))
  return files
}

/** The refusal of an archive, be it at its opening or while a file is read. */
export async function refusal(
  source: ByteSource | Buffer,
  limits?: ArchiveLimits,
): Promise<{ code: string; message: string }> {
  const error = await read(source, limits).then(
    (files) => new Error(`read ${JSON.stringify(files).slice(0, 100)}`),
    (reason: unknown) => reason,
  )
  if (error instanceof MessageRejected) return { code: error.code, message: error.message }
  throw error
}

/** A source that counts how it is read, in pieces as a file gives them. */
export interface CountedSource extends ByteSource {
  /** Readings begun, readings not yet ended, and bytes handed out. */
  readonly count: { opened: number; open: number; bytes: number }
}

/** Counts the readings of a source. */
export function counted(source: ByteSource, pieceBytes = 64 * 1024): CountedSource {
  const count = { opened: 0, open: 0, bytes: 0 }
  return {
    bytes: source.bytes,
    count,
    async *open(from, to) {
      count.opened += 1
      count.open += 1
      try {
        for await (const bytes of source.open(from, to)) {
          for (let at = 0; at < bytes.length; at += pieceBytes) {
            const piece = bytes.subarray(at, at + pieceBytes)
            count.bytes += piece.length
            yield piece
          }
        }
      } finally {
        count.open -= 1
      }
    },
  }
}
