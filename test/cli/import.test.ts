import { createTestDatabase, type TestDatabase } from '../helpers/postgres'
import { type CliPlace, cliPlace } from './run-cli'

let database: TestDatabase
let cli: CliPlace

beforeAll(async () => {
  database = await createTestDatabase()
  cli = cliPlace({ DATABASE_URL: database.url })
  const companies = cli.file('companies.csv', 'LegalEntityId,Name', 'USMF,Contoso US', 'DEMF,Contoso DE')
  expect(await cli.run(['import', companies, '--entity', 'Legal entities'])).toMatchObject({ code: 0 })
})

afterAll(async () => {
  cli.remove()
  await database.drop()
})

const guid = expect.stringMatching(/^[0-9a-f-]{36}$/)
const terms = ['import', 'terms.csv', '--entity', 'PaymentTerms', '--company', 'usmf']

describe('entrepot import', () => {
  it('imports a good file, says so, and exits with 0', async () => {
    const file = cli.file('good.csv', 'Name,NumberOfDays', 'Good1,1', 'Good2,2')
    const { code, stdout, stderr } = await cli.run(['import', file, '-e', 'Terms of payment', '-c', 'USMF'])
    expect(stdout).toContain('Processed  good.csv → Terms of payment of usmf')
    expect(stdout).toContain('2 records read: 2 inserted, 0 updated, 0 unchanged, 0 in error')
    expect(stderr).not.toContain('"level"')
    expect(code).toBe(0)
  })

  it('shows the bad records with place, reason and what to do, and exits with 1', async () => {
    cli.file('terms.csv', 'Name,NumberOfDays', 'Net30,30', 'Net10,ten', 'Net45,45')
    const { code, stdout } = await cli.run(terms)
    expect(stdout).toContain('ProcessedWithErrors  terms.csv')
    expect(stdout).toContain('3 records read: 2 inserted, 0 updated, 0 unchanged, 1 in error')
    expect(stdout).toMatch(/2 +3 +ER203 +NumberOfDays +ten +NumberOfDays 'ten' is no whole number/)
    expect(stdout).toContain('ER203  Write digits with an optional minus sign.')
    expect(code).toBe(1)
  })

  it('prints one JSON object with the account of the records and the seconds', async () => {
    cli.file('terms.csv', 'Name,NumberOfDays', 'Net60,60', 'Net60,61', 'Net90,x')
    const { code, value } = await cli.json(terms)
    expect(value).toEqual({
      messageId: guid,
      executionId: guid,
      state: 'ProcessedWithErrors',
      records: { read: 3, inserted: 1, updated: 0, unchanged: 0, superseded: 1, error: 1 },
      seconds: { receive: expect.any(Number), stage: expect.any(Number), promote: expect.any(Number) },
      entities: [
        {
          entity: 'PaymentTermEntity',
          file: null,
          stagingStatus: 'Finished',
          targetStatus: 'Error',
          records: { read: 3, inserted: 1, updated: 0, unchanged: 0, superseded: 1, error: 1 },
        },
      ],
    })
    expect(code).toBe(1)
  })

  it('counts what the same file changes the second time', async () => {
    cli.file('terms.csv', 'Name,NumberOfDays', 'Same,1', 'Other,2')
    await cli.run(terms)
    cli.file('terms.csv', 'Name,NumberOfDays', 'Same,1', 'Other,3')
    const { value } = await cli.json(terms)
    expect(value).toMatchObject({ records: { read: 2, inserted: 0, updated: 1, unchanged: 1 } })
  })

  it('reads standard input, and a format that is named', async () => {
    const args = ['import', '-', '-e', 'PaymentTerms', '-c', 'usmf', '--format', 'tab-delimited', '--json']
    const { code, stdout } = await cli.run(args, 'Name\tDescription\nStdin\ta,b\n')
    expect(JSON.parse(stdout)).toMatchObject({ state: 'Processed', records: { inserted: 1 } })
    expect(code).toBe(0)
  })

  it('says why a file can never pass, and exits with 2', async () => {
    cli.file('terms.csv', 'Title,NumberOfDays', 'Net30,30')
    const { code, stdout, stderr } = await cli.run(terms)
    expect(stdout).toBe('')
    expect(stderr).toContain('EF104: The file has no column for the key of Terms of payment: Name')
    expect(stderr).toContain('at line 1')
    expect(stderr).toContain('Add the column')
    expect(code).toBe(2)
  })

  it('puts the reason of a rejection into the JSON', async () => {
    cli.file('terms.csv', 'Name,NumberOfDays', '"Net30,30')
    const { code, value } = await cli.json(terms)
    expect(value).toMatchObject({
      state: 'PreProcessingError',
      records: { read: 0, error: 0 },
      error: { code: 'EF105', message: expect.any(String), innererror: { hint: expect.any(String) } },
    })
    expect(code).toBe(2)
  })

  it.each([
    [
      'a file that is not there',
      ['nowhere.csv', '-e', 'PaymentTerms'],
      'EA112: The file nowhere.csv cannot be read: there is no such',
    ],
    ['a folder', ['.', '-e', 'PaymentTerms'], 'EA112: The file . cannot be read: it is a folder, not a file'],
    [
      'an unknown entity',
      ['terms.csv', '-e', 'PaymentTrms'],
      "EA102: There is no entity 'PaymentTrms'; did you mean 'Terms of payment'?",
    ],
    [
      'an unknown format',
      ['terms.csv', '-e', 'PaymentTerms', '-f', 'CVS'],
      "EA115: The source data format 'CVS' is not known",
    ],
  ])('refuses %s with what to do, without a stack, and exits with 2', async (_, args, message) => {
    cli.file('terms.csv', 'Name', 'Net30')
    const { code, stdout, stderr } = await cli.run(['import', ...args])
    expect(stderr).toContain(message)
    expect(stderr).toMatch(/\n {2}\S/)
    expect(stderr).not.toMatch(/^ +at .*:\d+:\d+/m)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  it('prints one JSON object for a refusal as well', async () => {
    const { code, value } = await cli.json(['import', 'nowhere.csv', '-e', 'PaymentTerms'])
    expect(value).toMatchObject({ messageId: null, state: null, records: { read: 0 }, error: { code: 'EA112' } })
    expect(code).toBe(2)
  })
})
