import type { DelimitedFormat } from './source-format'

/** What a look at one record found. */
export type Cut =
  /** The text ends within the record; `openQuote` is where the quote stands in which it ends. */
  | { readonly kind: 'unfinished'; readonly openQuote?: number }
  /** A blank line or a comment: no record. */
  | { readonly kind: 'nothing'; readonly next: number }
  | WholeRecord

/** The places in the text of a whole record, and whether its quotes stand as they should. */
export interface WholeRecord {
  readonly kind: 'record'
  /** Where it ends, without its line end. */
  readonly end: number
  /** Where the next one starts. */
  readonly next: number
  /** Line ends inside quoted fields. */
  readonly linesInside: number
  /** Its text with doubled qualifiers in place of escape characters, and qualifiers around line ends. */
  readonly plainText: string
  readonly fault?: QuoteFault
}

/** A quote at the wrong place: `field` is 0-based, `at` the place. */
export interface QuoteFault {
  readonly code: 'ER102' | 'ER103'
  readonly field: number
  readonly at: number
}

const unfinished: Cut = { kind: 'unfinished' }
const lineEndPattern = /[\r\n]/g
const lineEndsPattern = /\r\n|\r|\n/g

/**
 * Finds the end of the record that starts at `start`, in any dialect: at the format's row delimiter, or where it has none
 * at any line end.
 * An escape character makes the next character literal inside a qualified field; a doubled qualifier stands for one too.
 * `isLast` says that nothing comes after the text.
 */
export function cutRecord(text: string, start: number, isLast: boolean, format: DelimitedFormat): Cut {
  const { comment = '', rowDelimiter } = format
  const first = behindRowEnd(text, start, isLast, rowDelimiter)
  if (start === text.length || first === 'unfinished') return unfinished
  if (first !== undefined) return { kind: 'nothing', next: first }
  if (comment !== '' && text.startsWith(comment, start)) {
    const next = behindRowEnd(text, nextRowEnd(text, start, rowDelimiter), isLast, rowDelimiter)
    return typeof next === 'number' ? { kind: 'nothing', next } : unfinished
  }
  if (!isLast && comment.startsWith(text.slice(start))) return unfinished
  return new RecordCut(text, start, isLast, format).cut()
}

/** How many line ends a piece of text has. */
export function countLineEnds(text: string): number {
  return text.match(lineEndsPattern)?.length ?? 0
}

function nextRowEnd(text: string, from: number, rowDelimiter: string | undefined): number {
  if (rowDelimiter !== undefined) {
    const found = text.indexOf(rowDelimiter, from)
    return found === -1 ? text.length : found
  }
  lineEndPattern.lastIndex = from
  return lineEndPattern.exec(text)?.index ?? text.length
}

/** The position behind the end of a record at `at`, undefined where none stands there. */
function behindRowEnd(
  text: string,
  at: number,
  isLast: boolean,
  rowDelimiter: string | undefined,
): number | 'unfinished' | undefined {
  if (at === text.length) return isLast ? at : 'unfinished'
  if (rowDelimiter !== undefined) {
    if (text.startsWith(rowDelimiter, at)) return at + rowDelimiter.length
    return !isLast && rowDelimiter.startsWith(text.slice(at, at + rowDelimiter.length)) ? 'unfinished' : undefined
  }
  if (text[at] === '\n') return at + 1
  if (text[at] !== '\r') return undefined
  if (at + 1 === text.length && !isLast) return 'unfinished'
  return text[at + 1] === '\n' ? at + 2 : at + 1
}

/** One look at one record. */
class RecordCut {
  readonly #plain: string[] = []
  #copiedTo: number
  #linesInside = 0
  #at: number

  constructor(
    private readonly text: string,
    start: number,
    private readonly isLast: boolean,
    private readonly format: DelimitedFormat,
  ) {
    this.#at = start
    this.#copiedTo = start
  }

  cut(): Cut {
    const { delimiter, qualifier } = this.format
    for (let field = 0; ; field++) {
      const open = this.#at
      if (qualifier !== '' && this.text[open] === qualifier) {
        if (!this.#passQuoted()) return { kind: 'unfinished', openQuote: open }
        if (this.#at === this.text.length && !this.isLast) return unfinished
        if (!this.#isFieldEnd()) return this.#end({ code: 'ER102', field, at: this.#at })
      } else {
        while (!this.#isFieldEnd() && this.text[this.#at] !== (qualifier || undefined)) this.#at++
        if (!this.#isFieldEnd()) return this.#end({ code: 'ER103', field, at: this.#at })
        if (this.format.rowDelimiter !== undefined) this.#qualify(open)
      }
      if (!this.text.startsWith(delimiter, this.#at)) return this.#end()
      this.#at += delimiter.length
    }
  }

  #isFieldEnd(): boolean {
    const character = this.text[this.#at]
    if (character === undefined) return true
    const { rowDelimiter } = this.format
    if (rowDelimiter === undefined ? character === '\n' || character === '\r' : this.#startsWith(rowDelimiter))
      return true
    return this.#startsWith(this.format.delimiter)
  }

  #startsWith(sign: string): boolean {
    return this.text[this.#at] === sign[0] && this.text.startsWith(sign, this.#at)
  }

  /** Line ends in a field without qualifiers are data here, and would be ends of records to papaparse. */
  #qualify(open: number): void {
    const field = this.text.slice(open, this.#at)
    if (!/[\r\n]/.test(field)) return
    const { qualifier } = this.format
    this.#plain.push(this.text.slice(this.#copiedTo, open), qualifier, field, qualifier)
    this.#copiedTo = this.#at
  }

  /** Goes behind the qualifier that closes the field; false where there is none. */
  #passQuoted(): boolean {
    const { text } = this
    const { qualifier, escape: sign } = this.format
    for (this.#at++; this.#at < text.length; this.#at++) {
      const character = text[this.#at]
      if (character === qualifier) {
        if (text[this.#at + 1] !== qualifier) {
          this.#at++
          return true
        }
        this.#at++
      } else if (character === sign && this.#at + 1 < text.length) {
        this.#rewriteEscape()
      }
      this.#countLineEnd()
    }
    return false
  }

  /** Takes an escape character away and goes to the character that it makes literal. */
  #rewriteEscape(): void {
    const { qualifier } = this.format
    this.#plain.push(this.text.slice(this.#copiedTo, this.#at++))
    if (this.text[this.#at] === qualifier) this.#plain.push(qualifier)
    this.#copiedTo = this.#at
  }

  #countLineEnd(): void {
    const character = this.text[this.#at]
    const isPairStart = character === '\r' && this.text[this.#at + 1] === '\n'
    if (character === '\n' || (character === '\r' && !isPairStart)) this.#linesInside++
  }

  /** A faulty record reaches to the next end of a record. */
  #end(fault?: QuoteFault): Cut {
    const { rowDelimiter } = this.format
    const end = fault === undefined ? this.#at : nextRowEnd(this.text, fault.at, rowDelimiter)
    const next = behindRowEnd(this.text, end, this.isLast, rowDelimiter)
    if (typeof next !== 'number') return unfinished
    const plainText = this.#plain.join('') + this.text.slice(this.#copiedTo, end)
    const whole = { kind: 'record', end, next, linesInside: this.#linesInside, plainText } as const
    return fault === undefined ? whole : { ...whole, fault }
  }
}
