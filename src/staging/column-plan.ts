import { type Column, companyColumn, fieldTypes } from '../entity'
import { type ByteRule, copyText } from '../entity/field-bytes'
import type { ErrorCode } from '../errors'
import { shownValue } from '../execution/record-error'

/** An entity's column as the encoder sees it. */
export interface ColumnPlan {
  readonly column: Column
  /** Index of the source's column, -1 when the source has none. */
  readonly source: number
  readonly rule: ByteRule
  /** COPY text for a cell without characters. */
  readonly empty: Buffer
  /** COPY text where the record does not give the field. */
  readonly absent: Buffer
  /** A cell without characters is an error. */
  readonly refusesEmpty: boolean
  /** A field that is not given is an error (keys). */
  readonly refusesAbsent: boolean
}

/** COPY's text for a cell that is not given. */
export const notGiven = Buffer.from('\\N')

/** Decides what the encoder must know of a column, once a source. */
export function columnPlan(column: Column, source: number, company: string | null): ColumnPlan {
  const { name, field, isKey } = column
  const type = fieldTypes[field.type]
  const isCompany = name === companyColumn && isKey
  const fallback = isCompany && company !== null ? company : undefined
  const empty = fallback ?? field.default ?? type.empty(field)
  return {
    column,
    source,
    rule: type.bytes(field),
    empty: copyText(empty),
    absent: fallback === undefined ? notGiven : copyText(fallback),
    refusesEmpty: field.mandatory && fallback === undefined && field.default === undefined,
    refusesAbsent: isKey && fallback === undefined,
  }
}

/** The one rule: the field's own parser decides, whatever the byte rule left undecided. */
export function parseField({ field }: Column, text: string) {
  return fieldTypes[field.type].parse(text, field)
}

/** What is wrong with the text of a cell; undefined for a good one. */
export function fieldFault(
  plan: ColumnPlan,
  text: string | undefined,
): { code: ErrorCode; reason: string } | undefined {
  const { column, refusesEmpty, refusesAbsent, source } = plan
  if (text === undefined) {
    return refusesAbsent && source !== -1 ? { code: 'ER201', reason: `${column.name} is not given` } : undefined
  }
  if (text === '') return refusesEmpty ? { code: 'ER201', reason: `${column.name} is empty` } : undefined
  const parsed = parseField(column, text)
  if (typeof parsed === 'string') return undefined
  return { code: parsed.code, reason: `${column.name} '${shownValue(text)}' ${parsed.reason}` }
}
