import {
  type Entry,
  type EntryError,
  ERR_AMBIGUOUS_ARCHIVE,
  ERR_BAD_FORMAT,
  ERR_CENTRAL_DIRECTORY_NOT_FOUND,
  ERR_ENCRYPTED_CENTRAL_DIRECTORY,
  ERR_ENTRY_DATA_OUT_OF_BOUNDS,
  ERR_EOCDR_LOCATOR_ZIP64_NOT_FOUND,
  ERR_EOCDR_NOT_FOUND,
  ERR_EXTRAFIELD_ZIP64_NOT_FOUND,
  ERR_LOCAL_FILE_HEADER_NOT_FOUND,
  ERR_OVERLAPPING_ENTRY,
  ERR_SPLIT_ZIP_FILE,
  ERR_UNSUPPORTED_UINT64,
  type FileEntry,
  ZipReader,
} from '@zip.js/zip.js/index-native.js'
import { type ErrorCode, MessageRejected, textOf } from '../../errors'
import type { ByteSource } from '../byte-source'
import type { Archive, ArchiveEntry, ArchiveLimits } from './archive'
import { ArchiveBytes } from './archive-bytes'
import { type EntryData, readData } from './zip-data'
import { EntryChecks } from './zip-entry-checks'
import { checkLayout, type EntryLayout } from './zip-layout'
import { shownName } from './zip-names'

/**
 * Opens a zip file and refuses it where it is hostile or ambiguous, before any of its data are read: all that its
 * directory and the headers of its entries say must agree, and every byte must belong to one of them.
 * Throws  MessageRejected EF301 no zip or damaged, EF302 name, EF303 ambiguous, EF304 encryption, method, disks or
 *         links, EF305 too large, EF306 nested, EF307 sizes that cannot be. What the source throws passes through.
 * Source  PKWARE APPNOTE 6.3.10.
 */
export async function openArchive(source: ByteSource, limits: ArchiveLimits): Promise<Archive> {
  const bytes = new ArchiveBytes(source)
  try {
    return await readArchive(source, bytes, limits)
  } catch (error) {
    throw bytes.failure ?? (await refusalOf(error, bytes))
  }
}

async function readArchive(source: ByteSource, bytes: ArchiveBytes, limits: ArchiveLimits): Promise<Archive> {
  // Names are ours to judge: zip.js would say only that one of them is unsafe.
  const options = { strictness: 'strict', filenameValidation: 'tolerant', useWebWorkers: false } as const
  const reader = new ZipReader(asReader(bytes), options)
  const checks = new EntryChecks(limits)
  const found: Entry[] = []
  for await (const entry of reader.getEntriesGenerator()) {
    checks.check(entry)
    found.push(entry)
  }
  const layouts: EntryLayout[] = []
  for (const entry of found) layouts.push(await layoutOf(entry))
  checkLayout(layouts, reader.directoryOffset ?? 0, reader.comment)
  const files = new Map<ArchiveEntry, EntryData>()
  found.forEach((entry, index) => {
    if (!entry.filename.endsWith('/')) files.set(fileOf(entry), dataOf(entry, layouts[index]!))
  })
  if (files.size === 0) throw new MessageRejected('EF301', 'The zip file holds no file.')
  return {
    entries: [...files.keys()],
    open(entry) {
      const data = files.get(entry)
      if (data === undefined) throw new Error(`The entry ${shownName(entry.name)} is not of this archive`)
      return readData(source, data)
    },
  }
}

function fileOf({ filename, uncompressedSize, compressedSize }: Entry): ArchiveEntry {
  return { name: filename, bytes: uncompressedSize, compressedBytes: compressedSize }
}

function dataOf(entry: Entry, { dataStart }: EntryLayout): EntryData {
  const { filename, compressionMethod, compressedSize, uncompressedSize, crc32 } = entry
  return {
    name: filename,
    isDeflated: compressionMethod !== 0,
    from: dataStart,
    to: dataStart + compressedSize,
    bytes: uncompressedSize,
    // Undefined only for encrypted entries, which are refused.
    crc32: crc32 ?? 0,
  }
}

