import type { Entry } from '@zip.js/zip.js/index-native.js'
import { MessageRejected } from '../../errors'
import type { ArchiveLimits } from './archive'
import { nameFault, shownName, twinKey } from './zip-names'

/** Inflated bytes for one compressed, above the first MB: text deflates to a tenth, the worst real table to a hundredth. */
const maxRatio = 200
const freeBytes = 1024 ** 2

/** Bits of the general purpose flag (PKWARE APPNOTE 4.4.4): encrypted, patched, strongly encrypted, headers masked. */
const unreadFlags = 0x0001 | 0x0020 | 0x0040 | 0x2000

/** File types of Unix in the external attributes. */
const typeMask = 0o170000
const fileTypes = [0, 0o100000]
const folderType = 0o040000

/** Extra fields that say what the header says too: sizes (ZIP64) and the name in Unicode (PKWARE APPNOTE 4.5.3, 4.6.9). */
const restatingFields = [0x0001, 0x7075]

/** The checks of an archive's directory, an entry at a time in its order; what zip.js checks itself is not repeated. */
export class EntryChecks {
  #count = 0
  #inflatedBytes = 0
  readonly #names = new Map<string, string>()

  constructor(private readonly limits: ArchiveLimits) {}

  /** Throws  MessageRejected EF302 to EF307, with the name of the entry. */
  check(entry: Entry): void {
    this.#checkCount()
    this.#checkName(entry)
    checkKind(entry)
    checkExtraFields(entry)
    this.#checkSize(entry)
  }

  #checkCount(): void {
    this.#count += 1
    if (this.#count <= this.limits.maxEntries) return
    throw new MessageRejected('EF305', `The zip file has more than ${this.limits.maxEntries} entries.`)
  }

  #checkName({ filename }: Entry): void {
    const fault = nameFault(filename)
    if (fault !== undefined) throw refused('EF302', filename, `is no name for a file: it ${fault}`)
    if (/\.zip$/i.test(filename)) throw refused('EF306', filename, 'is a zip file itself')
    const key = twinKey(filename).replace(/\/$/, '')
    const twin = this.#names.get(key)
    if (twin === filename) throw refused('EF303', filename, 'is there twice')
    if (twin !== undefined)
      throw refused('EF303', filename, `and ${shownName(twin)} are the same name on some computers`)
    this.#names.set(key, filename)
  }

  #checkSize({ filename, uncompressedSize, compressedSize, compressionMethod }: Entry): void {
    if (compressionMethod === 0 && uncompressedSize !== compressedSize) {
      throw refused(
        'EF307',
        filename,
        `is stored as it is, ${compressedSize} bytes, and said to have ${uncompressedSize}`,
      )
    }
    if (uncompressedSize - freeBytes > maxRatio * compressedSize) {
      throw refused('EF305', filename, `swells from ${compressedSize} bytes to ${uncompressedSize}`)
    }
    this.#inflatedBytes += uncompressedSize
    const { maxInflatedBytes } = this.limits
    if (this.#inflatedBytes > maxInflatedBytes) {
      throw new MessageRejected('EF305', `The zip file holds more than ${maxInflatedBytes} bytes of data.`)
    }
  }
}

function checkKind(entry: Entry): void {
  const { filename, rawBitFlag = 0, compressionMethod, diskNumberStart, externalFileAttributes } = entry
  if (rawBitFlag & unreadFlags || entry.encrypted) throw refused('EF304', filename, 'is encrypted or patched')
  if (compressionMethod !== 0 && compressionMethod !== 8) {
    throw refused('EF304', filename, `is compressed by method ${compressionMethod}; only deflate (8) is read`)
  }
  if (diskNumberStart !== 0) throw refused('EF304', filename, 'stands on another disk')
  const type = (externalFileAttributes >>> 16) & typeMask
  if (type !== folderType && !fileTypes.includes(type)) throw refused('EF304', filename, 'is a link or a device')
  const isFolder = filename.endsWith('/')
  if (isFolder && entry.uncompressedSize !== 0) throw refused('EF303', filename, 'is a folder by its name and has data')
  if (!isFolder && entry.directory)
    throw refused('EF303', filename, 'is a file by its name and a folder by its attributes')
}

function checkExtraFields({ filename, rawFilename, rawExtraField, extraFieldUnicodePath }: Entry): void {
  const ids = extraFieldIds(rawExtraField)
  if (restatingFields.some((id) => ids.indexOf(id) !== ids.lastIndexOf(id))) {
    throw refused('EF303', filename, 'has a size or a name twice')
  }
  // A name that is no ASCII may well be read by its Unicode form alone; one that is has no need of another.
  const isAscii = rawFilename.every((byte) => byte < 0x80)
  if (extraFieldUnicodePath && isAscii && extraFieldUnicodePath.filename !== Buffer.from(rawFilename).toString()) {
    throw refused('EF303', filename, 'has a second name')
  }
}

function extraFieldIds(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const ids: number[] = []
  for (let at = 0; at + 4 <= bytes.length; at += 4 + view.getUint16(at + 2, true)) ids.push(view.getUint16(at, true))
  return ids
}

type Code = 'EF302' | 'EF303' | 'EF304' | 'EF305' | 'EF306' | 'EF307'

function refused(code: Code, name: string, sentence: string): MessageRejected {
  return new MessageRejected(code, `${shownName(name)} ${sentence}.`)
}
