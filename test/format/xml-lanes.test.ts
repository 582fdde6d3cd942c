import fc from 'fast-check'
import { bothLanes, readXml, saxesOnly } from './xml-documents'

/** Pieces that documents are made of: regular ones, rarities and plain mistakes. */
const pieces = [
  '<Group>',
  '</Group>',
  '<Group/>',
  '<group Id="1" Description=\'a "b" &lt;\'/>',
  '<Group Id="1"',
  ' description="x\r\ny\tz"',
  ' Id="2"',
  ' Other="&#65;"',
  ' Other="2"',
  ' xmlns="urn:x"',
  ' x:nil="true"',
  '>',
  '/>',
  ' />',
  '<Id>7</Id>',
  '<ID>8</ID>',
  '<Id/>',
  '<Description />',
  '<Description>a &amp; b &#x41;&#233;</Description>',
  '<CustomerGroupId>ä€😀</CustomerGroupId>',
  '<CustomerGroupId>1 > 0 ]] > ]</CustomerGroupId>',
  '<CustomerGroupId>]]></CustomerGroupId>',
  '<Other>ignored</Other>',
  '<Other lang="en"/>',
  '<Other><Id>1</Id></Other>',
  '<Description>a<!-- > -->b</Description>',
  '<Description><![CDATA[<&]]></Description>',
  '<Description><Id/></Description>',
  '<n:Id xsi:nil="true"/>',
  '<Unknown><Group><Id>1</Id></Group></Unknown>',
  '<!-- a > b < c -->',
  '<?pi > ?>',
  '<![CDATA[ ]]>',
  '&#32;',
  '&nbsp;',
  '&#0;',
  '&#xD800;',
  '&',
  '<',
  '</Id>',
  '<Id>',
  'text',
  '\ufffd',
  '\uffff',
  '\ufffe',
  '\u0001',
  '\0',
  '\n',
  '\r\n',
  '\r',
  ' \t',
  '<!DOCTYPE x>',
  '<__proto__>1</__proto__>',
  '</Document>',
] as const

const regularRecord = fc
  .tuple(
    fc.constantFrom('', '\n', '\r\n  ', '\r'),
    fc.constantFrom('Group', 'GROUP', 'CustCustomerGroupEntity'),
    fc.subarray(['Id', 'DESCRIPTION', 'CustomerGroupId', 'Other'], { minLength: 0 }),
    fc.string({
      unit: fc.constantFrom('a', 'é', '€', '😀', '&amp;', '&#13;', '\n', '\r', '\t', ' ', '"', "'"),
      maxLength: 6,
    }),
    fc.boolean(),
  )
  .map(([blank, name, fields, text, asAttributes]) => {
    const value = asAttributes ? text.replace(/"/g, '') : text
    if (asAttributes) return `${blank}<${name}${fields.map((field) => ` ${field}="${value}"`).join('')}/>`
    return `${blank}<${name}>${fields.map((field) => `${blank}<${field}>${value}</${field}>`).join('')}</${name}>`
  })

const prolog = fc.constantFrom(
  '',
  '\ufeff',
  '<?xml version="1.0" encoding="utf-8"?>\r\n',
  '<?xml version="1.0"?><!-- > -->\n<?a ?>',
  '<!-- <!DOCTYPE a> -->',
  '<!DOCTYPE a>',
  '<?xml version="1.1"?>',
)
const root = fc.constantFrom('<Document>', '<d:Document xmlns:d="u" a="> <">', '<Document\n>', '<Document/>', '<Group>')
const piece = fc.oneof({ weight: 3, arbitrary: regularRecord }, { weight: 1, arbitrary: fc.constantFrom(...pieces) })
const documents = fc
  .tuple(
    prolog,
    root,
    fc.array(piece, { maxLength: 12 }),
    fc.constantFrom('</Document>', '</Document>\n<!-- e -->', ''),
  )
  .map(([before, open, parts, close]) => before + open + parts.join('') + close)
const steps = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(64 * 1024))

/** Both lanes, at two sizes of steps: all of it alike, but that a sentence of an error may show more where more was read. */
async function expectAlike(document: Buffer | string, stepBytes: number): Promise<void> {
  const usual = await readXml(document, { reading: saxesOnly })
  expect(await readXml(document, { reading: bothLanes })).toEqual(usual)
  const stepped = await readXml(document, { reading: { byteLane: false, stepBytes } })
  expect(await readXml(document, { reading: { byteLane: true, stepBytes } })).toEqual(stepped)
  if (usual.error === undefined) expect(stepped).toEqual(usual)
  else expect(stepped.error?.code).toBe(usual.error.code)
}

describe('The two lanes of XML', () => {
  it('read every document alike, however little is read at a time', async () => {
    await fc.assert(
      fc.asyncProperty(documents, steps, async (document, stepBytes) => {
        await expectAlike(document, stepBytes)
      }),
      { numRuns: 1_500 },
    )
  })

  it('read a document alike with any byte changed and with its end cut off anywhere', async () => {
    const document = Buffer.from(
      '<?xml version="1.0"?>\n<Document>\r\n<Group Id="1&amp;"><Description>é &lt;]</Description>\n</Group>' +
        '<Group><!-- c --><Id/></Group><Group><Id>2</Id><Other>x</Other></Group>\n</Document>\n',
    )
    const bytes = fc.constantFrom(...Buffer.from('<>/&;"= \n\0A]!-?\x01'))
    await fc.assert(
      fc.asyncProperty(fc.nat(document.length - 1), bytes, fc.boolean(), steps, async (at, byte, isCut, stepBytes) => {
        const changed = Buffer.from(document)
        changed[at] = byte
        const sent = isCut ? document.subarray(0, at) : changed
        await expectAlike(sent, stepBytes)
      }),
      { numRuns: 800 },
    )
  })

  it('read many blocks alike, with a rarity now and then', async () => {
    const records = Array.from({ length: 20_000 }, (_, n) => {
      const rarity = n % 1_000 === 999 ? '<!-- ä -->' : ''
      return `<Group><Id>${n}</Id>${rarity}<Description>é &amp; ${'x'.repeat(n % 90)}</Description></Group>${n % 3 ? '\n' : ''}`
    })
    const document = `<Document>${records.join('')}</Document>`
    const expected = await readXml(document, { reading: saxesOnly })
    expect(expected.records).toHaveLength(20_000)
    expect(expected.records[19_999]?.line).toBe(records.slice(0, -1).join('').split('\n').length)
    expect(await readXml(document, { reading: bothLanes })).toEqual(expected)
  })
})
