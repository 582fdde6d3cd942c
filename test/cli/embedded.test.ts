import { existsSync } from 'node:fs'
import path from 'node:path'
import { type CliPlace, cliPlace } from './run-cli'

let cli: CliPlace
beforeAll(() => {
  cli = cliPlace({})
})
afterAll(() => cli.remove())

describe('a machine where nothing is configured', () => {
  it('starts the embedded Postgres, keeps its data, and stops it again', async () => {
    const file = cli.file('companies.csv', 'LegalEntityId,Name', 'USMF,Contoso US')
    const first = await cli.json(['import', file, '-e', 'Legal entities'])
    expect(first).toMatchObject({ code: 0, value: { records: { inserted: 1 } } })
    expect(existsSync(path.join(cli.folder, '.entrepot', 'postgres.json'))).toBe(true)
    const second = await cli.json(['import', file, '-e', 'Legal entities'])
    expect(second).toMatchObject({ code: 0, value: { records: { inserted: 0, unchanged: 1 } } })
    expect(existsSync(path.join(cli.folder, '.entrepot', 'postgres', 'postmaster.pid'))).toBe(false)
  })

  it('says what migrating changed, which is nothing the second time', async () => {
    const { code, stdout } = await cli.run(['migrate'])
    expect(stdout).toBe('The database is up to date\n')
    expect(code).toBe(0)
  })
})
