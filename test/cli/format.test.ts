import { createTestDatabase } from '../helpers/postgres'
import { type CliPlace, cliPlace } from './run-cli'

let cli: CliPlace
let drop: () => Promise<void>
beforeAll(async () => {
  const database = await createTestDatabase()
  drop = database.drop
  cli = cliPlace({ DATABASE_URL: database.url })
})
afterAll(async () => {
  cli.remove()
  await drop()
})

describe('entrepot format', () => {
  const german = ['--delimiter', ';', '--decimal', ',', '--group', '.', '--date', 'dd.MM.yyyy']

  it('adds a format from options, shows it and imports by it', async () => {
    const { code, stdout } = await cli.run(['format', 'set', 'German', ...german])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^German {2}own\n/)
    expect(stdout).toMatch(/dateFormat +"dd\.MM\.yyyy"/)
    expect((await cli.json(['format', 'show', 'german'])).value).toEqual({
      name: 'German',
      isBuiltIn: false,
      definition: {
        kind: 'delimited',
        delimiter: ';',
        qualifier: '"',
        hasHeader: true,
        decimalSeparator: ',',
        groupSeparator: '.',
        dateFormat: 'dd.MM.yyyy',
      },
    })
    const file = cli.file('currencies.csv', 'CurrencyCode;Name', 'EUR;Euro', 'USD;US dollar')
    await cli.run(['import', file, '-e', 'Currencies', '-f', 'german'])
    const head = 'RateTypeName;FromCurrency;ToCurrency;StartDate;Rate'
    const rates = cli.file('rates.csv', head, 'Default;EUR;USD;31.01.2026;1.234,5', 'Default;EUR;USD;2026-02-01;1,5')
    const result = await cli.json(['import', rates, '-e', 'Exchange rates', '-f', 'German'])
    expect(result).toMatchObject({ code: 1, value: { records: { read: 2, inserted: 1, error: 1 } } })
  })

  it('takes all options, signs with backslashes too', async () => {
    const { value } = await cli.json([
      ...[
        'format',
        'set',
        'Rows',
        '--delimiter',
        '\\t',
        '--row-delimiter',
        '|\\r\\n',
        '--qualifier',
        '',
        '--no-header',
      ],
      ...['--encoding', '1252', '--date-time', 'M/d/yyyy h:mm tt', '--time-zone', 'America/New_York', '--comment', '#'],
    ])
    expect(value).toMatchObject({
      definition: {
        delimiter: '\t',
        rowDelimiter: '|\r\n',
        qualifier: '',
        hasHeader: false,
        encoding: '1252',
        dateTimeFormat: 'M/d/yyyy h:mm tt',
        timeZone: 'America/New_York',
        comment: '#',
      },
    })
  })

  it('takes a definition as JSON, and XML', async () => {
    const json = await cli.json(['format', 'set', 'Json', '--definition', '{"kind":"xml","root":"Daten"}'])
    expect(json.value).toMatchObject({ definition: { kind: 'xml', style: 'element', root: 'Daten' } })
    const xml = await cli.json(['format', 'set', 'Xml', '--xml', '--style', 'attribute', '--decimal', ','])
    expect(xml.value).toMatchObject({ definition: { kind: 'xml', style: 'attribute', decimalSeparator: ',' } })
  })

  it('lists the built-in ones and those that were added, and removes the latter', async () => {
    await cli.run(['format', 'set', 'Short', '--delimiter', ':'])
    const { stdout } = await cli.run(['format', 'list'])
    expect(stdout).toMatch(/^CSV-Comma +built in +hasHeader true, delimiter ",", qualifier /m)
    expect(stdout).toMatch(/^Short +own +hasHeader true, delimiter ":", qualifier /m)
    expect((await cli.run(['format', 'remove', 'short'])).code).toBe(0)
    const { value } = await cli.json(['format', 'list'])
    expect((value as { name: string }[]).map(({ name }) => name)).not.toContain('Short')
  })

  it.each([
    ['a name nobody knows', ['show', 'Germen'], "EA115: The source data format 'Germen' is not known"],
    ['a workbook', ['show', 'EXCEL'], 'Excel workbooks are not read'],
    ['a built-in one', ['remove', 'CSV-Comma'], 'EA110: '],
    ['a wrong definition', ['set', 'X', '--delimiter', ';', '--date', 'dd.MM.yy'], 'yy is not known'],
    ['what is no JSON', ['set', 'X', '--definition', '{'], 'EA109: The definition is no JSON object: {'],
  ])('refuses %s with what to do, and exits with 2', async (_, args, message) => {
    const { code, stdout, stderr } = await cli.run(['format', ...args])
    expect(stderr).toContain(message)
    expect([code, stdout]).toEqual([2, ''])
  })
})
