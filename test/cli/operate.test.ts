import { createTestDatabase, type TestDatabase } from '../helpers/postgres'
import { type CliPlace, cliPlace } from './run-cli'

let database: TestDatabase
let cli: CliPlace
let failed: { messageId: string; executionId: string }

beforeAll(async () => {
  database = await createTestDatabase()
  cli = cliPlace({ DATABASE_URL: database.url })
  const companies = cli.file('companies.csv', 'LegalEntityId,Name', 'USMF,Contoso US')
  await cli.run(['import', companies, '--entity', 'Legal entities'])
  const lines = [
    'CustomerGroupId,Description,PaymentTermId',
    '10,"Good, small",',
    '20,No such terms,Net99',
    '30,Neither,Net98',
  ]
  const { code, value } = await cli.json([
    'import',
    cli.file('groups.csv', ...lines),
    '-e',
    'CustomerGroups',
    '-c',
    'usmf',
  ])
  expect(code).toBe(1)
  failed = value
})

afterAll(async () => {
  cli.remove()
  await database.drop()
})

describe('entrepot status', () => {
  it('lists the newest messages first', async () => {
    const { stdout } = await cli.run(['status'])
    const [, newest, older] = stdout.split('\n')
    expect(newest).toMatch(/ProcessedWithErrors +Customer groups +usmf .*groups\.csv/)
    expect(older).toMatch(/Processed +Legal entities/)
  })

  it.each(['messageId', 'executionId'] as const)('shows the account of one message by its %s', async (id) => {
    const { code, stdout } = await cli.run(['status', failed[id]])
    expect(stdout).toContain('3 records read: 1 inserted, 0 updated, 0 unchanged, 2 in error')
    expect(code).toBe(0)
  })

  it('shows why a message was rejected', async () => {
    const file = cli.file('wrong.csv', 'Title', 'x')
    const { value } = await cli.json(['import', file, '-e', 'PaymentTerms', '-c', 'usmf'])
    const { code, stdout } = await cli.run(['status', (value as { messageId: string }).messageId])
    expect(stdout).toContain('PreProcessingError  wrong.csv')
    expect(stdout).toContain('EF102: ')
    expect(code).toBe(0)
  })

  it('says that there is none of this id, and exits with 2', async () => {
    const { code, stderr } = await cli.run(['status', 'nonsense'])
    expect(stderr).toContain("EA108: There is no message or execution 'nonsense'")
    expect(code).toBe(2)
  })
})

