import type { ReadLimits } from './record-block'
import type { XmlBlockBuilder } from './xml-block'
import { nameEnd, XmlByteNames } from './xml-byte-names'
import { appendReference, byteKinds, Kind } from './xml-byte-text'
import type { XmlNames } from './xml-names'

/** Why the byte lane stopped: the block is full, the window ends inside a record, or the record is none of the regular shape. */
export type XmlByteStop = 'full' | 'incomplete' | 'irregular'

const less = 0x3c
const greater = 0x3e
const slash = 0x2f
const equals = 0x3d
const bracket = 0x5d
const space = 0x20
const lineFeed = 0x0a
const carriageReturn = 0x0d
const doubleQuote = 0x22
const singleQuote = 0x27

/** What a reading function returns instead of a position. */
const incomplete = -1
const irregular = -2

/** XML has no bound; beyond this an element is refused (by the saxes lane). */
const maxAttributes = 256

/**
 * Reads records of the regular shape from UTF-8 bytes, and nothing else: `<Record><Field>text</Field><Field/></Record>`
 * or `<Record A="v"/>` or both, with white space between. It makes no string and accepts only what the saxes lane
 * accepts with the same result. At anything else it stops before the record, which the saxes lane then reads:
 * so errors and rarities have one home.
 */
export class XmlByteLane {
  /** Line of the position that `scan` returned. */
  line = 1
  stop: XmlByteStop = 'incomplete'
  readonly #records: XmlByteNames
  readonly #elements: XmlByteNames
  readonly #attributes: XmlByteNames
  readonly #block: XmlBlockBuilder
  readonly #maxRecordBytes: number
  #serial = 0
  #row = 0
  #out: Buffer
  #length = 0
  #end = 0

  constructor(names: XmlNames, block: XmlBlockBuilder, limits: ReadLimits) {
    const columnOf = (name: string) => {
      const column = names.columnOf(name)
      if (column === -1) names.meetUnknown(name)
      return column
    }
    this.#records = new XmlByteNames((name) => (names.isRecord(name) ? 0 : undefined))
    this.#elements = new XmlByteNames(columnOf)
    this.#attributes = new XmlByteNames((name) => (name === 'xmlns' ? undefined : columnOf(name)))
    this.#block = block
    this.#out = block.bytes
    this.#maxRecordBytes = limits.maxRecordBytes
  }

  /** Reads records of `bytes` from `from` to at most `end`, where a zero byte stands; returns where it stopped. */
  scan(bytes: Buffer, from: number, end: number): number {
    const block = this.#block
    block.reserve(end - from)
    this.#out = block.bytes
    this.#end = end
    let at = from
    while (!block.isFull) {
      at = this.#skipBlank(bytes, at)
      const line = this.line
      this.#beginRecord()
      const next = bytes[at] === less ? this.#record(bytes, at) : this.#fail(at)
      if (next < 0 || next - at > this.#maxRecordBytes) {
        this.line = line
        this.stop = next === incomplete ? 'incomplete' : 'irregular'
        return at
      }
      block.length = this.#length
      block.commit(line, next - at)
      at = next
    }
    this.stop = 'full'
    return at
  }

  #beginRecord(): void {
    const block = this.#block
    this.#serial += 1
    this.#row = block.count * block.width
    this.#length = block.length
    block.starts.fill(-1, this.#row, this.#row + block.width)
    block.ends.fill(-1, this.#row, this.#row + block.width)
    this.#records.rewind()
    this.#elements.rewind()
    this.#attributes.rewind()
  }

  /** Reads the record that starts at `at`; returns the position after its end tag. */
  #record(bytes: Buffer, at: number): number {
    const number = this.#records.find(bytes, at + 1)
    if (number < 0) return this.#failName(bytes, at + 1)
    const name = this.#records.spellings[number]!
    let i = at + 1 + name.length
    if (bytes[i] !== greater) {
      i = this.#attributeList(bytes, i)
      if (i < 0) return i
      if (bytes[i] === slash) return bytes[i + 1] === greater ? i + 2 : this.#fail(i + 1)
    }
    for (i += 1; ; ) {
      i = this.#skipBlank(bytes, i)
      if (bytes[i] !== less) return this.#fail(i)
      if (bytes[i + 1] === slash) return this.#endTag(bytes, i + 2, name)
      i = this.#field(bytes, i + 1)
      if (i < 0) return i
    }
  }

  /** Reads the field element whose name starts at `at`; returns the position after it. */
  #field(bytes: Buffer, at: number): number {
    const names = this.#elements
    const number = names.find(bytes, at)
    if (number < 0) return this.#failName(bytes, at)
    const name = names.spellings[number]!
    const column = names.columns[number]!
    if (column >= 0 && this.#block.starts[this.#row + column] !== -1) return irregular
    const start = this.#length
    let i = at + name.length
    if (bytes[i] === greater) {
      i = this.#text(bytes, i + 1)
      if (i < 0) return i
      if (bytes[i + 1] !== slash) return this.#fail(i + 1)
      i = this.#endTag(bytes, i + 2, name)
    } else {
      // .NET writes `<Field />`, others `<Field/>`.
      if (bytes[i] === space) i += 1
      if (bytes[i] !== slash) return this.#fail(i)
      i = bytes[i + 1] === greater ? i + 2 : this.#fail(i + 1)
    }
    this.#put(column, start)
    return i
  }

