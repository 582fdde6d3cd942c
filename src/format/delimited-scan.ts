import type { Slab } from './slab'

const lineFeed = 10
const carriageReturn = 13

/**
 * Finds the fields of one record in a slab. Its loops are the hot
 * path of reading: a table says of each byte whether it can end a piece of text, and nothing is allocated.
 * The properties tell of the record scanned last.
 */
export class RecordScanner {
  /** Where the offsets go. */
  starts = new Int32Array(0)
  ends = new Int32Array(0)
  width = 0
  /** Number of fields; of a faulty record those before the faulty one. */
  fields = 0
  /** Where the record ends, without its line end; where a cut record is known to reach. */
  recordEnd = 0
  /** Where the next record starts. */
  next = 0
  /** Line ends inside quoted fields. */
  linesInside = 0
  faultCode: 'ER102' | 'ER103' | undefined
  faultAt = -1
  /** Where the quote stands in which the bytes end, or -1. */
  openQuote = -1

  readonly #delimiter: number
  /** -1 where the dialect has no qualifier: no byte is equal. */
  readonly #quote: number
  readonly #endsPlain: Uint8Array
  readonly #endsQuoted: Uint8Array
  /** Fields of this block that hold doubled quotes; those of the record scanned last begin at `#ownEscapes`. */
  readonly #escapes: number[] = []
  #ownEscapes = 0
  #sawDoubled = false

  constructor(
    private readonly slab: Slab,
    delimiter: string,
    qualifier: string,
  ) {
    this.#delimiter = delimiter.charCodeAt(0)
    this.#quote = qualifier === '' ? -1 : qualifier.charCodeAt(0)
    const { plain, quoted } = endsOf(this.#delimiter, this.#quote)
    this.#endsPlain = plain
    this.#endsQuoted = quoted
  }

  /** Makes room for the offsets of the record at `index`, where each has `width` fields. */
  makeRoom(index: number, width: number): void {
    this.width = width
    const fields = (index + 1) * width
    if (fields <= this.starts.length) return
    this.starts = grown(this.starts, fields)
    this.ends = grown(this.ends, fields)
  }

  /** Passes over lines that hold nothing: sets `next`, returns how many. A CR at the end waits for what follows it. */
  skipBlankLines(from: number): number {
    const { bytes, end, ended } = this.slab
    let lines = 0
    this.next = from
    for (; this.next < end; lines++) {
      const byte = bytes[this.next]
      if (byte !== lineFeed && (byte !== carriageReturn || (this.next + 1 === end && !ended))) break
      this.next = this.#behindLineEnd(this.next)
    }
    return lines
  }

  /**
   * Scans the record at `start` and writes the offsets of its fields, at most `width`, from `firstField` on.
   * Returns false where the record is not whole, or none is there.
   */
  scan(start: number, firstField: number): boolean {
    const { bytes, end, ended } = this.slab
    const { starts, ends, width } = this
    this.#reset()
    if (start >= end) return this.#cut(start)
    const delimiter = this.#delimiter
    const quote = this.#quote
    const endsPlain = this.#endsPlain
    let fields = 0
    let at = start
    for (;;) {
      let from = at
      let to: number
      if (bytes[at] === quote) {
        from++
        to = this.#closingQuote(at)
        if (to === -1 || (to + 1 === end && !ended)) return this.#cut(end)
        this.openQuote = -1
        at = to + 1
        if (endsPlain[bytes[at]!] === 0) return this.#fault('ER102', at, fields)
        if (this.#sawDoubled && fields < width) this.#escapes.push(firstField + fields)
        this.#sawDoubled = false
      } else {
        while (endsPlain[bytes[at]!] === 0) at++
        to = at
        if (bytes[at] === quote) return this.#fault('ER103', at, fields)
      }
      if (fields < width) {
        starts[firstField + fields] = from
        ends[firstField + fields] = to
      }
      fields++
      if (bytes[at] !== delimiter) break
      at++
    }
    this.fields = fields
    return this.#endRecord(at)
  }

  /** Takes the doubled quotes out of the block's fields, in place: only now, as a cut record is scanned again. */
  unescape(): void {
    const { starts, ends } = this
    const { bytes } = this.slab
    for (const field of this.#escapes) {
      const end = ends[field]!
      let to = starts[field]!
      for (let at = to; at < end; at++) {
        const byte = bytes[at]!
        bytes[to++] = byte
        if (byte === this.#quote) at++
      }
      ends[field] = to
    }
    this.#escapes.length = 0
    this.#ownEscapes = 0
  }

  /** The record scanned last keeps its bytes as they are. */
  forgetEscapes(): void {
    this.#escapes.length = this.#ownEscapes
  }

  #reset(): void {
    this.#ownEscapes = this.#escapes.length
    this.#sawDoubled = false
    this.fields = 0
    this.linesInside = 0
    this.faultCode = undefined
    this.openQuote = -1
  }

  /** Position of the quote that closes the one at `open`, or -1. */
  #closingQuote(open: number): number {
    const { bytes, end } = this.slab
    const quote = this.#quote
    const endsQuoted = this.#endsQuoted
    this.openQuote = open
    for (let at = open + 1; ; at++) {
      while (endsQuoted[bytes[at]!] === 0) at++
      if (at >= end) return -1
      const byte = bytes[at]
      if (byte !== quote) {
        this.linesInside++
        if (byte === carriageReturn && bytes[at + 1] === lineFeed && at + 1 < end) at++
      } else if (bytes[at + 1] === quote) {
        this.#sawDoubled = true
        at++
      } else {
        return at
      }
    }
  }

  #fault(code: 'ER102' | 'ER103', at: number, fields: number): boolean {
    const { bytes } = this.slab
    this.forgetEscapes()
    this.faultCode = code
    this.faultAt = at
    this.fields = fields
    let lineEnd = at
    while (bytes[lineEnd] !== lineFeed && bytes[lineEnd] !== carriageReturn) lineEnd++
    return this.#endRecord(lineEnd)
  }

