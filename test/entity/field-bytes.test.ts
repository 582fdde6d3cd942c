import fc from 'fast-check'
import { type FieldTypeName, fieldTypes } from '../../src/entity'
import { writeCopyText } from '../../src/entity/field-bytes'
import { fields, texts } from './arbitraries'

/** Runs the byte rule of a field on a text that stands somewhere inside a larger buffer. */
function byBytes(field: (typeof fields)[string], text: string): string | undefined {
  const value = Buffer.from(text)
  const src = Buffer.concat([Buffer.from('9-'), value, Buffer.from('9Z.0')])
  const out = Buffer.alloc(value.length * 2 + 40 + 3)
  const end = fieldTypes[field.type].bytes(field)(src, 2, 2 + value.length, out, 3)
  expect(end).toBeLessThanOrEqual(out.length)
  return end < 0 ? undefined : out.subarray(3, end).toString()
}

/** COPY's own writing of a text (Postgres manual, COPY, "Text Format"), spelt out another way than the code under test. */
function copyText(text: string): string {
  const letters: Record<string, string> = {
    '\b': 'b',
    '\t': 't',
    '\n': 'n',
    '\v': 'v',
    '\f': 'f',
    '\r': 'r',
    '\\': '\\',
  }
  return text.replace(/[\b\t\n\v\f\r\\]/g, (character) => `\\${letters[character]}`)
}

/** A text of each type as most sources write it: what the byte rules are fast for. */
const plain = {
  string: 'a b',
  int32: '-12',
  int64: '123456789012345678',
  decimal: '17',
  boolean: 'false',
  noYes: 'Yes',
  date: '2026-11-30',
  dateTime: '2026-11-30T23:59:59Z',
  guid: '6b1f9e0c-1111-4222-8333-0123456789ab',
  enumeration: 'DarkRed',
} satisfies Record<FieldTypeName, string>

describe.each(Object.entries(fields))('the byte rule of %s', (_, field) => {
  const text = plain[field.type]
  it('writes what the text rule gives, or leaves the value to it', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const written = byBytes(field, text)
        if (written === undefined) return
        expect(written).toBe(copyText(fieldTypes[field.type].parse(text, field) as string))
      }),
      { numRuns: 3_000 },
    )
  })

  it('decides a usual text', () => {
    // Without a digit before the dot no usual spelling fits: the text rule decides all of them.
    const hasWholeDigits = field.precision !== field.scale || field.precision === undefined
    if (hasWholeDigits) expect(byBytes(field, text)).toBe(field.letterCase === 'upper' ? text.toUpperCase() : text)
  })
})

describe('writeCopyText', () => {
  it('escapes what COPY would read otherwise, and nothing else', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const src = Buffer.from(text)
        const out = Buffer.alloc(src.length * 2)
        expect(out.subarray(0, writeCopyText(src, 0, src.length, out, 0)).toString()).toBe(copyText(text))
      }),
    )
  })
})
