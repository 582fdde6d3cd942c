import fc from 'fast-check'
import { EntrepotError } from '../../src/errors'
import type { DocumentShape, SourceDocument } from '../../src/format/document'
import { openDocuments } from '../../src/format/xml-composite'
import { chunked } from './reading'

/** Three levels, and two members on the second. */
const shape: DocumentShape = {
  members: [
    { recordNames: ['OrderEntity', 'Order'], fieldNames: ['Number', 'Name'], parent: -1 },
    { recordNames: ['LineEntity', 'Line'], fieldNames: ['Number', 'Item'], parent: 0 },
    { recordNames: ['BatchEntity', 'Batch'], fieldNames: ['Name'], parent: 1 },
    { recordNames: ['NoteEntity', 'Note'], fieldNames: ['Text'], parent: 0 },
  ],
}

interface Read {
  readonly documents: SourceDocument[]
  readonly unknown: string[]
  readonly error?: { code: string; message: string; line?: number | undefined }
}

async function read(text: string | Buffer, { chunk = 64 * 1024, maxRecordBytes = 1_000_000 } = {}): Promise<Read> {
  const source = openDocuments(chunked(text, chunk), {}, shape, { maxRecordBytes })
  const documents: SourceDocument[] = []
  try {
    for await (const document of source.documents) documents.push(document)
  } catch (error) {
    if (!(error instanceof EntrepotError)) throw error
    const { code, message, place } = error
    return { documents, unknown: [...source.unknownNames], error: { code, message, line: place.line } }
  }
  return { documents, unknown: [...source.unknownNames] }
}

/** Records as [member, parent, values]. */
const recordsOf = ({ documents }: Read) =>
  documents.map(({ records }) => records.map(({ member, parent, values }) => [member, parent, values]))

const order = `<Document>
  <OrderEntity><Number>S-1</Number>
    <LineEntity><Number>1</Number><Item>A</Item></LineEntity>
    <LineEntity><Number>2</Number>
      <BatchEntity><Name>b1</Name></BatchEntity>
      <Item>B</Item>
      <BatchEntity/>
    </LineEntity>
    <Name>first</Name>
    <NoteEntity Text="n"/>
  </OrderEntity>
  <OrderEntity Number="S-2"/>
</Document>`

const orderRecords = [
  [
    [0, -1, ['S-1', 'first']],
    [1, 0, ['1', 'A']],
    [1, 0, ['2', 'B']],
    [2, 2, ['b1']],
    [2, 2, [undefined]],
    [3, 0, ['n']],
  ],
  [[0, -1, ['S-2', undefined]]],
]

