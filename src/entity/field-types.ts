import type { ErrorCode } from '../errors'
import type { Field, FieldTypeName } from './field'
import { type ByteRule, bytesOf } from './field-bytes'
import { isGuid } from './guid'

/** Why a text is no value of a field. */
export interface FieldFault {
  readonly code: ErrorCode
  /** A sentence with the value's trouble in it, without the field's name and without the value. */
  readonly reason: string
}

/** What is done to the text of a cell before its field reads it: gives the text to read, or why there is none. */
export type Convert = (text: string) => string | FieldFault

/** The surfaces of one type of value. There is no null: each type has an empty value, as in Dynamics 365. */
export interface FieldType {
  /** Type of the target column. */
  postgres(field: Field): string
  /** Type in OData's `$metadata`. */
  edm(field: Field): string
  /** Canonical text of "no value". */
  empty(field: Field): string
  /** Whether the empty value is a value like any other (0, No), so that it may stand in a key. */
  readonly emptyIsAValue: boolean
  /**
   * Text in: the canonical text of the value, or why it is none. Empty text is the caller's business.
   * Canonical text is what Postgres casts without looking at settings, and what files and OData are written from.
   */
  parse(text: string, field: Field): string | FieldFault
  /** The canonical text as a value of `Row<Entity>`. */
  value(canonical: string): unknown
  /**
   * The byte form of `parse`: writes the canonical text for COPY and returns the new position, or -1 for "undecided",
   * whereupon `parse` decides. Must agree with `parse` wherever it decides.
   */
  bytes(field: Field): ByteRule
}

const fault = (code: ErrorCode, reason: string): FieldFault => ({ code, reason })
const asText = (canonical: string): string => canonical

const isTrue = /^(?:yes|true|1)$/i
const isFalse = /^(?:no|false|0)$/i

/** One entry a type; everything that depends on a field's type is read off here. */
export const fieldTypes: Readonly<Record<FieldTypeName, FieldType>> = {
  string: {
    postgres: () => 'text',
    edm: () => 'Edm.String',
    empty: () => '',
    emptyIsAValue: false,
    parse(text, { maxLength = 0, letterCase }) {
      if (text.includes('\0')) return fault('ER104', 'holds a NUL character')
      // The letter case first: it can lengthen a text (ß becomes SS).
      const cased = letterCase === 'lower' ? text.toLowerCase() : letterCase === 'upper' ? text.toUpperCase() : text
      if (cased.length <= maxLength) return cased
      const length = [...cased].length
      return length <= maxLength ? cased : fault('ER202', `has ${length} characters where at most ${maxLength} fit`)
    },
    value: asText,
    bytes: bytesOf.string,
  },
  int32: {
    postgres: () => 'integer',
    edm: () => 'Edm.Int32',
    empty: () => '0',
    emptyIsAValue: true,
    parse: (text) => parseInteger(text, -2147483648n, 2147483647n),
    value: Number,
    bytes: bytesOf.int32,
  },
  int64: {
    postgres: () => 'bigint',
    edm: () => 'Edm.Int64',
    empty: () => '0',
    emptyIsAValue: true,
    parse: (text) => parseInteger(text, -(2n ** 63n), 2n ** 63n - 1n),
    value: asText,
    bytes: bytesOf.int64,
  },
  decimal: {
    postgres: ({ precision, scale }) => `numeric(${precision}, ${scale})`,
    edm: () => 'Edm.Decimal',
    empty: () => '0',
    emptyIsAValue: true,
    parse: parseDecimal,
    value: asText,
    bytes: bytesOf.decimal,
  },
  boolean: {
    postgres: () => 'boolean',
    edm: () => 'Edm.Boolean',
    empty: () => 'false',
    emptyIsAValue: true,
    parse(text) {
      const trimmed = text.trim()
      if (isTrue.test(trimmed)) return 'true'
      return isFalse.test(trimmed) ? 'false' : fault('ER205', 'is neither true nor false')
    },
    value: (canonical) => canonical === 'true',
    bytes: bytesOf.boolean,
  },
  noYes: {
    postgres: () => 'text',
    edm: () => 'Microsoft.Dynamics.DataEntities.NoYes',
    empty: () => 'No',
    emptyIsAValue: true,
    parse(text) {
      const trimmed = text.trim()
      if (isTrue.test(trimmed)) return 'Yes'
      return isFalse.test(trimmed) ? 'No' : fault('ER205', 'is neither Yes nor No')
    },
    value: asText,
    bytes: bytesOf.noYes,
  },
  date: {
    postgres: () => 'date',
    edm: () => 'Edm.Date',
    empty: () => '1900-01-01',
    emptyIsAValue: false,
    parse: parseDate,
    value: asText,
    bytes: bytesOf.date,
  },
  dateTime: {
    postgres: () => 'timestamptz',
    edm: () => 'Edm.DateTimeOffset',
    empty: () => '1900-01-01T00:00:00Z',
    emptyIsAValue: false,
    parse: parseDateTime,
    value: asText,
    bytes: bytesOf.dateTime,
  },
  guid: {
    postgres: () => 'uuid',
    edm: () => 'Edm.Guid',
    empty: () => '00000000-0000-0000-0000-000000000000',
    emptyIsAValue: false,
    parse(text) {
      const inner = text.trim().replace(/^\{(.*)\}$/, '$1')
      return isGuid(inner) ? inner.toLowerCase() : fault('ER208', 'is no GUID')
    },
    value: asText,
    bytes: bytesOf.guid,
  },
  enumeration: {
    postgres: () => 'text',
    edm: ({ enumeration }) => `Microsoft.Dynamics.DataEntities.${enumeration!.name}`,
    empty: ({ enumeration }) => enumeration!.members[0]!,
    emptyIsAValue: true,
    parse(text, { enumeration }) {
      const { name, members } = enumeration!
      const wanted = text.trim().toLowerCase()
      const byNumber = /^\d{1,4}$/.test(wanted) ? members[Number(wanted)] : undefined
      const member = members.find((m) => m.toLowerCase() === wanted) ?? byNumber
      return member ?? fault('ER209', `is no member of ${name}: ${members.slice(0, 20).join(', ')}`)
    },
    value: asText,
    bytes: bytesOf.enumeration,
  },
}

