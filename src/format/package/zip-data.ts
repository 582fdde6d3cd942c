import { pipeline, Readable } from 'node:stream'
import { crc32, createInflateRaw } from 'node:zlib'
import { MessageRejected } from '../../errors'
import type { ByteSource } from '../byte-source'
import { peek } from '../peek'
import { isZip } from '../signature'
import { shownName } from './zip-names'

/** Where the data of an entry stands in its archive, and what it must come to. */
export interface EntryData {
  readonly name: string
  readonly isDeflated: boolean
  readonly from: number
  readonly to: number
  /** Inflated. */
  readonly bytes: number
  readonly crc32: number
}

/** Twice as fast as zlib's own 16 KB; larger gains little more. */
const inflatedChunkBytes = 128 * 1024

/**
 * Reads the data of an entry, by one reading of its range in the archive, a few chunks ahead of the consumer.
 * node:zlib inflates, because it is twice as fast as zip.js (380 MB/s against 160).
 * Throws  MessageRejected EF306 for a zip within the zip, EF307 for a wrong size or checksum and for data that do not
 *         inflate: at the byte that is one too many, else at the end. What the source throws passes through.
 */
export async function* readData(source: ByteSource, data: EntryData): AsyncGenerator<Buffer, void, undefined> {
  const stored = source.open(data.from, data.to)
  const { head, rest, close } = await peek(checked(data.isDeflated ? inflated(stored, data) : stored, data), 4)
  if (isZip(head)) {
    await close()
    const sentence = 'is a zip file itself (an archive or an Excel workbook), which is not read within a package'
    throw new MessageRejected('EF306', `${shownName(data.name)} ${sentence}.`)
  }
  yield* rest()
}

async function* inflated(stored: AsyncIterable<Uint8Array>, data: EntryData): AsyncGenerator<Uint8Array> {
  const inflater = createInflateRaw({ chunkSize: inflatedChunkBytes })
  // What either end throws comes out of the loop; so nothing is left for the callback.
  pipeline(Readable.from(stored), inflater, () => {})
  try {
    yield* inflater
  } catch (error) {
    throw isZlibError(error) ? wrong(data, `does not inflate: ${error.message}`, error) : error
  }
  const unread = data.to - data.from - inflater.bytesWritten
  if (unread !== 0) throw wrong(data, `has ${unread} bytes behind the end of its data`)
}

async function* checked(pieces: AsyncIterable<Uint8Array>, data: EntryData): AsyncGenerator<Uint8Array> {
  let bytes = 0
  let sum = 0
  for await (const piece of pieces) {
    bytes += piece.length
    if (bytes > data.bytes) throw wrong(data, `has more than the ${data.bytes} bytes that the directory says`)
    sum = crc32(piece, sum)
    yield piece
  }
  if (bytes !== data.bytes) throw wrong(data, `has ${bytes} bytes, and the directory says ${data.bytes}`)
  if (sum !== data.crc32) throw wrong(data, 'has another checksum (CRC-32) than the directory says')
}

function wrong({ name }: EntryData, sentence: string, cause?: unknown): MessageRejected {
  return new MessageRejected('EF307', `${shownName(name)} ${sentence}.`, {}, { cause })
}

/** zlib's errors carry its own codes; those of the source do not. */
function isZlibError(error: unknown): error is { message: string } {
  return typeof error === 'object' && error !== null && 'code' in error && String(error.code).startsWith('Z_')
}
