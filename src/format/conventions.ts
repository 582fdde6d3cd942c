import { type Convert, type Field, type FieldFault, fieldTypes } from '../entity'
import type { ErrorCode } from '../errors'
import { type DatePattern, datePattern } from './date-pattern'
import type { FormatProblem } from './format-problem'
import { type Conventions, groupSeparators } from './source-format'
import { type TimeZone, timeZoneNamed } from './time-zone'

const fault = (code: ErrorCode, reason: string): FieldFault => ({ code, reason })

/**
 * What turns the text of a field, as a format writes it, into the text that `fieldTypes[…].parse` reads: numbers with a dot
 * and without groups, ISO 8601. Empty text stays empty.
 * Nothing is guessed: what a format says is the only form that its values may have. A canonical text of another form is
 * refused like any other (ER203, ER204, ER206, ER207), and so is a local time that no clock showed; of a time that clocks
 * showed twice it is the first. The date-time that stands for no value, 1900-01-01 at midnight, does so in every time zone.
 * Returns  undefined where nothing is to be done.
 * Throws   for conventions that contradict themselves: see `conventionProblems`.
 */
export function conventionOf(conventions: Conventions, field: Field): Convert | undefined {
  const { type } = field
  if (type === 'decimal') return hasOwnDecimals(conventions) ? decimalReader(conventions) : undefined
  if (type === 'int32' || type === 'int64') {
    return conventions.groupSeparator === undefined ? undefined : integerReader(conventions.groupSeparator)
  }
  if (type === 'date') {
    const { dateFormat } = conventions
    return dateFormat === undefined ? undefined : dateReader(patternOf(dateFormat, 'date'), dateFormat)
  }
  return type === 'dateTime' ? dateTimeReader(conventions, field) : undefined
}

/**
 * The inverse, for writers: turns canonical text into the text that the format writes. Numbers are written without groups.
 * What the pattern of a date-time has no place for (seconds, fractions, which of two equal hours) is lost; all else reads
 * back as it was. A text that is not canonical is left as it is.
 * Returns  undefined where nothing is to be done.
 */
export function inConvention(conventions: Conventions, field: Field): ((canonical: string) => string) | undefined {
  const { decimalSeparator, dateFormat, dateTimeFormat } = conventions
  if (field.type === 'decimal' && decimalSeparator === ',') return (canonical) => canonical.replace('.', ',')
  if (field.type === 'date' && dateFormat !== undefined) {
    const pattern = patternOf(dateFormat, 'date')
    return (canonical) => pattern.write(canonical) ?? canonical
  }
  if (field.type === 'dateTime' && dateTimeFormat !== undefined) {
    return dateTimeWriter(patternOf(dateTimeFormat, 'dateTime'), zoneOf(conventions))
  }
  return undefined
}

/** All that is wrong with conventions, a problem a property. */
export function conventionProblems(conventions: Conventions): FormatProblem[] {
  const { decimalSeparator = '.', groupSeparator, dateFormat, dateTimeFormat, timeZone } = conventions
  const problems: FormatProblem[] = []
  const add = (property: string, sentence: string) => problems.push({ property, sentence })
  if (!['.', ','].includes(decimalSeparator)) {
    add('decimalSeparator', `${JSON.stringify(decimalSeparator)} is neither a dot nor a comma`)
  }
  if (groupSeparator === decimalSeparator) {
    add('groupSeparator', `${JSON.stringify(groupSeparator)} stands before the decimals already`)
  } else if (groupSeparator !== undefined && !groupSeparators.includes(groupSeparator)) {
    const known = groupSeparators.map((sign) => JSON.stringify(sign)).join(' ')
    add('groupSeparator', `${JSON.stringify(groupSeparator)} is none of ${known}`)
  }
  for (const [property, pattern, kind] of [
    ['dateFormat', dateFormat, 'date'],
    ['dateTimeFormat', dateTimeFormat, 'dateTime'],
  ] as const) {
    const compiled = pattern === undefined ? [] : datePattern(pattern, kind, property)
    if (!('read' in compiled)) problems.push(...compiled)
  }
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    add('timeZone', `'${timeZone}' is no time zone of the IANA database, such as Europe/Berlin`)
  }
  return problems
}

function isTimeZone(name: string): boolean {
  try {
    return timeZoneNamed(name) !== undefined
  } catch {
    return false
  }
}

function hasOwnDecimals({ decimalSeparator, groupSeparator }: Conventions): boolean {
  return decimalSeparator === ',' || groupSeparator !== undefined
}