  #endRecord(at: number): boolean {
    const { bytes, end, ended } = this.slab
    if (at >= end && !ended) return this.#cut(end)
    this.recordEnd = at
    if (at + 1 === end && !ended && bytes[at] === carriageReturn) return this.#cut(at)
    this.next = this.#behindLineEnd(at)
    return true
  }

  /** The line feed behind the slab's end is none of the file. */
  #behindLineEnd(at: number): number {
    const { bytes, end } = this.slab
    const isPair = bytes[at] === carriageReturn && bytes[at + 1] === lineFeed
    return Math.min(end, isPair ? at + 2 : at + 1)
  }

  #cut(recordEnd: number): boolean {
    this.forgetEscapes()
    this.recordEnd = recordEnd
    return false
  }
}

/** Which bytes end a piece of text outside and inside quotes. */
interface Ends {
  readonly plain: Uint8Array
  readonly quoted: Uint8Array
}

/** By delimiter and qualifier, of which there are a handful: small messages would each fill tables of their own. */
const knownEnds = new Map<string, Ends>()

function endsOf(delimiter: number, quote: number): Ends {
  const dialect = `${delimiter} ${quote}`
  const known = knownEnds.get(dialect)
  if (known) return known
  const ends = { plain: new Uint8Array(256), quoted: new Uint8Array(256) }
  for (const byte of [lineFeed, carriageReturn, delimiter]) ends.plain[byte] = 1
  for (const byte of [lineFeed, carriageReturn]) ends.quoted[byte] = 1
  if (quote !== -1) {
    ends.plain[quote] = 1
    ends.quoted[quote] = 1
  }
  knownEnds.set(dialect, ends)
  return ends
}

function grown(offsets: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  // Doubled, so that a block costs few copies; 128 are the fields of a small message.
  const larger = new Int32Array(Math.max(2 * length, 128))
  larger.set(offsets)
  return larger
}
