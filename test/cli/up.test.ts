import type { ChildProcess } from 'node:child_process'
import { createTestDatabase, type TestDatabase } from '../helpers/postgres'
import { waitFor } from '../helpers/wait-for'
import { type CliPlace, cliPlace } from './run-cli'

let database: TestDatabase
let cli: CliPlace
let hub: ChildProcess
let output = ''
let log = ''

beforeAll(async () => {
  database = await createTestDatabase()
  cli = cliPlace({ DATABASE_URL: database.url, PORT: '0', LOG_LEVEL: 'info' })
  hub = cli.start(['up'])
  hub.stdout?.on('data', (piece) => {
    output += piece
  })
  hub.stderr?.on('data', (piece) => {
    log += piece
  })
}, 30_000)

afterAll(async () => {
  hub.kill('SIGKILL')
  await waitFor(() => workers().every((pid) => !isAlive(pid)), { what: 'the workers to follow' })
  cli.remove()
  await database.drop()
})

/** Process ids of the workers that have started so far. */
function workers(): number[] {
  const lines = log.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'))
  return lines
    .map((line) => JSON.parse(line))
    .flatMap(({ at, role, pid }) => (at === 'hub.started' && role !== 'up' ? [pid] : []))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function push(url: string, activity: string, name: string): Promise<void> {
  const answer = await fetch(`${url}/api/connector/enqueue/${activity}`, {
    method: 'POST',
    body: `LegalEntityId,Name\n${name},${name}\n`,
  })
  expect(answer.status).toBe(200)
  const messageId = await answer.json()
  const ended = async () => {
    const status = await fetch(`${url}/api/connector/jobstatus/${activity}?jobId=${messageId}`)
    return (await status.text()).includes('"Processed"')
  }
  await waitFor(ended, { what: `${name} to be processed`, timeoutMs: 20_000 })
}

describe('entrepot up', () => {
  it('serves and works in two processes, starts the worker again when it dies, and ends both on SIGTERM', async () => {
    const url = await waitFor(() => /is up at (\S+)/.exec(output)?.[1], { what: 'the address', timeoutMs: 20_000 })
    const { stdout } = await cli.run(['activity', 'add', 'Companies', '-e', 'Legal entities'])
    const activity = stdout.trim()
    await push(url, activity, 'usmf')

    const first = await waitFor(() => workers()[0], { what: 'the log of the worker' })
    process.kill(first, 'SIGKILL')
    const second = await waitFor(() => workers()[1], { what: 'another worker', timeoutMs: 20_000 })
    await push(url, activity, 'demf')

    const exited = new Promise((resolve) => hub.once('exit', resolve))
    hub.kill('SIGTERM')
    expect(await exited).toBe(0)
    expect(isAlive(second)).toBe(false)
    expect(log).toContain('"at":"hub.stopped"')
  })
})