  /** Reads attributes from the white space after the name on; returns the position of the `>` or of the `/` before it. */
  #attributeList(bytes: Buffer, at: number): number {
    const names = this.#attributes
    for (let count = 0; ; count++) {
      const i = this.#skipBlank(bytes, at)
      if (bytes[i] === greater || bytes[i] === slash) return i
      if (i === at || count === maxAttributes) return this.#fail(i)
      const number = names.find(bytes, i)
      if (number < 0) return this.#failName(bytes, i)
      const column = names.columns[number]!
      const isDouble = names.metIn[number] === this.#serial
      if (isDouble || (column >= 0 && this.#block.starts[this.#row + column] !== -1)) return irregular
      names.metIn[number] = this.#serial
      const valueAt = i + names.spellings[number]!.length
      if (bytes[valueAt] !== equals) return this.#fail(valueAt)
      const quote = bytes[valueAt + 1]!
      if (quote !== doubleQuote && quote !== singleQuote) return this.#fail(valueAt + 1)
      const start = this.#length
      at = this.#value(bytes, valueAt + 2, quote)
      if (at < 0) return at
      this.#put(column, start)
    }
  }

  /** Copies text, unescaped, up to the next `<`; returns its position. */
  #text(bytes: Buffer, at: number): number {
    const out = this.#out
    let length = this.#length
    for (let i = at; ; ) {
      const byte = bytes[i]!
      const kind = byteKinds[byte]!
      if (kind === Kind.plain) {
        out[length++] = byte
        i += 1
      } else if (byte === less) {
        this.#length = length
        return i
      } else if (kind === Kind.lineEnd) {
        this.line += 1
        out[length++] = lineFeed
        i = afterLineEnd(bytes, i)
      } else {
        if (byte === greater && bytes[i - 1] === bracket && bytes[i - 2] === bracket) return irregular
        const next = this.#rarity(bytes, i, length)
        if (next < 0) return next
        length = this.#length
        i = next
      }
    }
  }

  /** Copies an attribute's value, unescaped and with white space made blanks (XML 1.0, 3.3.3); returns the position after its quote. */
  #value(bytes: Buffer, at: number, quote: number): number {
    const out = this.#out
    let length = this.#length
    for (let i = at; ; ) {
      const byte = bytes[i]!
      const kind = byteKinds[byte]!
      if (byte === quote) {
        this.#length = length
        return i + 1
      }
      if (kind === Kind.plain) {
        out[length++] = byte === 9 ? space : byte
        i += 1
      } else if (kind === Kind.lineEnd) {
        this.line += 1
        out[length++] = space
        i = afterLineEnd(bytes, i)
      } else {
        if (byte === less) return irregular
        const next = this.#rarity(bytes, i, length)
        if (next < 0) return next
        length = this.#length
        i = next
      }
    }
  }

  /** Copies one reference, `>` or character of the block that holds U+FFFE; returns the position after it. */
  #rarity(bytes: Buffer, at: number, length: number): number {
    const byte = bytes[at]!
    if (byteKinds[byte] === Kind.forbidden) return this.#fail(at)
    if (byteKinds[byte] === Kind.reference) {
      const next = appendReference(bytes, at, this.#out, length)
      if (next.at < 0) return this.#fail(-next.at)
      this.#length = next.length
      return next.at
    }
    if (byte === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2]! >= 0xbe) return irregular
    this.#out[length] = byte
    this.#length = length + 1
    return at + 1
  }

  /** Counts the value that was copied since `start`, or drops it where no column takes it. */
  #put(column: number, start: number): void {
    if (column < 0) {
      this.#length = start
      return
    }
    this.#block.starts[this.#row + column] = start
    this.#block.ends[this.#row + column] = this.#length
  }

  #endTag(bytes: Buffer, at: number, name: Uint8Array): number {
    const length = name.length
    for (let i = 0; i < length; i++) if (bytes[at + i] !== name[i]) return this.#fail(at + i)
    return bytes[at + length] === greater ? at + length + 1 : this.#fail(at + length)
  }

  /** Skips white space and counts its lines; stops before a CR at the window's end, whose LF may be still to come. */
  #skipBlank(bytes: Buffer, at: number): number {
    for (let i = at; ; ) {
      const byte = bytes[i]!
      if (byte === space || byte === 9) i += 1
      else if (byte !== lineFeed && byte !== carriageReturn) return i
      else if (byte === carriageReturn && i + 1 === this.#end) return i
      else {
        this.line += 1
        i = afterLineEnd(bytes, i)
      }
    }
  }

  #failName(bytes: Buffer, at: number): number {
    return this.#fail(nameEnd(bytes, at))
  }

  /** What to answer where `at` holds no byte that the regular shape has there: perhaps it is only not here yet. */
  #fail(at: number): number {
    return at >= this.#end - 1 ? incomplete : irregular
  }
}

/** The position after a line end: CR LF is one. */
function afterLineEnd(bytes: Buffer, at: number): number {
  return bytes[at] === carriageReturn && bytes[at + 1] === lineFeed ? at + 2 : at + 1
}
