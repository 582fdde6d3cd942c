import fc from 'fast-check'
import { RequestRefused } from '../../src/errors'
import { delimitedWriter, openDelimited } from '../../src/format/delimited'
import { defaultReadLimits, type RecordShape } from '../../src/format/record-block'
import { type DelimitedFormat, sourceFormats } from '../../src/format/source-format'
import { chunked, comma, type Reading, readAll, valuesOf } from './reading'

const shape: RecordShape = { recordNames: ['Group'], fieldNames: ['Id', 'Name'] }

function read(bytes: Buffer | string, format: DelimitedFormat = comma, ...sizes: number[]): Promise<Reading> {
  return readAll(() => openDelimited(chunked(bytes, ...sizes), format, shape, defaultReadLimits))
}

/** Every dialect inherits the tests below. */
const dialects: readonly [string, DelimitedFormat][] = [
  ['CSV-Comma', sourceFormats['CSV-Comma']],
  ['CSV-Semicolon', sourceFormats['CSV-Semicolon']],
  ['CSV-VerticalBar', sourceFormats['CSV-VerticalBar']],
  ['CSV-Unicode', sourceFormats['CSV-Unicode']],
  ['Tab-delimited', sourceFormats['Tab-delimited']],
  ['apostrophes', { ...comma, qualifier: "'" }],
  ['two characters', { ...comma, delimiter: '||' }],
  ['a sign beyond ASCII', { ...comma, delimiter: '¦' }],
  ['escapes', { ...comma, escape: '\\' }],
  ['comments', { ...comma, comment: '#' }],
  ['rows that end with CRLF only', { ...comma, rowDelimiter: '\r\n' }],
  ['rows that end with LF only', { ...comma, rowDelimiter: '\n' }],
  ['rows that end with a lone CR', { ...comma, rowDelimiter: '\r' }],
  ['rows that end with a semicolon', { ...comma, rowDelimiter: ';' }],
  ['rows that end with two bars', { ...comma, rowDelimiter: '||' }],
  ['rows that end with a sign, with escapes', { ...comma, delimiter: '||', rowDelimiter: '¶\n', escape: '\\' }],
]