/** Regular expression of digits, with groups of three or without any. */
function wholePart(groupSeparator: string | undefined): string {
  return groupSeparator === undefined ? '\\d*' : `\\d{1,3}(?:[${groupSeparator}]\\d{3})+|\\d*`
}

function decimalReader({ decimalSeparator = '.', groupSeparator }: Conventions): Convert {
  const form = new RegExp(`^([+-]?)(${wholePart(groupSeparator)})(?:[${decimalSeparator}](\\d*))?$`)
  const example = `1${groupSeparator ?? ''}234${decimalSeparator}56`
  return (text) => {
    if (text === '') return text
    const match = form.exec(text.trim())
    if (match === null) return fault('ER204', `is no number of the form ${example}`)
    const [, sign, whole, decimals] = match
    return `${sign}${withoutGroups(whole!, groupSeparator)}${decimals === undefined ? '' : `.${decimals}`}`
  }
}

function integerReader(groupSeparator: string): Convert {
  const form = new RegExp(`^[+-]?(?:${wholePart(groupSeparator)})$`)
  return (text) => {
    const trimmed = text.trim()
    return form.test(trimmed)
      ? withoutGroups(trimmed, groupSeparator)
      : fault('ER203', `is no whole number of the form 1${groupSeparator}234`)
  }
}

function withoutGroups(digits: string, groupSeparator: string | undefined): string {
  return groupSeparator === undefined ? digits : digits.replaceAll(groupSeparator, '')
}

function patternOf(pattern: string, kind: 'date' | 'dateTime'): DatePattern {
  const compiled = datePattern(pattern, kind, kind)
  if ('read' in compiled) return compiled
  throw new Error(`The pattern ${compiled.map(({ sentence }) => sentence).join('; ')}`)
}

function zoneOf({ timeZone }: Conventions): TimeZone | undefined {
  return timeZone === undefined ? undefined : timeZoneNamed(timeZone)
}

function dateReader(pattern: DatePattern, form: string): Convert {
  return (text) => (text === '' ? text : (pattern.read(text.trim()) ?? fault('ER206', `is not of the form ${form}`)))
}

function dateTimeReader(conventions: Conventions, field: Field): Convert | undefined {
  const { dateTimeFormat, timeZone } = conventions
  const pattern = dateTimeFormat === undefined ? undefined : patternOf(dateTimeFormat, 'dateTime')
  const zone = pattern?.hasOffset ? undefined : zoneOf(conventions)
  if (pattern === undefined && zone === undefined) return undefined
  return (text) => {
    const iso = pattern === undefined || text === '' ? text : pattern.read(text.trim())
    if (iso === undefined) return fault('ER207', `is not of the form ${dateTimeFormat}`)
    if (zone === undefined || iso === '' || offsetPattern.test(iso)) return iso
    const local = fieldTypes.dateTime.parse(iso, field)
    if (typeof local !== 'string' || local === noValue) return local
    const utcMs = zone.toUtc(Date.parse(`${local.slice(0, 19)}Z`))
    if (utcMs === undefined) return fault('ER207', `is a time that clocks of ${timeZone} are put forward over`)
    return isInYears(utcMs) ? isoSecond(utcMs) + local.slice(19) : fault('ER207', 'is outside of years 1 to 9999')
  }
}

const noValue = '1900-01-01T00:00:00Z'
const offsetPattern = /(?:Z|[+-]\d{2}:\d{2})\s*$/i

function dateTimeWriter(pattern: DatePattern, zone: TimeZone | undefined): (canonical: string) => string {
  return (canonical) => {
    const utcMs = Date.parse(`${canonical.slice(0, 19)}Z`)
    if (Number.isNaN(utcMs)) return canonical
    const ahead = canonical === noValue ? 0 : (zone?.offsetAt(utcMs) ?? 0)
    // The mean times of long ago are seconds off, which no offset of a text can say.
    const aheadMs = pattern.hasOffset && ahead % minuteMs !== 0 ? 0 : ahead
    if (!isInYears(utcMs + aheadMs)) return canonical
    const fraction = canonical.slice(19).replace('Z', '')
    return pattern.write(`${isoSecond(utcMs + aheadMs)}${fraction}${offsetText(aheadMs)}`) ?? canonical
  }
}

const minuteMs = 60_000

function offsetText(aheadMs: number): string {
  const minutes = Math.trunc(Math.abs(aheadMs) / minuteMs)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${aheadMs < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

function isoSecond(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19)
}

const firstMs = Date.parse('0001-01-01T00:00:00Z')
const lastMs = Date.parse('9999-12-31T23:59:59Z')

function isInYears(ms: number): boolean {
  return ms >= firstMs && ms <= lastMs
}
