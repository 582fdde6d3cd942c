import { isUtf8 } from 'node:buffer'
import iconv from 'iconv-lite'
import { MessageRejected } from '../errors'

/** How bytes of one encoding become UTF-8, a piece at a time. */
export interface Encoding {
  readonly name: string
  /** How many of the leading bytes are whole characters; the rest has to wait for more bytes. */
  wholeBytes(bytes: Buffer): number
  /** Whole characters as UTF-8, or undefined where a byte is invalid. */
  toUtf8(bytes: Buffer): Buffer | undefined
  /** Offset of the first invalid byte of bytes that `toUtf8` refused. */
  invalidAt(bytes: Buffer): number
}

/**
 * The encoding of a name or of a Windows code page number (1200, 1252, 28591, 65001 …), spelt in any usual way.
 * Throws  MessageRejected EF109 for UTF-7, UTF-32 and names that are not known.
 */
export function encodingNamed(name: string): Encoding {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '')
  if (utf8Names.has(plain)) return utf8
  if (utf16leNames.has(plain)) return utf16le
  if (utf16beNames.has(plain)) return utf16be
  const singleByte = singleByteName(plain)
  if (singleByte !== undefined && iconv.encodingExists(singleByte)) return singleByteEncoding(singleByte)
  const refused = refusedEncodings.find(({ names }) => names.includes(plain))
  const trouble = refused ? `is ${refused.title}, which is not read` : 'is not known'
  throw new MessageRejected('EF109', `The encoding '${name.slice(0, 60)}' ${trouble}.`)
}

/** What Dynamics 365 counts as Unicode too; no program writes such files today. */
const refusedEncodings: readonly { readonly title: string; readonly names: readonly string[] }[] = [
  { title: 'UTF-7', names: ['utf7', '65000', 'cp65000'] },
  { title: 'UTF-32', names: ['utf32', 'utf32le', 'utf32be', 'ucs4', '12000', 'cp12000', '12001', 'cp12001'] },
]

// ASCII is read as UTF-8, of which it is a part: files said to be ASCII often are not.
const utf8Names: ReadonlySet<string> = new Set(['utf8', '65001', 'cp65001', 'ascii', 'usascii', '20127'])
const utf16leNames: ReadonlySet<string> = new Set(['utf16', 'utf16le', 'ucs2', 'ucs2le', 'unicode', '1200', 'cp1200'])
const utf16beNames: ReadonlySet<string> = new Set(['utf16be', 'unicodefffe', '1201', 'cp1201'])

function singleByteName(plain: string): string | undefined {
  const windows = /^(?:windows|win|cp)?(125[0-8]|874)$/.exec(plain)?.[1]
  if (windows !== undefined) return `windows${windows}`
  if (plain === 'latin1') return 'iso88591'
  const iso = /^iso8859(\d{1,2})$/.exec(plain)?.[1]
  if (iso !== undefined) return `iso8859${iso}`
  const codePage = /^(?:cp)?(28[56]\d\d)$/.exec(plain)?.[1]
  return codePage === undefined ? undefined : `iso8859${Number(codePage) - 28590}`
}

/** UTF-8 passes through as it is, after a check. */
export const utf8: Encoding = {
  name: 'utf-8',
  wholeBytes(bytes) {
    for (let back = 1; back <= Math.min(3, bytes.length); back++) {
      const byte = bytes[bytes.length - back]!
      if ((byte & 0xc0) === 0x80) continue
      return sequenceBytes(byte) > back ? bytes.length - back : bytes.length
    }
    return bytes.length
  },
  toUtf8: (bytes) => (isUtf8(bytes) ? bytes : undefined),
  invalidAt(bytes) {
    let valid = 0
    let invalid = bytes.length
    while (invalid - valid > 1) {
      const middle = (valid + invalid) >> 1
      if (isUtf8Start(bytes.subarray(0, middle))) valid = middle
      else invalid = middle
    }
    return invalid - 1
  },
}

/** Length of the character that a byte begins; 1 for a byte that begins none. */
function sequenceBytes(byte: number): number {
  if (byte < 0xc2 || byte > 0xf4) return 1
  return byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
}

function isUtf8Start(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}

const utf16le = utf16('utf-16le', (bytes, at) => bytes.readUInt16LE(at))
const utf16be = utf16('utf-16be', (bytes, at) => bytes.readUInt16BE(at))

function utf16(name: string, unitAt: (bytes: Buffer, at: number) => number): Encoding {
  const decoder = new TextDecoder(name, { fatal: true, ignoreBOM: true })
  const isHigh = (unit: number) => (unit & 0xfc00) === 0xd800
  const isLow = (unit: number) => (unit & 0xfc00) === 0xdc00
  return {
    name,
    wholeBytes(bytes) {
      const even = bytes.length - (bytes.length % 2)
      return even > 0 && isHigh(unitAt(bytes, even - 2)) ? even - 2 : even
    },
    toUtf8(bytes) {
      try {
        return Buffer.from(decoder.decode(bytes))
      } catch {
        return undefined
      }
    },
    invalidAt(bytes) {
      for (let at = 0; at + 1 < bytes.length; at += 2) {
        const unit = unitAt(bytes, at)
        if (isLow(unit)) return at
        if (!isHigh(unit)) continue
        if (at + 3 >= bytes.length || !isLow(unitAt(bytes, at + 2))) return at
        at += 2
      }
      return bytes.length
    },
  }
}

/** Code pages: iconv-lite writes U+FFFD for a byte that the code page leaves undefined, and no code page has U+FFFD itself. */
function singleByteEncoding(iconvName: string): Encoding {
  const undefinedSign = '\uFFFD'
  return {
    name: iconvName.replace(/^windows/, 'windows-').replace(/^iso8859/, 'iso-8859-'),
    wholeBytes: (bytes) => bytes.length,
    toUtf8(bytes) {
      const text = iconv.decode(bytes, iconvName, { stripBOM: false })
      return text.includes(undefinedSign) ? undefined : Buffer.from(text)
    },
    invalidAt: (bytes) => iconv.decode(bytes, iconvName, { stripBOM: false }).indexOf(undefinedSign),
  }
}
