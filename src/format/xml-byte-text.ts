/** How the byte lane treats a byte of text or of an attribute's value. */
export const Kind = { plain: 0, markup: 1, lineEnd: 2, reference: 3, rare: 4, forbidden: 5 } as const

/**
 * The kind of each byte of valid UTF-8. Rare are `>` (it may end `]]>`) and 0xEF (it may begin U+FFFE or U+FFFF);
 * forbidden are the control characters, zero among them, which also stands after the last byte of the window.
 */
export const byteKinds: Uint8Array = new Uint8Array(256)
byteKinds.fill(Kind.forbidden, 0, 0x20)
byteKinds[0x09] = Kind.plain
byteKinds[0x0a] = Kind.lineEnd
byteKinds[0x0d] = Kind.lineEnd
byteKinds[0x26] = Kind.reference
byteKinds[0x3c] = Kind.markup
byteKinds[0x3e] = Kind.rare
byteKinds[0xef] = Kind.rare

const semicolon = 0x3b
const hash = 0x23

/** The longest reference that the byte lane reads, `&#x0010FFFF;` and shorter; a longer one is left to the saxes lane. */
const maxReferenceBytes = 12

const predefined = new Map([
  ['amp', 0x26],
  ['lt', 0x3c],
  ['gt', 0x3e],
  ['quot', 0x22],
  ['apos', 0x27],
])

/** The positions after a reference and after its character; a negative `at` is the negated position where it failed. */
interface Appended {
  readonly at: number
  readonly length: number
}

/**
 * Appends the character of the reference at `at` (where the `&` stands) to `out`.
 * Only the five predefined entities and numeric references to characters that XML may hold are known.
 */
export function appendReference(bytes: Uint8Array, at: number, out: Buffer, length: number): Appended {
  let end = at + 1
  while (bytes[end] !== semicolon) {
    if (end - at > maxReferenceBytes || bytes[end] === 0) return { at: -end, length }
    end += 1
  }
  const name = Buffer.from(bytes.subarray(at + 1, end)).toString('latin1')
  const code = bytes[at + 1] === hash ? numericReference(name) : predefined.get(name)
  if (code === undefined || !isXmlCharacter(code)) return { at: -end, length }
  if (code < 0x80) {
    out[length] = code
    return { at: end + 1, length: length + 1 }
  }
  return { at: end + 1, length: length + out.write(String.fromCodePoint(code), length) }
}

function numericReference(name: string): number | undefined {
  if (/^#[0-9]+$/.test(name)) return Number.parseInt(name.slice(1), 10)
  if (/^#x[0-9a-fA-F]+$/.test(name)) return Number.parseInt(name.slice(2), 16)
  return undefined
}

/** XML 1.0, production 2. */
function isXmlCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff)
}
