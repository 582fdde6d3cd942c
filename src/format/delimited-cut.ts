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
  /** Its text with doubled qualifiers in place of escape characters. */
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

/**
 * Finds the end of the record that starts at `start`, in any dialect.
 * An escape character makes the next character literal inside a qualified field; a doubled qualifier stands for one too.
 * `isLast` says that nothing comes after the text.
 */
export function cutRecord(text: string, start: number, isLast: boolean, format: DelimitedFormat): Cut {
  const { comment = '' } = format
  const first = behindLineEnd(text, start, isLast)
  if (start === text.length || first === 'unfinished') return unfinished
  if (first !== undefined) return { kind: 'nothing', next: first }
  if (comment !== '' && text.startsWith(comment, start)) {
    const next = behindLineEnd(text, nextLineEnd(text, start), isLast)
    return typeof next === 'number' ? { kind: 'nothing', next } : unfinished
  }
  if (!isLast && comment.startsWith(text.slice(start))) return unfinished
  return new RecordCut(text, start, isLast, format).cut()
}

function nextLineEnd(text: string, from: number): number {
  lineEndPattern.lastIndex = from
  return lineEndPattern.exec(text)?.index ?? text.length
}

/** The position behind the line end at `at`, undefined where none stands there. */
function behindLineEnd(text: string, at: number, isLast: boolean): number | 'unfinished' | undefined {
  if (at === text.length) return isLast ? at : 'unfinished'
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
      }
      if (!this.text.startsWith(delimiter, this.#at)) return this.#end()
      this.#at += delimiter.length
    }
  }

  #isFieldEnd(): boolean {
    const character = this.text[this.#at]
    if (character === undefined || character === '\n' || character === '\r') return true
    return character === this.format.delimiter[0] && this.text.startsWith(this.format.delimiter, this.#at)
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

  /** A faulty record reaches to the next line end. */
  #end(fault?: QuoteFault): Cut {
    const end = fault === undefined ? this.#at : nextLineEnd(this.text, fault.at)
    const next = behindLineEnd(this.text, end, this.isLast)
    if (typeof next !== 'number') return unfinished
    const plainText = this.#plain.join('') + this.text.slice(this.#copiedTo, end)
    const whole = { kind: 'record', end, next, linesInside: this.#linesInside, plainText } as const
    return fault === undefined ? whole : { ...whole, fault }
  }
}
