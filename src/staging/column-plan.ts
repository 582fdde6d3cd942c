import { type Column, type Convert, companyColumn, type FieldFault, fieldTypes } from '../entity'
import { type ByteRule, copyText } from '../entity/field-bytes'
import type { ErrorCode } from '../errors'
import { shownValue } from '../execution/record-error'
import type { FieldReading } from './field-reading'
import type { NumberSupply } from './number-supply'

/** An entity's column as the encoder sees it. */
export interface ColumnPlan {
  readonly column: Column
  /** Index of the source's column, -1 when the source has none. */
  readonly source: number
  readonly rule: ByteRule
  /** What is done to the text of a cell before the field reads it; such columns have no byte rule. */
  readonly convert: Convert | undefined
  /** Canonical text of a cell without characters. */
  readonly emptyText: string
  /** COPY text for a cell without characters. */
  readonly empty: Buffer
  /** COPY text where the record does not give the field. */
  readonly absent: Buffer
  /** A cell without characters is an error. */
  readonly refusesEmpty: boolean
  /** A field that is not given is an error (keys). */
  readonly refusesAbsent: boolean
  /** Each record has a value, whatever its source gives. */
  readonly isFilled: boolean
  /** A cell without characters is one that is not given. */
  readonly ignoresBlank: boolean
  /** Gives the value of a cell that is empty or not given. */
  readonly numbers: NumberSupply | undefined
}

/** COPY's text for a cell that is not given. */
export const notGiven = Buffer.from('\\N')

/** Decides what the encoder must know of a column, once a source. */
export function columnPlan(
  column: Column,
  source: number,
  company: string | null,
  { convert, defaultText, ignoresBlank = false, numbers }: FieldReading = {},
): ColumnPlan {
  const { name, field, isKey } = column
  const type = fieldTypes[field.type]
  const isCompany = name === companyColumn && isKey
  const fallback = defaultText ?? (isCompany && company !== null ? company : undefined)
  const empty = fallback ?? field.default ?? type.empty(field)
  return {
    column,
    source,
    rule: convert === undefined ? type.bytes(field) : undecided,
    convert,
    emptyText: empty,
    empty: copyText(empty),
    absent: fallback === undefined ? notGiven : copyText(fallback),
    refusesEmpty: field.mandatory && fallback === undefined && field.default === undefined,
    refusesAbsent: isKey && fallback === undefined,
    isFilled: defaultText !== undefined || numbers !== undefined,
    ignoresBlank: ignoresBlank && !isKey,
    numbers,
  }
}

const undecided: ByteRule = () => -1

/** Whether a cell without characters is one that is not given: a number stands in for it, or nothing does. */
export function takesBlankForNone({ numbers, ignoresBlank }: ColumnPlan): boolean {
  return numbers !== undefined || ignoresBlank
}

/**
 * The canonical text of a cell, or what is wrong with it; undefined for a blank one that counts as not given. The one rule:
 * the conversion, then the field's own parser decide, whatever the byte rule left undecided.
 */
export function readCell(plan: ColumnPlan, text: string): string | FieldFault | undefined {
  const { column, convert, refusesEmpty, emptyText } = plan
  const converted = convert === undefined ? text : convert(text)
  if (typeof converted !== 'string') return converted
  if (converted !== '') return fieldTypes[column.field.type].parse(converted, column.field)
  if (takesBlankForNone(plan)) return undefined
  return refusesEmpty ? { code: 'ER201', reason: 'is empty' } : emptyText
}

/** The next number as the field has it, or what is wrong with it: a sequence may outgrow its field. */
export function readNumber({ column: { field } }: ColumnPlan, number: string): string | FieldFault {
  return fieldTypes[field.type].parse(number, field)
}

/** What is wrong with the text of a cell; undefined for a good one. */
export function fieldFault(
  plan: ColumnPlan,
  text: string | undefined,
): { code: ErrorCode; reason: string } | undefined {
  const { column, refusesAbsent, source, numbers } = plan
  const read = text === undefined ? undefined : readCell(plan, text)
  if (typeof read === 'string') return undefined
  if (read !== undefined) {
    const value = text ? ` '${shownValue(text)}'` : ''
    return { code: read.code, reason: `${column.name}${value} ${read.reason}` }
  }
  if (numbers !== undefined) {
    const number = readNumber(plan, numbers.next)
    if (typeof number === 'string') return undefined
    return { code: number.code, reason: `${column.name} would be ${numbers.next}, which ${number.reason}` }
  }
  return text === undefined && refusesAbsent && source !== -1 && !plan.isFilled
    ? { code: 'ER201', reason: `${column.name} is not given` }
    : undefined
}