describe.each(dialects)('a delimited file: %s', (_, format) => {
  const rowEnd = format.rowDelimiter ?? '\r\n'
  const text = (...lines: string[][]) => lines.map((line) => line.join(format.delimiter)).join(rowEnd)
  const line = (record: number) => (/[\r\n]/.test(rowEnd) ? record + 1 : 1)

  it('is read with trimmed header names', async () => {
    const reading = await read(text([' Id', 'Name '], ['1', ' Größe '], ['2', '']), format)
    expect(reading).toEqual({
      columns: ['Id', 'Name'],
      records: [
        { number: 1, line: line(1), values: ['1', ' Größe '] },
        { number: 2, line: line(2), values: ['2', ''] },
      ],
    })
  })

  it('is read in the fields order without a header', async () => {
    const reading = await read(text(['1', 'x'], ['2', 'y', 'z']), { ...format, hasHeader: false })
    expect(reading.columns).toEqual(['Id', 'Name'])
    expect(valuesOf(reading)).toEqual([['1', 'x'], undefined])
    expect(reading.records[1]?.fault).toMatchObject({
      code: 'ER101',
      reason: 'The record has 3 fields where the entity has 2.',
    })
  })

  it('is read with a byte order mark', async () => {
    const marked = `\uFEFF${text(['Id', 'Name'], ['1', 'é'])}`
    for (const bytes of [
      Buffer.from(marked),
      Buffer.from(marked, 'utf16le'),
      Buffer.from(marked, 'utf16le').swap16(),
    ]) {
      expect(await read(bytes, format, 3)).toMatchObject({ columns: ['Id', 'Name'], records: [{ values: ['1', 'é'] }] })
    }
  })

  it.each(['', rowEnd, '\uFEFF', `\uFEFF${rowEnd}${rowEnd}`])('is refused as empty: %j', async (empty) => {
    expect((await read(empty, format)).error).toMatchObject({ code: 'EF101' })
    expect((await read(empty, { ...format, hasHeader: false })).error).toMatchObject({ code: 'EF101' })
  })

  it('is read back unchanged after it was written', async () => {
    const special = fc.constantFrom(
      '"',
      "'",
      '\r',
      '\n',
      '\r\n',
      ',',
      ';',
      '|',
      '||',
      '¦',
      '¶',
      '\t',
      '\\',
      '#',
      '<',
      'sep=',
      'PK\x03\x04',
      '\uFEFF',
      ' ',
      '\\.',
      '\0',
    )
    const value = fc
      .array(fc.oneof(special, fc.string({ unit: 'grapheme' })), { maxLength: 4 })
      .map((parts) => parts.join(''))
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((width) =>
        fc.array(fc.array(value, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
      )
    await fc.assert(
      fc.asyncProperty(table, fc.boolean(), async (records, hasHeader) => {
        const columns = records[0]!.map((__, index) => `Column ${index}`)
        const writer = delimitedWriter({ ...format, hasHeader }, columns)
        const written = writer.header() + records.map((record) => writer.record(record)).join('') + writer.footer()
        const source = () =>
          openDelimited(
            chunked(written),
            { ...format, hasHeader, encoding: 'utf-8' },
            { ...shape, fieldNames: columns },
            defaultReadLimits,
          )
        const reading = await readAll(source)
        expect(reading.columns).toEqual(columns)
        expect(valuesOf(reading)).toEqual(records)
      }),
      { numRuns: 200 },
    )
  })
})

describe('openDelimited', () => {
  it.each([
    ['sep=;\r\nId;Name\r\n1;a,b', ['1', 'a,b']],
    ['\uFEFFsep=|\nId|Name\n1|x', ['1', 'x']],
    ['SEP=\t\rId\tName\r1\tx', ['1', 'x']],
    ['sep=§\nId§Name\n1§é', ['1', 'é']],
  ])("takes the delimiter from Excel's line: %j", async (text, values) => {
    expect(await read(text, comma, 2)).toEqual({ columns: ['Id', 'Name'], records: [{ number: 1, line: 3, values }] })
  })

  it('refuses a file of nothing but a delimiter line', async () => {
    expect((await read('sep=;')).error).toMatchObject({ code: 'EF101' })
  })

  it.each([
    ['XML', Buffer.from('\r\n <Document/>')],
    ['XML with a mark', Buffer.from('\uFEFF<Document/>')],
    ['XML in UTF-16', Buffer.from('\uFEFF<Document/>', 'utf16le')],
    ['a zip', Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.from([0xff, 0, 0xfe])])],
  ])('refuses %s', async (_, bytes) => {
    expect((await read(bytes)).error).toMatchObject({ code: 'EF110' })
    expect((await read(bytes, comma, 1)).error).toMatchObject({ code: 'EF110' })
  })

  it('names the line of bytes that are not valid, after the records before', async () => {
    const bytes = Buffer.concat([Buffer.from(`Id,Name\n${'1,x\n'.repeat(200_000)}2,`), Buffer.from([0xff])])
    const reading = await read(bytes, comma, 65_536)
    expect(reading.records.length).toBeGreaterThan(0)
    expect(reading.error).toMatchObject({ code: 'EF106', line: 200_002 })
  })

  it('reads a code page', async () => {
    const format = { ...comma, encoding: 'windows-1252' }
    const bytes = Buffer.from('Id,Name\r\n1,Gr\xf6\xdfe \x80\r\n', 'latin1')
    expect(valuesOf(await read(bytes, format))).toEqual([['1', 'Größe €']])
    expect((await read(bytes)).error).toMatchObject({ code: 'EF106', line: 2 })
  })

  it('leaves strange header names to staging', async () => {
    const reading = await read('__proto__,Id,Id,,constructor\n1,2,3,4,5\n')
    expect(reading.columns).toEqual(['__proto__', 'Id', 'Id', '', 'constructor'])
    expect(valuesOf(reading)).toEqual([['1', '2', '3', '4', '5']])
  })

  it('reads a million empty fields', async () => {
    expect((await read(`Id,Name\n${','.repeat(1_000_000)}\n1,x\n`)).records).toMatchObject([
      { fault: { code: 'ER101', reason: 'The record has 1000001 fields where the header has 2.' } },
      { values: ['1', 'x'] },
    ])
  })

  it.each([
    { delimiter: '' },
    { delimiter: '"' },
    { delimiter: '\n' },
    { delimiter: '|"|' },
    { delimiter: "'", qualifier: "'" },
    { qualifier: '""' },
    { escape: '\\\\' },
    { comment: ',' },
    { comment: '\r' },
    { rowDelimiter: '' },
    { rowDelimiter: ',\n' },
    { rowDelimiter: '"' },
    { rowDelimiter: '#\n', comment: '#' },
  ])('refuses a dialect that contradicts itself: %j', async (dialect) => {
    expect((await read('Id,Name\n', { ...comma, ...dialect })).error).toMatchObject({ code: 'EA109' })
  })

  it.each([
    ['a header of another file', '<a/>'],
    ['no header', '\n'],
    ['a header with a wrong quote', 'a"b\n'],
  ])('closes its source after %s', async (_, text) => {
    let isClosed = false
    const source = async function* () {
      try {
        yield Buffer.from(text)
        yield Buffer.from('\n')
      } finally {
        isClosed = true
      }
    }
    await expect(openDelimited(source(), comma, shape, defaultReadLimits)).rejects.toThrow()
    expect(isClosed).toBe(true)
  })
})

