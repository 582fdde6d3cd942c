import { type Column, type Convert, companyColumn, type Entity, type FieldFault, fieldTypes } from '../entity'
import { type ByteRule, copyText } from '../entity/field-bytes'
import type { ErrorCode } from '../errors'
import { shownValue } from '../execution/record-error'
import { conventionOf } from '../format/conventions'
import type { SourceFormat } from '../format/source-format'

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
}

/** COPY's text for a cell that is not given. */
export const notGiven = Buffer.from('\\N')

/** For each column of an entity what its texts in a format need; undefined where none needs anything. */
export function conventionsOf(format: SourceFormat, { columns }: Entity): readonly (Convert | undefined)[] | undefined {
  const converts = columns.map(({ field }) => conventionOf(format, field))
  return converts.some((convert) => convert !== undefined) ? converts : undefined
}

/** Decides what the encoder must know of a column, once a source. */
export function columnPlan(column: Column, source: number, company: string | null, convert?: Convert): ColumnPlan {
  const { name, field, isKey } = column
  const type = fieldTypes[field.type]
  const isCompany = name === companyColumn && isKey
  const fallback = isCompany && company !== null ? company : undefined
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
  }
}

const undecided: ByteRule = () => -1

/**
 * The canonical text of a cell, or what is wrong with it. The one rule: the conversion, then the field's own parser decide,
 * whatever the byte rule left undecided.
 */
export function readCell({ column, convert, refusesEmpty, emptyText }: ColumnPlan, text: string): string | FieldFault {
  const converted = convert === undefined ? text : convert(text)
  if (typeof converted !== 'string') return converted
  if (converted !== '') return fieldTypes[column.field.type].parse(converted, column.field)
  return refusesEmpty ? { code: 'ER201', reason: 'is empty' } : emptyText
}

/** What is wrong with the text of a cell; undefined for a good one. */
export function fieldFault(
  plan: ColumnPlan,
  text: string | undefined,
): { code: ErrorCode; reason: string } | undefined {
  const { column, refusesAbsent, source } = plan
  if (text === undefined) {
    return refusesAbsent && source !== -1 ? { code: 'ER201', reason: `${column.name} is not given` } : undefined
  }
  const read = readCell(plan, text)
  if (typeof read === 'string') return undefined
  const value = text === '' ? '' : ` '${shownValue(text)}'`
  return { code: read.code, reason: `${column.name}${value} ${read.reason}` }
}
