import fc from 'fast-check'
import type { XmlFormat } from '../../src/format/source-format'
import { xmlWriter } from '../../src/format/xml-writer'
import { groups, readXml, xmlAttribute, xmlElement } from './xml-documents'

type Values = (string | null)[]

function write(format: XmlFormat, records: readonly Values[]): string {
  const writer = xmlWriter(format, 'CustCustomerGroupEntity', groups.fieldNames)
  return writer.header() + records.map((values) => writer.record(values)).join('') + writer.footer()
}

const value = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.string({ unit: fc.constantFrom(...'<>&"\'\r\n\t ]é€😀a'), maxLength: 8 }),
)
// Control characters are the one thing that does not come back.
const field = fc.option(value.map((text) => text.replace(/[^\P{Cc}\t\n\r\x7f-\x9f]/gu, '')))
const records = fc.array(fc.tuple(field, field, field), { minLength: 1, maxLength: 5 })

describe.each([
  ['XML-Element', xmlElement],
  ['XML-Attribute', xmlAttribute],
])('The writer of %s', (_, format) => {
  it('writes what the reader gives back, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(records, fc.integer({ min: 1, max: 9 }), async (written, chunk) => {
        const read = await readXml(write(format, written), { chunk })
        expect(read.records.map(({ values }) => values)).toEqual(written)
      }),
      { numRuns: 500 },
    )
  })

  it('writes what the reader gives back, cut in two at every byte', async () => {
    const written: Values[] = [
      ['a\r\nb\t', '', null],
      ['<&>"\' ]]>', 'é€😀', '  '],
    ]
    const bytes = Buffer.from(write(format, written))
    for (let at = 1; at < bytes.length; at++) {
      const read = await readXml(bytes, { chunk: at, reading: { byteLane: true, stepBytes: at } })
      expect(read.records.map(({ values }) => values)).toEqual(written)
    }
  })

  it('writes U+FFFD for what XML cannot hold', async () => {
    const read = await readXml(write(format, [['a\0b', '\ud800c\uffff', '\u001f😀']]))
    expect(read.records[0]?.values).toEqual(['a\ufffdb', '\ufffdc\ufffd', '\ufffd😀'])
  })
})

describe('The writer of XML', () => {
  it('writes elements with upper-case names, a record a line', () => {
    expect(
      write(xmlElement, [
        ['10', 'A & B', null],
        ['20', '', 'x'],
      ]),
    ).toBe(
      '<?xml version="1.0" encoding="utf-8"?>\n<Document>\n' +
        '<CUSTCUSTOMERGROUPENTITY><CUSTOMERGROUPID>10</CUSTOMERGROUPID><DESCRIPTION>A &amp; B</DESCRIPTION></CUSTCUSTOMERGROUPENTITY>\n' +
        '<CUSTCUSTOMERGROUPENTITY><CUSTOMERGROUPID>20</CUSTOMERGROUPID><DESCRIPTION/><ID>x</ID></CUSTCUSTOMERGROUPENTITY>\n' +
        '</Document>\n',
    )
  })

  it('writes attributes with upper-case names', () => {
    expect(write(xmlAttribute, [['10', 'say "x"\n', null]])).toBe(
      '<?xml version="1.0" encoding="utf-8"?>\n<Document>\n' +
        '<CUSTCUSTOMERGROUPENTITY CUSTOMERGROUPID="10" DESCRIPTION="say &quot;x&quot;&#10;"/>\n</Document>\n',
    )
  })
})