function parseInteger(text: string, least: bigint, most: bigint): string | FieldFault {
  const trimmed = text.trim()
  if (!/^[+-]?\d{1,40}$/.test(trimmed)) return fault('ER203', 'is no whole number')
  const value = BigInt(trimmed.replace(/^\+/, ''))
  if (value < least || value > most) return fault('ER203', `is not between ${least} and ${most}`)
  return value.toString()
}

/** Canonical: no plus sign, no leading zeros, no trailing zeros after the dot, no dot without decimals, no minus zero. */
function parseDecimal(text: string, { precision = 0, scale = 0 }: Field): string | FieldFault {
  const match = /^([+-]?)(\d{0,60})(?:\.(\d{0,60}))?$/.exec(text.trim())
  if (!match || (!match[2] && !match[3])) return fault('ER204', 'is no decimal number')
  const whole = match[2]!.replace(/^0+/, '')
  const decimals = (match[3] ?? '').replace(/0+$/, '')
  if (decimals.length > scale) return fault('ER204', `has ${decimals.length} decimals where ${scale} fit`)
  if (whole.length > precision - scale) {
    return fault('ER204', `has ${whole.length} digits before the dot where ${precision - scale} fit`)
  }
  if (whole === '' && decimals === '') return '0'
  return `${match[1] === '-' ? '-' : ''}${whole || '0'}${decimals ? `.${decimals}` : ''}`
}

const daysInMonth = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
function isDay(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false
  const isLeapDay = month === 2 && day === 29 && (year % 4 === 0 ? year % 100 !== 0 || year % 400 === 0 : false)
  return isLeapDay || day <= daysInMonth[month]!
}

const datePattern = /^(\d{4})-(\d{2})-(\d{2})(?:[T ].+)?$/i
/** A time of day behind the date is checked and dropped, as Dynamics 365 writes date fields with one. */
function parseDate(text: string): string | FieldFault {
  const trimmed = text.trim()
  const match = datePattern.exec(trimmed)
  if (!match) return fault('ER206', 'is not of the form yyyy-MM-dd')
  const [, year, month, day] = match
  if (!isDay(Number(year), Number(month), Number(day))) return fault('ER206', 'is no day of the calendar')
  if (trimmed.length > 10) {
    const moment = parseDateTime(trimmed)
    if (typeof moment !== 'string') return fault('ER206', moment.reason)
  }
  return `${year}-${month}-${day}`
}

const dateTimePattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?(Z|[+-]\d{2}:\d{2})?)?$/i
/** Without an offset the time is UTC. Canonical: UTC, with as many decimals (6 at most) as are not zero. */
function parseDateTime(text: string): string | FieldFault {
  const match = dateTimePattern.exec(text.trim())
  if (!match) return fault('ER207', 'is not of the form yyyy-MM-ddTHH:mm:ssZ')
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as number[]
  if (!isDay(year!, month!, day!)) return fault('ER207', 'is no day of the calendar')
  if (hour! > 23 || minute! > 59 || second! > 59) return fault('ER207', 'is no time of the day')
  const offset = match[8] ?? 'Z'
  const offsetHours = offset.length > 1 ? Number(offset.slice(1, 3)) : 0
  const offsetMinutes = offset.length > 1 ? Number(offset.slice(4, 6)) : 0
  if (offsetHours > 14 || offsetMinutes > 59) return fault('ER207', 'has an impossible offset from UTC')
  const moment = new Date(0)
  moment.setUTCFullYear(year!, month! - 1, day!)
  moment.setUTCHours(hour!, minute!, second!)
  const sign = offset.startsWith('-') ? 1 : -1
  moment.setTime(moment.getTime() + sign * (offsetHours * 60 + offsetMinutes) * 60_000)
  if (moment.getUTCFullYear() < 1 || moment.getUTCFullYear() > 9999)
    return fault('ER207', 'is outside of years 1 to 9999')
  const decimals = (match[7] ?? '').slice(0, 6).replace(/0+$/, '')
  return `${moment.toISOString().slice(0, 19)}${decimals ? `.${decimals}` : ''}Z`
}
