import type { Field, FieldTypeName } from './field'

/**
 * Writes the canonical COPY text (Postgres manual, COPY, "Text Format") of a value that stands in source bytes.
 * Input   src[start, end) is UTF-8 and not empty; `out` has room for twice as many bytes from `at` on, and 40 more.
 * Returns the position after what it wrote, or -1 when the value is unusual: then the text form of the rule decides.
 */
export type ByteRule = (src: Buffer, start: number, end: number, out: Buffer, at: number) => number
/** Makes the byte rule of one field. */
export type ByteWriter = (field: Field) => ByteRule

const zero = 48
const nine = 57
const minus = 45
const dot = 46
const backslash = 92

/** Letters after the backslash that COPY reads as the control characters 8 to 13. */
const copyEscapes: readonly number[] = [...'btnvfr'].map((letter) => letter.charCodeAt(0))

/** Writes one byte of text, escaped where COPY needs it; returns the next position. */
function writeEscaped(byte: number, out: Buffer, at: number): number {
  out[at] = backslash
  out[at + 1] = byte === backslash ? backslash : copyEscapes[byte - 8]!
  return at + 2
}

/** Writes any UTF-8 without NUL as COPY text; `out` must have room for twice the bytes. */
export function writeCopyText(src: Buffer, start: number, end: number, out: Buffer, at: number): number {
  let next = at
  for (let i = start; i < end; i++) {
    const byte = src[i]!
    if (byte === backslash || (byte >= 8 && byte <= 13)) next = writeEscaped(byte, out, next)
    else out[next++] = byte
  }
  return next
}

/** A text without NUL as COPY text, for the few that are not on the hot path. */
export function copyText(text: string): Buffer {
  const bytes = Buffer.from(text)
  const out = Buffer.alloc(bytes.length * 2)
  return out.subarray(0, writeCopyText(bytes, 0, bytes.length, out, 0))
}

const string: ByteWriter = ({ maxLength = 0, letterCase }) => {
  const shiftFrom = letterCase === 'lower' ? 65 : letterCase === 'upper' ? 97 : 256
  const shiftTo = letterCase === undefined ? -1 : shiftFrom + 25
  const shift = letterCase === 'lower' ? 32 : -32
  const asciiOnly = letterCase !== undefined
  return (src, start, end, out, at) => {
    let next = at
    let continuations = 0
    for (let i = start; i < end; i++) {
      const byte = src[i]!
      if (byte > 127) {
        if (asciiOnly) return -1
        if (byte < 192) continuations++
        out[next++] = byte
      } else if (byte > 31 && byte !== backslash) {
        out[next++] = byte >= shiftFrom && byte <= shiftTo ? byte + shift : byte
      } else if (byte === 0) {
        return -1
      } else if (byte === backslash || (byte >= 8 && byte <= 13)) {
        next = writeEscaped(byte, out, next)
      } else {
        out[next++] = byte
      }
    }
    return end - start - continuations > maxLength ? -1 : next
  }
}

/** Up to 9 (int32) or 18 (int64) digits cannot overflow; longer ones, plus signs and leading zeros are left undecided. */
const integer =
  (maxDigits: number): ByteWriter =>
  () =>
  (src, start, end, out, at) => {
    let next = at
    let i = start
    if (src[i] === minus) {
      out[next++] = minus
      i++
    }
    const digits = end - i
    if (digits < 1 || digits > maxDigits || (src[i] === zero && (digits > 1 || i > start))) return -1
    for (; i < end; i++) {
      const byte = src[i]!
      if (byte < zero || byte > nine) return -1
      out[next++] = byte
    }
    return next
  }

const decimal: ByteWriter =
  ({ precision = 0, scale = 0 }) =>
  (src, start, end, out, at) => {
    let next = at
    let i = start
    if (src[i] === minus) {
      out[next++] = minus
      i++
    }
    const wholeStart = i
    for (; i < end; i++) {
      const byte = src[i]!
      if (byte < zero || byte > nine) break
      out[next++] = byte
    }
    const whole = i - wholeStart
    if (whole < 1 || whole > precision - scale) return -1
    if (src[wholeStart] === zero && (whole > 1 || wholeStart > start)) return -1
    if (i === end) return next
    if (src[i] !== dot) return -1
    let last = end - 1
    while (src[last] === zero) last--
    if (last === i) return i + 1 === end ? -1 : next
    if (last - i > scale) return -1
    out[next++] = dot
    for (i++; i <= last; i++) {
      const byte = src[i]!
      if (byte < zero || byte > nine) return -1
      out[next++] = byte
    }
    return next
  }