describe('documents of XML', () => {
  it('have their records in document order, with their parents, several levels deep', async () => {
    const result = await read(order)
    expect(recordsOf(result)).toEqual(orderRecords)
    expect(result.documents[0]!.records.map(({ line }) => line)).toEqual([2, 3, 4, 5, 7, 10])
    expect(result).toMatchObject({ unknown: [] })
    expect(result.error).toBeUndefined()
  })

  it.each([
    ['upper', order.toUpperCase().replace('VERSION', 'version')],
    ['lower', order.toLowerCase()],
  ])('are found whose names are in %s case', async (_case, text) => {
    const shapes = recordsOf(await read(text)).map((records) => records.map(([member, parent]) => [member, parent]))
    expect(shapes).toEqual(orderRecords.map((records) => records.map(([member, parent]) => [member, parent])))
  })

  it('are found by the short names of their records and under prefixes', async () => {
    const text = '<d:D xmlns:d="urn:d"><d:Order d:Number="1"><d:Line><d:Item>A</d:Item></d:Line></d:Order></d:D>'
    expect(recordsOf(await read(text))).toEqual([
      [
        [0, -1, ['1', undefined]],
        [1, 0, [undefined, 'A']],
      ],
    ])
  })

  it('take references, CDATA, empty elements and xsi:nil as flat files do', async () => {
    const fields = '<Name>a&lt;<![CDATA[<b>]]>&#65;<!-- c --></Name><Number xsi:nil="true"/>'
    expect(recordsOf(await read(`<D><Order>${fields}</Order></D>`))).toEqual([[[0, -1, ['', 'a<<b>A']]]])
  })

  it('leave out names that they do not know, and say so', async () => {
    const text =
      '<D>note<Header><Order><Number>0</Number></Order></Header><Order Colour="red"><Number lang="en">1</Number>' +
      '<Lines><Number>9</Number></Lines><Line><Size>2</Size></Line></Order></D>'
    const result = await read(text)
    expect(recordsOf(result)).toEqual([
      [
        [0, -1, ['1', undefined]],
        [1, 0, [undefined, undefined]],
      ],
    ])
    expect(result.unknown).toEqual(['#text', 'Header', 'Colour', 'Number/@lang', 'Lines', 'Size'])
  })

  it.each([
    ['ER105', '<Order><Number>1</Number><Number>2</Number></Order>', /Number/, 'Number'],
    ['ER105', '<Order><Line Item="a"><Item>b</Item></Line></Order>', /Item/, 'Item'],
    ['ER106', '<Order><Number>1<b/></Number></Order>', /b/, 'Number'],
    ['ER106', '<Order><Number><Line/></Number></Order>', /Line/, 'Number'],
    ['ER107', '<Order>loose<Line/></Order>', /loose/, undefined],
    ['ER107', '<Order><Line>loose<Item>1</Item></Line></Order>', /loose/, undefined],
    ['ER108', '<Order><Batch/></Order>', /Batch stands in Order instead of in LineEntity/, undefined],
    ['ER108', '<Order><Order/></Order>', /Order stands in Order instead of below the root element/, undefined],
    ['ER108', '<Order><Lines><Line/></Lines></Order>', /Line stands in Lines instead of in OrderEntity/, undefined],
    ['ER108', '<Line><Item>1</Item></Line>', /Line stands by itself instead of in OrderEntity/, undefined],
  ])(
    'with a fault (%s: %s) are kept whole as text, and their neighbours are read',
    async (code, text, reason, column) => {
      const result = await read(`<D>\n<Order Number="0"/>\n${text}<Order Number="2"/></D>`)
      expect(recordsOf(result)).toEqual([[[0, -1, ['0', undefined]]], [], [[0, -1, ['2', undefined]]]])
      const { fault, line } = result.documents[1]!
      expect(fault).toMatchObject({ code, text, reason: expect.stringMatching(reason) })
      expect([fault!.column, line]).toEqual([column, 3])
    },
  )

  it.each([
    ['EF101', '', undefined],
    ['EF101', ' \n ', undefined],
    ['EF110', 'Number,Name\n1,2\n', 1],
    ['EF201', '<D>\n<Order></Line></D>', 2],
    ['EF201', '<D>\n<Order>', 2],
    ['EF202', '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n<D><Order>&e;</Order></D>', 1],
    ['EF203', `<D><Order>${'<a>'.repeat(100)}${'</a>'.repeat(100)}</Order></D>`, 1],
    ['EF203', `<D><Order ${'a'.repeat(300)}="1"/></D>`, 1],
    ['EF204', '<D>\n<Vendor/></D>', undefined],
  ])('are refused with %s for %s', async (code, text, line) => {
    const { error } = await read(text)
    expect(error).toMatchObject({ code })
    expect(error!.line).toBe(line)
  })

  it('are refused when one is larger than the limit (EF107), with its line', async () => {
    const large = `<Order>${'<Line Item="1"/>'.repeat(20)}</Order>`
    for (const chunk of [7, 64, 100_000]) {
      const result = await read(`<D>\n<Order/>\n${large}</D>`, { chunk, maxRecordBytes: 200 })
      expect([chunk, result.error?.code, result.error?.line]).toEqual([chunk, 'EF107', 3])
    }
    const fits = await read(`<D>${large.repeat(5)}</D>`, { chunk: 50, maxRecordBytes: large.length })
    expect(fits.documents).toHaveLength(5)
  })

  it('are refused when a comment outside of them does not end (EF107)', async () => {
    const { error } = await read(`<D><Order/><!--${' < '.repeat(500)}`, { chunk: 50, maxRecordBytes: 200 })
    expect(error).toMatchObject({ code: 'EF107' })
  })

  it('are the same wherever the file is cut into pieces, lines and faults too', async () => {
    const text = `<?xml version="1.0"?>\r\n${order.replaceAll('\n', '\r\n').replace('</Document>', '<Order>é😀<Line\r\n/></Order><Line/></Document>')}`
    const whole = await read(text)
    expect(whole.documents).toHaveLength(4)
    for (let chunk = 1; chunk < Buffer.byteLength(text); chunk++) {
      expect([chunk, await read(text, { chunk })]).toEqual([chunk, whole])
    }
  })

  it('are read from other encodings', async () => {
    const text = '<?xml version="1.0" encoding="utf-16"?><D><Order Name="é😀"/></D>'
    const bytes = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])
    expect(recordsOf(await read(bytes, { chunk: 3 }))).toEqual([[[0, -1, [undefined, 'é😀']]]])
  })
})