describe('a row delimiter of its own', () => {
  it('leaves line ends in fields alone, quoted or not', async () => {
    const text = 'Id,Name\r\n1,a\nb\rc\r\n"2","x\r\ny"\r\n'
    expect(await read(text, { ...comma, rowDelimiter: '\r\n' }, 3)).toEqual({
      columns: ['Id', 'Name'],
      records: [
        { number: 1, line: 2, values: ['1', 'a\nb\rc'] },
        { number: 2, line: 5, values: ['2', 'x\r\ny'] },
      ],
    })
    expect(valuesOf(await read(text, { ...comma, rowDelimiter: '\r\n', qualifier: '' }))).toEqual([
      ['1', 'a\nb\rc'],
      ['"2"', '"x'],
      undefined,
    ])
  })

  it('ends what is wrong with a record as well', async () => {
    const text = 'Id,Name;1,a"b;2;"3"x,y\nz;4,d'
    expect((await read(text, { ...comma, rowDelimiter: ';' }, 2)).records).toEqual([
      { number: 1, line: 1, fault: expect.objectContaining({ code: 'ER103', text: '1,a"b' }) },
      { number: 2, line: 1, fault: expect.objectContaining({ code: 'ER101', text: '2' }) },
      { number: 3, line: 1, fault: expect.objectContaining({ code: 'ER102', text: '"3"x,y\nz' }) },
      { number: 4, line: 2, values: ['4', 'd'] },
    ])
  })

  it('ends comments, and the line that names a delimiter only where that line ends so', async () => {
    const format = { ...comma, rowDelimiter: '\n', comment: '#' }
    expect(await read('sep=;\n# Id;Name\r still a comment\nId;Name\n1;2', format)).toMatchObject({
      columns: ['Id', 'Name'],
      records: [{ line: 5, values: ['1', '2'] }],
    })
    expect((await read('sep=;\r\nx', { ...comma, rowDelimiter: '\n' })).columns).toEqual(['sep=;'])
  })

  it('is not taken for part of a record that is as large as may be', async () => {
    const format = { ...comma, rowDelimiter: '<end>\n' }
    const limits = { maxRecordBytes: 20 }
    const opened = (text: string) => readAll(() => openDelimited(chunked(text, 1), format, shape, limits))
    expect(valuesOf(await opened(`Id,Name<end>\n1,${'x'.repeat(18)}<end>\n`))).toEqual([['1', 'x'.repeat(18)]])
    expect((await opened(`Id,Name<end>\n1,${'x'.repeat(19)}<end>\n`)).error).toMatchObject({ code: 'EF107', line: 2 })
  })
})

describe('delimitedWriter', () => {
  it('writes CRLF, quotes only what needs it, and null as nothing', () => {
    const writer = delimitedWriter(comma, ['Id', 'Na,me'])
    expect(writer.header()).toBe('Id,"Na,me"\r\n')
    expect(writer.record(['1', null])).toBe('1,\r\n')
    expect(writer.record([' a', 'say "hi"\n'])).toBe(' a,"say ""hi""\n"\r\n')
    expect(writer.footer()).toBe('')
  })

  it('writes no header where the format has none', () => {
    expect(delimitedWriter({ ...comma, hasHeader: false }, ['Id']).header()).toBe('')
  })

  it('refuses a value that a format without qualifier cannot hold', () => {
    const writer = delimitedWriter({ ...comma, qualifier: '' }, ['Id', 'Name'])
    expect(writer.record(['"1"', 'x'])).toBe('"1",x\r\n')
    expect(() => writer.record(['1', 'x,y'])).toThrow(RequestRefused)
  })
})
