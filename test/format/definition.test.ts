import { readDefinition } from '../../src/format/definition'
import { sourceFormats } from '../../src/format/registry'

function refusal(definition: Record<string, unknown>): string {
  try {
    readDefinition(definition)
  } catch (error) {
    expect(error).toMatchObject({ name: 'RequestRefused', code: 'EA109', status: 400 })
    return (error as Error).message
  }
  throw new Error('Nothing was refused')
}

describe('readDefinition', () => {
  it('fills in what is usual', () => {
    expect(readDefinition({ kind: 'delimited', delimiter: ';' })).toEqual(sourceFormats['CSV-Semicolon'])
    expect(readDefinition({ kind: 'xml' })).toEqual(sourceFormats['XML-Element'])
  })

  it.each(Object.entries(sourceFormats))('takes the definition of a built-in format: %s', (_, format) => {
    expect(readDefinition({ ...format })).toEqual(format)
  })

  it('takes every property', () => {
    const delimited = {
      kind: 'delimited',
      delimiter: ';',
      qualifier: "'",
      hasHeader: false,
      rowDelimiter: '|\n',
      escape: '\\',
      comment: '#',
      encoding: 'windows-1252',
      decimalSeparator: ',',
      groupSeparator: '.',
      dateFormat: 'dd.MM.yyyy',
      dateTimeFormat: 'dd.MM.yyyy HH:mm',
      timeZone: 'Europe/Berlin',
    }
    expect(readDefinition(delimited)).toEqual(delimited)
    const xml = { kind: 'xml', style: 'attribute', root: 'Daten', encoding: '1200', decimalSeparator: ',' }
    expect(readDefinition(xml)).toEqual(xml)
  })

  it('takes null and empty texts for left out, an empty qualifier for none, and a number for a code page', () => {
    const given = { delimiter: ';', qualifier: '', escape: '', comment: null, dateFormat: '', encoding: 1252 }
    expect(readDefinition({ kind: 'delimited', ...given })).toEqual({
      kind: 'delimited',
      delimiter: ';',
      qualifier: '',
      hasHeader: true,
      encoding: '1252',
    })
  })

  it('says all that is wrong, property by property', () => {
    const message = refusal({
      kind: 'delimited',
      delimiter: '\n',
      qualifier: '""',
      encoding: 12000,
      dateFormat: 'dd.MM.yy',
      groupSeparator: '.',
    })
    expect(message).toContain('delimiter: "\\n" cannot be used')
    expect(message).toContain('qualifier: "\\"\\"" cannot be used')
    expect(message).toContain("encoding: The encoding '12000' is UTF-32, which is not read")
    expect(message).toContain("dateFormat: 'dd.MM.yy': yy is not known")
    expect(message).toContain('groupSeparator: "." stands before the decimals already')
  })

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['no kind', { delimiter: ';' }, /kind: nothing is neither delimited nor xml/],
    ['another kind', { kind: 'EXCEL' }, /kind: "EXCEL" is neither/],
    ['no delimiter', { kind: 'delimited' }, /delimiter: is missing/],
    ['a misspelt property', { kind: 'delimited', delimeter: ';' }, /delimeter: is not known; .*delimiter: is missing/],
    ['a property of the other kind', { kind: 'xml', delimiter: ';' }, /delimiter: is not known/],
    ['a property of every object', { kind: 'xml', constructor: 'x' }, /constructor: is not known/],
    ['a flag as text', { kind: 'delimited', delimiter: ';', hasHeader: 'yes' }, /hasHeader: "yes" is neither true nor/],
    ['a text as number', { kind: 'delimited', delimiter: 5 }, /delimiter: 5 is no text/],
    ['a long sign', { kind: 'delimited', delimiter: '-'.repeat(11) }, /more than 10 characters/],
    ['half a character', { kind: 'delimited', delimiter: '\ud83d' }, /holds what is no character/],
    ['another style', { kind: 'xml', style: 'json' }, /style: "json" is none of element, attribute/],
    ['a root that is no name', { kind: 'xml', root: 'a b' }, /root: "a b" is no name of an element/],
    ['UTF-7', { kind: 'xml', encoding: '65000' }, /is UTF-7, which is not read/],
    ['an encoding nobody knows', { kind: 'xml', encoding: 'runes' }, /'runes' is not known/],
    [
      'a decimal comma between commas',
      { kind: 'delimited', delimiter: ',', qualifier: '', decimalSeparator: ',' },
      /decimalSeparator: .*the delimiter holds it/,
    ],
  ])('refuses %s', (_, definition, message) => {
    expect(refusal(definition)).toMatch(message)
  })
})
