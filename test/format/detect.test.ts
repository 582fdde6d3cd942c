import { detectFormat } from '../../src/format/detect'
import { openRecords, recordWriter, sourceFormatNamed, sourceFormats } from '../../src/format/registry'
import { chunked, readAll, valuesOf } from './reading'

describe('detectFormat', () => {
  it.each([
    ['Id,Name\n1,x', 'CSV-Comma'],
    ['Id;Name;Amount\n1;x;1,50\n2;y;2,50\n', 'CSV-Semicolon'],
    ['Id;Amount\n1;1,50\n2;2,50\n', 'CSV-Semicolon'],
    ['Id\tName\n1\ta,b;c|d\n', 'Tab-delimited'],
    ['Id|Name\n1|a,b\n', 'CSV-VerticalBar'],
    ['"Id;x;y","Name"\n1,2\n', 'CSV-Comma'],
    ['Id;"Name, first\nand, last";Group\n1;2;3\n', 'CSV-Semicolon'],
    ['Id', 'CSV-Comma'],
    ['', 'CSV-Comma'],
    ['sep=;\nId,Name\n', 'CSV-Semicolon'],
    ['\uFEFFId;Name\n1;2', 'CSV-Semicolon'],
    ['Id,Name,Note\n1,x,"cut within; quotes; ;', 'CSV-Comma'],
    ['<?xml version="1.0"?><Document/>', 'XML-Element'],
    ['\uFEFF \r\n<Document/>', 'XML-Element'],
  ])('finds in %j: %s', (text, name) => {
    expect(detectFormat(Buffer.from(text))).toEqual({ name, format: sourceFormats[name as keyof typeof sourceFormats] })
  })

  it('finds the format of UTF-16 with and without a mark', () => {
    const utf16 = (text: string) => Buffer.from(text, 'utf16le')
    expect(detectFormat(utf16('\uFEFFId,Name\n'))).toMatchObject({ name: 'CSV-Unicode' })
    expect(detectFormat(utf16('Id,Name\n'))).toMatchObject({ name: 'CSV-Unicode', format: { encoding: 'utf-16le' } })
    expect(detectFormat(utf16('Id\tName\n'))).toMatchObject({ name: 'Tab-delimited', format: { encoding: 'utf-16le' } })
    expect(detectFormat(utf16('Id;Name\n').swap16())).toMatchObject({
      format: { encoding: 'utf-16be', delimiter: ';' },
    })
    expect(detectFormat(utf16('<Document/>'))).toMatchObject({ name: 'XML-Element' })
  })

  it('asks the file name where the bytes say nothing', () => {
    expect(detectFormat(Buffer.from('Id'), 'groups.TSV').name).toBe('Tab-delimited')
    expect(detectFormat(Buffer.from('Id,Name'), 'groups.tsv').name).toBe('CSV-Comma')
    expect(detectFormat(Buffer.alloc(0), 'groups.xml').name).toBe('XML-Element')
  })

  it('refuses a zip file', () => {
    expect(() => detectFormat(Buffer.from('PK\x03\x04...'))).toThrow(expect.objectContaining({ code: 'EF110' }))
  })
})

describe('the registry of formats', () => {
  it.each(Object.entries(sourceFormats))('reads back what it writes: %s', async (_, format) => {
    const writer = recordWriter(format, 'Group', ['Id', 'Name'])
    const text = writer.header() + writer.record(['1', 'a,b;c|d "é"\n']) + writer.record(['2', 'x']) + writer.footer()
    const shape = { recordNames: ['Group'], fieldNames: ['Id', 'Name'] }
    const reading = await readAll(() => openRecords(chunked(text), format, shape))
    expect(valuesOf(reading)).toEqual([
      ['1', 'a,b;c|d "é"\n'],
      ['2', 'x'],
    ])
  })

  it('finds a format by its name, in any case', () => {
    expect(sourceFormatNamed(' csv-comma')).toEqual({ name: 'CSV-Comma', format: sourceFormats['CSV-Comma'] })
  })

  it('names the known formats when asked for another', () => {
    expect(() => sourceFormatNamed('Word')).toThrow(
      expect.objectContaining({
        code: 'EA115',
        status: 400,
        message: `The source data format 'Word' is not known. Known are ${Object.keys(sourceFormats).join(', ')}.`,
      }),
    )
  })

  it.each(['EXCEL', 'xlsx'])('says of %s that workbooks are not read', (name) => {
    const message = `The source data format '${name}' is not taken: Excel workbooks are not read. Save the sheet as CSV and send that.`
    expect(() => sourceFormatNamed(name)).toThrow(expect.objectContaining({ code: 'EA115', message }))
  })
})
