import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type CliPlace, cliPlace } from './run-cli'

let cli: CliPlace
beforeAll(() => {
  // Nothing listens there: whoever connects although nothing needs it is found out.
  cli = cliPlace({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' })
})
afterAll(() => cli.remove())

describe('the command line', () => {
  it.each([
    ['no command', [], 'Usage: entrepot'],
    ['an unknown command', ['improt'], 'Did you mean import?'],
    ['a missing argument', ['errors'], "missing required argument 'id'"],
    ['an unknown option', ['status', '--colour'], "unknown option '--colour'"],
    ['too many arguments', ['status', 'one', 'two'], 'too many arguments'],
    ['an unknown role', ['work', '--only', 'stage,dig'], "'dig' is none of stage, promote, inbound, sweep"],
    ['a command without its verb', ['activity'], 'Usage: entrepot activity'],
  ])('answers %s with a hint and exit code 2', async (_, args, message) => {
    const { code, stdout, stderr } = await cli.run(args)
    expect(stderr).toContain(message)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  it('prints help with examples, and its version', async () => {
    const help = await cli.run(['--help'])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toContain('Examples:')
    const { version } = JSON.parse(readFileSync(path.join(__dirname, '../../package.json'), 'utf8'))
    expect(await cli.run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('says that the database is away, without a stack, and exits with 3', async () => {
    const { code, stderr } = await cli.run(['status'])
    expect(stderr).toMatch(/^ES102: .*\n {2}Check DATABASE_URL/)
    expect(code).toBe(3)
  })

  it.each(['serve', 'work', 'migrate'])('exits with 1 when %s cannot start', async (command) => {
    const { code, stderr } = await cli.run([command])
    expect(stderr).toContain('ES102: ')
    expect(code).toBe(1)
  })

  it('lists all wrong settings at once', async () => {
    const wrong = cliPlace({ PORT: 'many', LEASE_SECONDS: '-1' })
    const { code, stderr } = await wrong.run(['status'])
    wrong.remove()
    expect(stderr).toContain('PORT is')
    expect(stderr).toContain('LEASE_SECONDS is')
    expect(code).toBe(3)
  })
})
