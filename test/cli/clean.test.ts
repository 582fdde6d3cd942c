import { type Database, openDatabase } from '../../src/platform/database'
import { createTestDatabase, type TestDatabase } from '../helpers/postgres'
import { type CliPlace, cliPlace } from './run-cli'

let database: TestDatabase
let db: Database
let cli: CliPlace

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase({ url: database.url, poolSize: 1, applicationName: 'test' })
  cli = cliPlace({ DATABASE_URL: database.url })
})
afterAll(async () => {
  cli.remove()
  await db.close()
  await database.drop()
})

/** Imports a company in a file of 40 bytes, whose message ended so many days ago. */
async function imported(id: string, days: number): Promise<{ messageId: string; executionId: string }> {
  const file = cli.file(`${id}.csv`, 'LegalEntityId,Name', `${id},Contoso Limited`)
  const { value } = await cli.json(['import', file, '--entity', 'Legal entities'])
  const { messageId } = value as { messageId: string }
  await db.query(
    `UPDATE entrepot.message SET finished_at = finished_at - make_interval(days => $2), received_at = received_at - interval '99 days'
     WHERE id = $1`,
    [messageId, days],
  )
  return value
}

const nothing = { payloads: 0, payloadBytes: 0, stagedRecords: 0, messages: 0, orphans: 0, orphanBytes: 0 }
const cleaned = async (...args: string[]) => (await cli.json(['clean', ...args])).value as object

describe('entrepot clean', () => {
  it('removes what the settings say, after a look at it', async () => {
    await imported('USMF', 8)
    const young = await imported('DEMF', 6)
    const expected = { ...nothing, payloads: 1, payloadBytes: 40, stagedRecords: 1, messages: 1 }
    expect(await cleaned('--dry-run')).toEqual({ dryRun: true, ...expected })
    expect(await cleaned()).toEqual({ dryRun: false, ...expected })
    expect(await cleaned()).toEqual({ dryRun: false, ...nothing })
    expect((await cli.json(['status', young.messageId])).value).toMatchObject({ hasBytes: true })
  })

  it('removes only what it is told to, of the age that it is told', async () => {
    const { messageId, executionId } = await imported('FRRT', 3)
    const one = ['--older-than', '2', '--execution', executionId]
    expect(await cleaned(...one, '--staging')).toEqual({ dryRun: false, ...nothing, stagedRecords: 1 })
    expect(await cleaned(...one, '--payloads')).toEqual({ dryRun: false, ...nothing, payloads: 1, payloadBytes: 40 })
    const { stdout } = await cli.run(['status', messageId])
    expect(stdout).toContain('40 bytes that the clean-up has removed')
    expect(await cleaned(...one, '--history', '--entity', 'Currencies')).toEqual({ dryRun: false, ...nothing })
    expect(await cleaned(...one, '--history')).toEqual({ dryRun: false, ...nothing, messages: 1 })
    expect((await cli.run(['status', messageId])).code).toBe(2)
  })

  it('removes whatever has ended with 0 days, and no payload that may be on its way to its message', async () => {
    await imported('BRMF', 0)
    await db.query(`INSERT INTO entrepot.payload_chunk (location, position, bytes) VALUES ('postgres:fresh', 0, 'x')`)
    expect(await cleaned('--older-than', '0')).toMatchObject({ messages: 2, orphans: 0 })
    await db.query(`UPDATE entrepot.payload_chunk SET created_at = created_at - interval '2 days'`)
    expect(await cleaned('--orphans')).toEqual({ dryRun: false, ...nothing, orphans: 1, orphanBytes: 1 })
  })

  it('says in words what it has removed', async () => {
    await imported('JPMF', 8)
    const { stdout, code } = await cli.run(['clean'])
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^Removed +Count +Size$/),
      expect.stringMatching(/^Messages, with their executions and errors +1$/),
      expect.stringMatching(/^Bytes of messages +1 +40 bytes$/),
      expect.stringMatching(/^Staged records +1$/),
      expect.stringMatching(/^Payloads of no message +0 +0 bytes$/),
      '',
    ])
    expect(code).toBe(0)
  })

  it.each([
    ['an entity that is not known', ['--entity', 'Nothing'], 'EA102'],
    ['an execution that is not there', ['--execution', 'nothing'], 'EA108'],
    ['orphans of a project', ['--orphans', '--project', 'CRM'], 'EA109'],
    ['a project that is not known', ['--project', 'nope'], 'EA118'],
    ['an age that is no number', ['--older-than', 'week'], 'no whole number of days'],
  ])('refuses %s, and exits with 2', async (_what, args, text) => {
    const { code, stderr } = await cli.run(['clean', ...args])
    expect(stderr).toContain(text)
    expect(code).toBe(2)
  })
})
