/** Spellings remembered at most; a file with more is no regular one. */
const maxSpellings = 1024

/** The names that the byte lane takes as well-formed without asking: a plain part of XML 1.0's Name, no prefix. */
const plainName = /^[A-Za-z_][A-Za-z0-9_.-]*$/

/** XML 1.0's Name has no length; beyond this one is refused (by the saxes lane). */
const maxNameLength = 256

/**
 * The names met so far, by their bytes and in the order in which they were met. Records of a file have their
 * fields in one order, so that the name asked for is nearly always the one after the last found: no string is made.
 */
export class XmlByteNames {
  /** Found names by number; all were accepted by `resolve`. */
  readonly spellings: Uint8Array[] = []
  readonly columns: number[] = []
  /** The last record, by its serial number, in which the name was met. */
  readonly metIn: number[] = []
  #next = 0

  /** `resolve` gives the column of a name, -1 for one to be read over, or undefined for one that the byte lane leaves alone. */
  constructor(private readonly resolve: (name: string) => number | undefined) {}

  /** Expects the first name next. */
  rewind(): void {
    this.#next = 0
  }

  /** The number of the name at `at`, or -1 where there is none that the byte lane reads. */
  find(bytes: Uint8Array, at: number): number {
    const count = this.spellings.length
    let number = this.#next
    for (let tried = 0; tried < count; tried++) {
      if (number >= count) number = 0
      if (isAt(this.spellings[number]!, bytes, at)) {
        this.#next = number + 1
        return number
      }
      number += 1
    }
    return this.#learn(bytes, at)
  }

  #learn(bytes: Uint8Array, at: number): number {
    const end = nameEnd(bytes, at)
    if (end - at > maxNameLength || bytes[end] === 0 || this.spellings.length === maxSpellings) return -1
    const spelling = new Uint8Array(bytes.subarray(at, end))
    const name = Buffer.from(spelling).toString('latin1')
    const column = plainName.test(name) ? this.resolve(name) : undefined
    if (column === undefined) return -1
    this.#next = this.spellings.length + 1
    this.columns.push(column)
    this.metIn.push(-1)
    return this.spellings.push(spelling) - 1
  }
}

function isAt(spelling: Uint8Array, bytes: Uint8Array, at: number): boolean {
  const length = spelling.length
  for (let i = 0; i < length; i++) if (bytes[at + i] !== spelling[i]) return false
  return endsName[bytes[at + length]!] === 1
}

/** Where the name that starts at `at` ends: a zero byte stands after the window, so that the search ends there. */
export function nameEnd(bytes: Uint8Array, at: number): number {
  let end = at
  while (endsName[bytes[end]!] === 0) end += 1
  return end
}

/** 1 for the bytes that stand after a name: white space, `>`, `/`, `=`; and `<` and the zero byte, which stop a search. */
const endsName = new Uint8Array(256)
for (const byte of '\t\n\r >/=<\0') endsName[byte.charCodeAt(0)] = 1
