import fc from 'fast-check'
import { type FieldFault, fieldTypes } from '../../src/entity'
import { fields, texts } from './arbitraries'

const read = (name: string, text: string) => fieldTypes[fields[name]!.type].parse(text, fields[name]!)
const codeOf = (name: string, text: string) => (read(name, text) as FieldFault).code

describe.each(Object.entries(fields))('the text rule of %s', (_, field) => {
  const { parse, empty } = fieldTypes[field.type]

  it('leaves its own canonical text as it is', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const canonical = parse(text, field)
        if (typeof canonical === 'string' && canonical !== '') expect(parse(canonical, field)).toBe(canonical)
      }),
      { numRuns: 3_000 },
    )
  })

  it('knows its empty value', () => {
    if (empty(field) !== '') expect(parse(empty(field), field)).toBe(empty(field))
  })

  it('gives a fault a reason to show', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const result = parse(text, field)
        if (typeof result !== 'string') expect(result.reason).toMatch(/^(?:is|has|holds) /)
      }),
    )
  })
})

const notNumbers = [
  '1e309',
  'NaN',
  'Infinity',
  '-infinity',
  '1,000.50',
  '1 000',
  '١٢٣',
  '0x10',
  '1_000',
  '--1',
  '',
  '.',
  '-',
  '$1',
]
const notDates = [
  'now',
  'today',
  'infinity',
  'epoch',
  '2026-02-30',
  '2025-02-29',
  '1900-02-29',
  '2026-13-01',
  '0000-01-01',
]
const wrong: [name: string, code: string, texts: string[]][] = [
  ['int32', 'ER203', [...notNumbers, '1.0', '2147483648', '-2147483649']],
  ['int64', 'ER203', [...notNumbers, '1.5', '9223372036854775808', '-9223372036854775809']],
  ['decimal(5,2)', 'ER204', [...notNumbers, '1000', '0.001', '12.345', '1.2.3']],
  ['date', 'ER206', [...notDates, '30-11-2026', '2026-1-1', '2026-01-01T25:00:00', '2026-01-01T10', '12/31/2026']],
  ['dateTime', 'ER207', [...notDates, '2026-01-01T24:00:00', '2026-01-01T23:60:00', '2026-01-01T23:59:60', '24:00']],
  ['dateTime', 'ER207', ['2026-01-01T00:00:00+15:00', '0001-01-01T00:00:00+01:00', '9999-12-31T23:59:59-01:00']],
  ['boolean', 'ER205', ['2', 'y', 'on', 'ja', '-1']],
  ['noYes', 'ER205', ['2', 'y', 'maybe']],
  ['guid', 'ER208', ['6b1f9e0c-1111-4222-8333-0123456789a', '6b1f9e0c111142228333-0123456789ab', '{6b1f9e0c}']],
  ['enumeration', 'ER209', ['Blue', '4', '-1', 'toString', '01x']],
  ['string(10)', 'ER202', ['12345678901', '😀'.repeat(11)]],
  ['string(10)', 'ER104', ['a\0b']],
  ['string(3) upper', 'ER202', ['ßß']],
]

describe.each(wrong)('%s refuses with %s', (name, code, refused) => {
  it.each(refused)('%j', (text) => {
    expect(codeOf(name, text)).toBe(code)
  })
})

it.each([
  ['int32', ' +0042 ', '42'],
  ['int32', '-2147483648', '-2147483648'],
  ['int64', '9223372036854775807', '9223372036854775807'],
  ['decimal(5,2)', '-000.50', '-0.5'],
  ['decimal(5,2)', '-0.00', '0'],
  ['decimal(5,2)', '.5', '0.5'],
  ['decimal(5,2)', '999.990', '999.99'],
  ['decimal(3,3)', '0.125', '0.125'],
  ['boolean', 'YES', 'true'],
  ['noYes', '0', 'No'],
  ['date', '2024-02-29', '2024-02-29'],
  ['date', '2000-02-29T12:00:00Z', '2000-02-29'],
  ['dateTime', '2026-01-01', '2026-01-01T00:00:00Z'],
  ['dateTime', '2026-01-01 00:30+01:00', '2025-12-31T23:30:00Z'],
  ['dateTime', '2026-01-01T00:00:00.1234567Z', '2026-01-01T00:00:00.123456Z'],
  ['guid', '{6B1F9E0C-1111-4222-8333-0123456789AB}', '6b1f9e0c-1111-4222-8333-0123456789ab'],
  ['enumeration', 'darkred', 'DarkRed'],
  ['enumeration', '3', 'Green'],
  ['string(10)', '😀'.repeat(10), '😀'.repeat(10)],
  ['string(10)', '  kept ', '  kept '],
  ['string(3) upper', 'eur', 'EUR'],
])('%s reads %j as %j', (name, text, canonical) => {
  expect(read(name, text)).toBe(canonical)
})
