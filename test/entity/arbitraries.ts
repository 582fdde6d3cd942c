import fc from 'fast-check'
import {
  boolean,
  date,
  dateTime,
  decimal,
  defineEnumeration,
  enumeration,
  type Field,
  guid,
  int32,
  int64,
  noYes,
  string,
} from '../../src/entity'

const Colours = defineEnumeration('Colours', ['None', 'Red', 'DarkRed', 'Green'])

/** Fields of every type, with the options that change how values are read. */
export const fields: Readonly<Record<string, Field>> = {
  'string(10)': string({ maxLength: 10 }),
  'string(3) upper': string({ maxLength: 3, letterCase: 'upper' }),
  'string(8) lower': string({ maxLength: 8, letterCase: 'lower' }),
  int32: int32(),
  int64: int64(),
  'decimal(32,6)': decimal(),
  'decimal(5,2)': decimal({ precision: 5, scale: 2 }),
  'decimal(3,3)': decimal({ precision: 3, scale: 3 }),
  'decimal(12,0)': decimal({ precision: 12, scale: 0 }),
  boolean: boolean(),
  noYes: noYes(),
  date: date(),
  dateTime: dateTime(),
  guid: guid(),
  enumeration: enumeration(Colours),
}

const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 22 })
const two = fc.integer({ min: 0, max: 61 }).map((n) => String(n).padStart(2, '0'))
const year = fc.constantFrom('0000', '0001', '1900', '2000', '2023', '2024', '9999', '202')
const day = fc
  .tuple(year, fc.integer({ min: 0, max: 13 }), fc.integer({ min: 0, max: 32 }))
  .map(([y, m, d]) => `${y}-${String(m).padStart(2, '0')}-${String(d).padStart(2, '0')}`)
const zone = fc.constantFrom('', 'Z', 'z', '+00:00', '-05:30', '+14:00', '+15:00', '+1:00')
const moment = fc
  .tuple(
    day,
    fc.constantFrom('T', 't', ' ', ''),
    two,
    two,
    two,
    fc.constantFrom('', '.0', '.120', '.1234567', '.'),
    zone,
  )
  .map(([d, t, h, m, s, f, z]) => `${d}${t}${h}:${m}:${s}${f}${z}`)
const number = fc
  .tuple(
    fc.constantFrom('', '', '-', '+', '--'),
    digits,
    fc.constantFrom('', '', '.', '..', ','),
    digits,
    fc.constantFrom('', '', '000'),
  )
  .map((parts) => parts.join(''))
/** The unit covers the characters that COPY escapes, letters whose case changes their length, and beyond the BMP. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      ...'aZ \\\t\n\r\b\f\v\x1f\x7f"\',.',
      'ß',
      'İ',
      'ŉ',
      'Σ',
      'ﬃ',
      'é',
      '€',
      '😀',
      '\u00a0',
      '\u2028',
      '\ufeff',
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 12,
})
const word = fc
  .tuple(
    fc.constantFrom('Yes', 'No', 'true', 'false', '1', '0', 'None', 'Red', 'DarkRed', '3', '4', 'ye', 'Yess'),
    fc.nat(3),
  )
  .map(([w, how]) => [w, w.toLowerCase(), w.toUpperCase(), ` ${w}`][how]!)
const guidText = fc
  .tuple(fc.uuid(), fc.nat(4))
  .map(([id, how]) => [id, id.toUpperCase(), `{${id}}`, id.slice(1), id.replace(/.$/, 'g')][how]!)

/** Texts that are values of some type, or nearly so; never empty. */
export const texts = fc
  .oneof(text, number, day, moment, word, guidText)
  .filter((value) => value !== '' && !/\p{Cs}/u.test(value))
