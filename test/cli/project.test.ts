import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createTestDatabase, type TestDatabase } from '../helpers/postgres'
import { type CliPlace, cliPlace } from './run-cli'

let database: TestDatabase
let cli: CliPlace

beforeAll(async () => {
  database = await createTestDatabase()
  cli = cliPlace({ DATABASE_URL: database.url })
  await cli.run(['import', cli.file('companies.csv', 'LegalEntityId,Name', 'USMF,Contoso US'), '-e', 'Legal entities'])
  await cli.run(['project', 'add', 'P'])
  for (const entity of ['Terms of payment', 'Customer groups']) await cli.run(['project', 'set', 'P', entity])
})

afterAll(async () => {
  cli.remove()
  await database.drop()
})

describe('entrepot project run', () => {
  const both = ['Name,Description,CustomerGroupId', 'A,first,A']
  const run = (...files: string[]) => cli.json(['project', 'run', 'P', ...files, '-c', 'usmf'])
  const paths = (terms: string, groups: string) => [`Terms of payment=${terms}`, `Customer groups=${groups}`]
  const inserted = { code: 0, value: { state: 'Processed', records: { error: 0 } } }

  it('takes one file for two entities, and two files of one name', async () => {
    const file = cli.file('both.csv', ...both)
    expect(await run(...paths(file, file))).toMatchObject(inserted)
    const other = cli.file('folder/both.csv', 'Name,Description,CustomerGroupId', 'B,second,B')
    expect(await run(...paths(file, other))).toMatchObject(inserted)
  })

  it.each(['CON.csv', 'a:b.csv', 'back\\slash.csv', 'Manifest.xml'])('takes a file that is named %s', async (name) => {
    const isXml = name.endsWith('.xml')
    const file = isXml
      ? cli.file(name, '<Document><PAYMENTTERMENTITY><NAME>X</NAME></PAYMENTTERMENTITY></Document>')
      : cli.file(name, ...both)
    expect(await run(`Terms of payment=${file}`)).toMatchObject(inserted)
  })

  it('refuses an entity that is given twice, whether the files differ or not (EF317)', async () => {
    const file = cli.file('both.csv', ...both)
    for (const other of [file, cli.file('others.csv', ...both)]) {
      const given = [`Terms of payment=${file}`, `PaymentTerms=${other}`]
      const { code, stderr } = await cli.run(['project', 'run', 'P', ...given])
      expect(stderr).toContain('EF317: The entity PaymentTermEntity is given two files where one may be')
      expect(code).toBe(2)
    }
  })

  it('refuses a folder in place of a file (EA112)', async () => {
    mkdirSync(path.join(cli.folder, 'some.csv'))
    const { code, stderr } = await cli.run(['project', 'run', 'P', 'Terms of payment=some.csv'])
    expect(stderr).toContain('EA112: The file some.csv cannot be read: it is a folder, not a file')
    mkdirSync(path.join(cli.folder, 'some.zip'))
    const zip = await cli.run(['project', 'run', 'P', 'some.zip'])
    expect(zip.stderr).toContain('EA112: The file some.zip cannot be read: it is a folder, not a file')
    expect([code, zip.code]).toEqual([2, 2])
  })
})

describe('entrepot package build', () => {
  it('gives the files of a folder names that a package can have', async () => {
    await cli.run(['project', 'set', 'P', 'Terms of payment', '--file', 'CON.csv'])
    await cli.run(['project', 'set', 'P', 'Customer groups', '--file', 'CON.csv'])
    cli.file('in/CON.csv', 'Name,CustomerGroupId', 'A,A')
    const { code, value } = await cli.json(['package', 'build', 'P', 'in', '--out', 'p.zip'])
    expect([code, value]).toMatchObject([0, { entities: [{ file: 'CON_.csv' }, { file: 'CON_-2.csv' }] }])
    expect((await cli.run(['package', 'inspect', 'p.zip'])).code).toBe(0)
  })
})

describe('entrepot project map', () => {
  it.each([
    [[{ field: 'Name' }, 5, null], 'item 2 is 5, not an object'],
    [['Name'], "item 1 is 'Name'"],
    [[{ source: 'x' }], 'item 1 has no field'],
    [[{ field: 'Name', source: 7 }], 'item 1'],
    [[{ field: 'Name', source: 'Name', conversions: [{ from: 'a' }] }], 'item 1'],
  ])('refuses the definition %j, and says which item is wrong', async (definition, said) => {
    writeFileSync(path.join(cli.folder, 'd.json'), JSON.stringify(definition))
    const { code, stderr } = await cli.run(['project', 'map', 'P', 'Terms of payment', '--definition', 'd.json'])
    expect(stderr).toContain('EA109')
    expect(stderr).toContain(said)
    expect(code).toBe(2)
  })
})