describe('a refusal with --json', () => {
  it.each([
    [['status', 'nonsense'], 'EA108'],
    [['errors', 'nonsense'], 'EA108'],
    [['project', 'show', 'nope'], 'EA118'],
    [['entity', 'show', 'Nothing'], 'EA102'],
    [['package', 'inspect', 'nowhere.zip'], 'EA112'],
  ])('is one JSON object as well, of entrepot %j', async (args, error) => {
    const { code, stdout, stderr } = await cli.run([...args, '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: error, innererror: { hint: expect.any(String) } } })
    expect(stderr).toContain(`${error}: `)
    expect(code).toBe(2)
  })
})

describe('entrepot errors', () => {
  it('is named after an import, with the command that takes the corrected file in', async () => {
    const file = cli.file('days.csv', 'Name,NumberOfDays', 'A,ten')
    const { stdout } = await cli.run(['import', file, '-e', 'PaymentTerms', '-c', 'usmf'])
    expect(stdout).toMatch(/entrepot errors \S+ --csv > errors\.csv\n/)
    expect(stdout).toContain("entrepot import errors.csv --entity 'Terms of payment' --company usmf")
  })

  it.each(['messageId', 'executionId'] as const)('shows all errors by the %s', async (id) => {
    const { stdout } = await cli.run(['errors', failed[id]])
    expect(stdout).toMatch(/2 +3 +EP101 +PaymentTermId +Net99/)
    expect(stdout).toMatch(/3 +4 +EP101 +PaymentTermId +Net98/)
  })

  it('prints them as one JSON array', async () => {
    const { value } = await cli.json(['errors', failed.executionId])
    expect(value).toMatchObject([
      { recordNumber: 2, line: 3, code: 'EP101', field: 'PaymentTermId', value: 'Net99' },
      { recordNumber: 3, line: 4, code: 'EP101', field: 'PaymentTermId', value: 'Net98' },
    ])
  })

  it('writes a file of the failed records that can be corrected and imported again', async () => {
    const { stdout } = await cli.run(['errors', failed.executionId, '--csv'])
    expect(stdout.split(/\r?\n/)).toEqual([
      'CustomerGroupId,Description,PaymentTermId',
      '20,No such terms,Net99',
      '30,Neither,Net98',
      '',
    ])
    const corrected = cli.file('corrected.csv', stdout.replaceAll(/Net9\d/g, ''))
    const { code, value } = await cli.json(['import', corrected, '-e', 'CustomerGroups', '-c', 'usmf'])
    expect(value).toMatchObject({ records: { read: 2, inserted: 2, error: 0 } })
    expect(code).toBe(0)
  })
})

describe('entrepot retry', () => {
  it('runs the records in error again, here and now', async () => {
    const terms = cli.file('terms.csv', 'Name', 'Net99')
    await cli.run(['import', terms, '-e', 'PaymentTerms', '-c', 'usmf'])
    const { code, value } = await cli.json(['retry', failed.messageId])
    expect(value).toMatchObject({ executionId: failed.executionId, records: { read: 3, error: 1 } })
    expect(code).toBe(1)
  })

  it('leaves the work to the workers when told not to wait', async () => {
    const { code, stdout } = await cli.run(['retry', failed.executionId, '--no-wait'])
    expect(stdout).toContain(`Execution ${failed.executionId} is due`)
    expect(code).toBe(0)
    const { value } = await cli.json(['status', failed.messageId])
    expect(value).toMatchObject({ finishedAt: null, execution: { finishedAt: null } })
  })

  it('refuses what is under way, and exits with 2', async () => {
    const { code, stderr } = await cli.run(['retry', failed.executionId])
    expect(stderr).toContain('EA110:')
    expect(code).toBe(2)
  })
})

describe('entrepot cancel and skip', () => {
  it('cancels what is under way', async () => {
    const { code } = await cli.run(['cancel', failed.messageId])
    expect(code).toBe(0)
    const { value } = await cli.json(['status', failed.messageId])
    expect(value).toMatchObject({ status: 'Canceled' })
  })

  it('refuses to skip a message that holds up no others', async () => {
    const { code, stderr } = await cli.run(['skip', failed.messageId])
    expect(stderr).toContain('EA110:')
    expect(code).toBe(2)
  })
})

describe('entrepot activity', () => {
  it('adds one, prints its GUID alone, lists it, and turns it off and on', async () => {
    const add = [
      'activity',
      'add',
      'Shop',
      '-e',
      'CustomersV3',
      '--entity',
      'Currencies',
      '--ordered',
      '-c',
      'USMF',
      '-f',
      'csv-comma',
    ]
    const { stdout, code } = await cli.run(add)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^[0-9a-f-]{36}\n$/)
    const id = stdout.trim()
    const listed = async () => (await cli.json(['activity', 'list'])).value as object[]
    const entities = [
      { entity: 'CurrencyEntity', sourceFormat: 'CSV-Comma' },
      { entity: 'CustCustomerV3Entity', sourceFormat: 'CSV-Comma' },
    ]
    expect(await listed()).toMatchObject([
      { id, name: 'Shop', ordered: true, strict: false, enabled: true, company: 'usmf', entities },
    ])
    await cli.run(['activity', 'disable', id])
    expect(await listed()).toMatchObject([{ enabled: false }])
    await cli.run(['activity', 'enable', id])
    expect(await listed()).toMatchObject([{ enabled: true }])
  })

  it('refuses an entity that is not known', async () => {
    const { code, stderr } = await cli.run(['activity', 'add', 'Other', '-e', 'Nothing'])
    expect(stderr).toContain('EA102:')
    expect(code).toBe(2)
  })
})

describe('an execution of several entities', () => {
  let executionId: string
  let stdout: string

  beforeAll(async () => {
    const added = await cli.run(['project', 'add', "Shop's data"])
    expect(added.stdout).toContain("entrepot project set 'Shop'\\''s data' ENTITY")
    for (const entity of ['PaymentTerms', 'CustomerGroups']) await cli.run(['project', 'set', "Shop's data", entity])
    const terms = cli.file('bad-terms.csv', 'Name,NumberOfDays', 'Bad,ten')
    const groups = cli.file('bad-groups.csv', 'CustomerGroupId,PaymentTermId', 'X,Nothing')
    const files = [`PaymentTerms=${terms}`, `CustomerGroups=${groups}`]
    ;({ stdout } = await cli.run(['project', 'run', "Shop's data", ...files, '-c', 'usmf']))
    executionId = / execution ([0-9a-f-]{36})/.exec(stdout)![1]!
  })

  it('names the entity of each error', async () => {
    const errors = await cli.run(['errors', executionId])
    expect(errors.stdout).toMatch(/^Entity +Record/)
    for (const text of [errors.stdout, stdout]) {
      expect(text).toMatch(/^Terms of payment +1 +2 +ER203/m)
      expect(text).toMatch(/^Customer groups +1 +2 +EP101/m)
    }
  })

  it('says how to correct them with commands that a shell takes as they are', () => {
    expect(stdout).toMatch(/entrepot errors \S+ --entity '[^']+' --csv > errors\.csv/)
    expect(stdout).toMatch(/entrepot project run 'Shop'\\''s data' '[^']+=errors\.csv' --company usmf/)
  })

  it('is not imported as one entity', async () => {
    cli.file('pack/Terms of payment.csv', 'Name', 'A')
    cli.file('pack/Customer groups.csv', 'CustomerGroupId', 'A')
    const built = await cli.run(['package', 'build', "Shop's data", 'pack', '--out', 'pack.zip'])
    expect(built.code).toBe(0)
    const { code, stderr } = await cli.run(['import', 'pack.zip', '--entity', 'PaymentTerms'])
    expect(stderr).toContain('EA109: The file pack.zip is a zip file')
    expect(code).toBe(2)
  })
})

describe('options that need or exclude one another', () => {
  it.each([
    ['staged', '--contains', 'A'],
    ['staged', '--field', 'Description'],
    ['promote', '--errors', '--records', '2'],
  ])('are refused: entrepot %s ID %s', async (command, ...options) => {
    const { code, stderr } = await cli.run([command, failed.executionId, ...options])
    expect(stderr).toContain('EA109:')
    expect(code).toBe(2)
  })
})

describe('entrepot number set', () => {
  it('keeps the kind of a sequence unless told otherwise, and needs a format for a new one', async () => {
    const set = async (...options: string[]) => (await cli.json(['number', 'set', 'CG3', ...options])).value as object
    expect(await set()).toMatchObject({ error: { code: 'EA109' } })
    expect(await set('--format', 'A-##', '--gapless')).toMatchObject({ gapless: true })
    expect(await set('--format', 'B-##')).toMatchObject({ format: 'B-##', gapless: true })
    expect(await set('--no-gapless')).toMatchObject({ format: 'B-##', gapless: false })
  })
})