const daysInMonth = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Whether src[start, start + 10) is a day `yyyy-MM-dd`, leap days left undecided (false). */
function isPlainDay(src: Buffer, start: number): boolean {
  if (src[start + 4] !== minus || src[start + 7] !== minus) return false
  for (const i of dayDigits) {
    const byte = src[start + i]!
    if (byte < zero || byte > nine) return false
  }
  const year = twoDigits(src, start) * 100 + twoDigits(src, start + 2)
  const month = twoDigits(src, start + 5)
  const day = twoDigits(src, start + 8)
  return year > 0 && month > 0 && month < 13 && day > 0 && day <= daysInMonth[month]!
}
const dayDigits = [0, 1, 2, 3, 5, 6, 8, 9]

function twoDigits(src: Buffer, at: number): number {
  return (src[at]! - zero) * 10 + src[at + 1]! - zero
}

function isTwoDigits(src: Buffer, at: number): boolean {
  const tens = src[at]!
  const ones = src[at + 1]!
  return tens >= zero && tens <= nine && ones >= zero && ones <= nine
}

function copyBytes(src: Buffer, start: number, end: number, out: Buffer, at: number): number {
  let next = at
  for (let i = start; i < end; i++) out[next++] = src[i]!
  return next
}

const date: ByteWriter = () => (src, start, end, out, at) =>
  end - start === 10 && isPlainDay(src, start) ? copyBytes(src, start, end, out, at) : -1

/** Decides `yyyy-MM-ddTHH:mm:ss` with or without Z; all else is undecided. */
const dateTime: ByteWriter = () => (src, start, end, out, at) => {
  const length = end - start
  if ((length !== 20 || src[end - 1] !== 90) && length !== 19) return -1
  if (src[start + 10] !== 84 || src[start + 13] !== 58 || src[start + 16] !== 58 || !isPlainDay(src, start)) return -1
  if (!isTwoDigits(src, start + 11) || !isTwoDigits(src, start + 14) || !isTwoDigits(src, start + 17)) return -1
  if (twoDigits(src, start + 11) > 23 || twoDigits(src, start + 14) > 59 || twoDigits(src, start + 17) > 59) return -1
  const next = copyBytes(src, start, start + 19, out, at)
  out[next] = 90
  return next + 1
}

const guid: ByteWriter = () => (src, start, end, out, at) => {
  if (end - start !== 36) return -1
  let next = at
  for (let i = 0; i < 36; i++) {
    const byte = src[start + i]!
    const isHyphenPlace = i === 8 || i === 13 || i === 18 || i === 23
    if (isHyphenPlace ? byte !== minus : !((byte >= zero && byte <= nine) || (byte >= 97 && byte <= 102))) return -1
    out[next++] = byte
  }
  return next
}

/** Decides by comparing with the few texts that are canonical already; all other spellings are undecided. */
const oneOf =
  (texts: (field: Field) => readonly string[]): ByteWriter =>
  (field) => {
    const members = texts(field).map((text) => Buffer.from(text))
    return (src, start, end, out, at) => {
      const length = end - start
      for (const member of members) {
        if (member.length !== length) continue
        let i = 0
        while (i < length && member[i] === src[start + i]) i++
        if (i === length) return copyBytes(src, start, end, out, at)
      }
      return -1
    }
  }

/** The byte rule of each type; tested equal to the text rule on generated values. */
export const bytesOf: Readonly<Record<FieldTypeName, ByteWriter>> = {
  string,
  int32: integer(9),
  int64: integer(18),
  decimal,
  boolean: oneOf(() => ['true', 'false']),
  noYes: oneOf(() => ['Yes', 'No']),
  date,
  dateTime,
  guid,
  enumeration: oneOf(({ enumeration }) => enumeration!.members),
}