/** Reads the header of an entry at its data, which zip.js compares with the directory and with all entries before it. */
async function layoutOf(entry: Entry): Promise<EntryLayout> {
  // Folders have a header too; zip.js reads it, though its types do not say so.
  const { getData } = entry as FileEntry
  await getData(new WritableStream(), { checkOverlappingEntryOnly: true })
  const local = entry.localDirectory
  if (local === undefined) throw new Error(ERR_LOCAL_FILE_HEADER_NOT_FOUND)
  const { dataDescriptor } = local
  const descriptorBytes =
    dataDescriptor === undefined ? 0 : (dataDescriptor.zip64 ? 20 : 12) + (dataDescriptor.signature ? 4 : 0)
  return {
    name: entry.filename,
    start: entry.offset,
    dataStart: local.dataOffset,
    end: local.dataOffset + entry.compressedSize + descriptorBytes,
    bytes: entry.uncompressedSize,
    headerBytes: local.bitFlag.dataDescriptor ? undefined : (local.uncompressedSize ?? 0),
    unicodeName: local.extraFieldUnicodePath?.filename ?? undefined,
    directoryUnicodeName: entry.extraFieldUnicodePath?.filename ?? undefined,
  }
}

/** zip.js asks a reader for its size and for ranges; the rest of its type serves streams, which are not asked for. */
function asReader(bytes: ArchiveBytes): ConstructorParameters<typeof ZipReader>[0] {
  return bytes as unknown as ConstructorParameters<typeof ZipReader>[0] // as said above
}

const codes = new Map<string, ErrorCode>([
  [ERR_BAD_FORMAT, 'EF301'],
  [ERR_CENTRAL_DIRECTORY_NOT_FOUND, 'EF301'],
  [ERR_ENTRY_DATA_OUT_OF_BOUNDS, 'EF301'],
  [ERR_EOCDR_LOCATOR_ZIP64_NOT_FOUND, 'EF301'],
  [ERR_EOCDR_NOT_FOUND, 'EF301'],
  [ERR_EXTRAFIELD_ZIP64_NOT_FOUND, 'EF301'],
  [ERR_LOCAL_FILE_HEADER_NOT_FOUND, 'EF301'],
  [ERR_UNSUPPORTED_UINT64, 'EF301'],
  [ERR_AMBIGUOUS_ARCHIVE, 'EF303'],
  [ERR_OVERLAPPING_ENTRY, 'EF303'],
  [ERR_ENCRYPTED_CENTRAL_DIRECTORY, 'EF304'],
  [ERR_SPLIT_ZIP_FILE, 'EF304'],
])

/** What zip.js throws, in our words; anything unknown as it is, as it then is a mistake of ours. */
async function refusalOf(error: unknown, bytes: ArchiveBytes): Promise<unknown> {
  if (error instanceof MessageRejected) return error
  // A record that says to be longer than it is makes zip.js read outside of it.
  const code = error instanceof RangeError ? 'EF301' : codes.get(textOf(error))
  if (code === undefined) return error
  if (code === 'EF301') {
    const head = Buffer.from(await bytes.readUint8Array(0, 2)).toString('latin1')
    const sentence =
      head === 'PK' ? `The zip file is damaged: ${lowerFirst(textOf(error))}.` : 'The file is no zip file.'
    return new MessageRejected(code, sentence, {}, { cause: error })
  }
  const { reason, overlappingEntry } = error as EntryError // zip.js throws no other kind with these texts
  const other = overlappingEntry === undefined ? '' : `, at ${shownName(overlappingEntry.filename)}`
  const sentence = `The zip file cannot be trusted: ${lowerFirst(reason ?? textOf(error))}${other}.`
  return new MessageRejected(code, sentence, {}, { cause: error })
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
