import type { Field, FieldTypeName } from './field'
import { fieldTypes } from './field-types'
import { lastWord } from './infer-names'

/** What a field of a sample seems to be. */
export interface FieldGuess {
  readonly type: FieldTypeName
  /** What the declaration needs besides the type, e.g. maxLength. */
  readonly options: Partial<Field>
  /** Why this and not the more obvious, in a sentence part. */
  readonly note?: string
}

/** Column sizes that people use; the first that holds the longest text seen. */
const usualLengths = [10, 20, 60, 100, 255, 1000, 4000, 10_000, 100_000, 1_000_000]
/** Decimals get room beyond the sample: 18 digits, 2 after the dot, hold any amount of money. */
const leastPrecision = 18
const leastScale = 2
/** What `decimal` can hold. */
const mostPrecision = 38

/** Last words of columns whose digits are no quantity: leading zeros count, and letters may come. */
const codeWord = /^(?:id|no|nr|key|ean|gtin|vat|iban|zip|fax)$|(?:code|account|number|phone|postal)$/

/**
 * Guesses the type of a column that holds these values.
 * Every value given is a value of the guessed field. Enumerations are not guessed: a sample rarely has all members.
 */
export function guessField(columnName: string, values: readonly string[]): FieldGuess {
  if (values.length === 0) return { ...textOf(values), note: 'empty throughout the sample' }
  const number = guessNumber(values)
  if (number) {
    if (!codeWord.test(lastWord(columnName))) return number
    return { ...textOf(values), note: 'digits, kept as text because the name suggests a code' }
  }
  for (const type of ['boolean', 'noYes', 'guid', 'date', 'dateTime'] as const) {
    if (values.every((value) => looksLike[type].test(value.trim()) && fits({ type, mandatory: false }, value))) {
      return { type, options: {} }
    }
  }
  return textOf(values)
}

/** Narrower than what the types accept, so that 1 is no true and a day no moment. */
const looksLike = {
  boolean: /^(?:true|false)$/i,
  noYes: /^(?:yes|no)$/i,
  guid: /^/,
  date: /^.{10}$/,
  dateTime: /^/,
} as const

/** The field's canonical text of a value, or nothing if it is none. */
export function canonicalText(field: Field, value: string): string | undefined {
  const parsed = fieldTypes[field.type].parse(value, field)
  return typeof parsed === 'string' ? parsed : undefined
}

function fits(field: Field, value: string): boolean {
  return canonicalText(field, value) !== undefined
}

function textOf(values: readonly string[]): FieldGuess {
  const longest = values.reduce((most, value) => Math.max(most, value.length), 1)
  return { type: 'string', options: { maxLength: usualLengths.find((length) => length >= longest) ?? longest } }
}

/** A whole or decimal number without leading zeros: a number with them is a code. */
const numberPattern = /^-?(0|[1-9]\d*)(?:\.(\d+))?$/

function guessNumber(values: readonly string[]): FieldGuess | undefined {
  const parts = values.map((value) => numberPattern.exec(value.trim()))
  if (!parts.every((match) => match !== null)) return undefined
  const wholeDigits = Math.max(...parts.map((match) => match[1]!.length))
  const scale = Math.max(...parts.map((match) => match[2]?.length ?? 0))
  if (scale > 0) {
    const wide = Math.max(leastPrecision, wholeDigits + Math.max(scale, leastScale))
    if (wide > mostPrecision) return undefined
    return { type: 'decimal', options: { precision: wide, scale: Math.max(scale, leastScale) } }
  }
  const type = (['int32', 'int64'] as const).find((int) =>
    values.every((value) => fits({ type: int, mandatory: false }, value)),
  )
  return type && { type, options: {} }
}