/** A tree as a person would read it from the file. */
interface Tree {
  readonly member: number
  readonly fields: readonly { readonly name: number; readonly value: string; readonly isAttribute: boolean }[]
  readonly children: readonly Tree[]
  readonly upper: boolean
  readonly between: string
}

const between = fc.constantFrom('', ' ', '\r\n', '<!-- <Line> -->', '<Unknown><Number>7</Number></Unknown>')
const value = fc.string({ unit: fc.constantFrom('a', ' ', '<', '&', '"', 'é', '😀', ']', '>'), maxLength: 6 })

function treeOf(member: number): fc.Arbitrary<Tree> {
  const { fieldNames } = shape.members[member]!
  const below = shape.members.flatMap(({ parent }, index) => (parent === member ? [index] : []))
  const field = fc.record({ name: fc.nat(fieldNames.length - 1), value, isAttribute: fc.boolean() })
  return fc.record({
    member: fc.constant(member),
    fields: fc.uniqueArray(field, { selector: ({ name }) => name, maxLength: fieldNames.length }),
    children: below.length === 0 ? fc.constant([]) : fc.array(fc.oneof(...below.map(treeOf)), { maxLength: 4 }),
    upper: fc.boolean(),
    between,
  })
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

function written(tree: Tree): string {
  const { fieldNames, recordNames } = shape.members[tree.member]!
  const spelt = (name: string) => (tree.upper ? name.toUpperCase() : name)
  const name = spelt(recordNames[tree.upper ? 0 : 1]!)
  const attributes = tree.fields.filter(({ isAttribute }) => isAttribute)
  const elements = tree.fields.filter(({ isAttribute }) => !isAttribute)
  const start = attributes.map((field) => ` ${spelt(fieldNames[field.name]!)}="${escaped(field.value)}"`).join('')
  const inner = [
    ...elements.map(
      (field) => `<${spelt(fieldNames[field.name]!)}>${escaped(field.value)}</${spelt(fieldNames[field.name]!)}>`,
    ),
    ...tree.children.map(written),
  ]
  return `<${name}${start}>${inner.join(tree.between)}</${name}>`
}

function expected(tree: Tree, parent: number, records: unknown[][]): unknown[][] {
  const values = shape.members[tree.member]!.fieldNames.map(
    (_, index) => tree.fields.find(({ name }) => name === index)?.value,
  )
  const own = records.push([tree.member, parent, values]) - 1
  for (const child of tree.children) expected(child, own, records)
  return records
}

it('reads any tree of records as it was written, cut anywhere', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(treeOf(0), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 40 }),
      async (trees, chunk) => {
        const result = await read(`<Document>${trees.map(written).join('\n')}</Document>`, { chunk })
        expect(result.error).toBeUndefined()
        expect(recordsOf(result)).toEqual(trees.map((tree) => expected(tree, -1, [])))
      },
    ),
    { numRuns: 300 },
  )
})
