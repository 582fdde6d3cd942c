import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { SetupFault } from '../../src/errors'
import { openDatabase } from '../../src/platform/database'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/platform/embedded'
import { isProcessAlive } from '../../src/platform/file-lock'
import { migrateQueues, openQueues } from '../../src/platform/queues'
import { waitFor } from '../helpers/wait-for'

const folders: string[] = []
const notices: string[] = []
const newHome = (...below: string[]) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'entrepot-embedded-'))
  chmodSync(folder, 0o755)
  folders.push(folder)
  return path.join(folder, ...below)
}
const start = (home: string) => startEmbeddedPostgres({ home, log: (text) => notices.push(text) })
const dataOf = (home: string): string => JSON.parse(readFileSync(path.join(home, 'postgres.json'), 'utf8')).dataFolder
const pidOf = (home: string) => Number(readFileSync(path.join(dataOf(home), 'postmaster.pid'), 'utf8').split('\n')[0])
const isUp = (home: string) => existsSync(path.join(dataOf(home), 'postmaster.pid'))

async function ask(url: string, sql: string) {
  const database = openDatabase({ url, poolSize: 1, applicationName: 'embedded.test' })
  try {
    return await database.query(sql)
  } finally {
    await database.close()
  }
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

describe('the embedded Postgres', () => {
  const home = newHome('a home with spaces', 'and a long name '.repeat(8).trim())
  let first: EmbeddedPostgres
  beforeAll(async () => {
    first = await start(home)
  })
  afterAll(() => first.stop())

  it('keeps its password from other users, and listens on loopback with a password only', async () => {
    expect(statSync(path.join(home, 'postgres.json')).mode & 0o777).toBe(0o600)
    expect(await ask(first.url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }])
    const wrong = new URL(first.url)
    wrong.password = 'guess'
    await expect(ask(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
  })

  it('speaks UTF-8 in byte order, and never gives up durability', async () => {
    const sql = `SELECT current_setting('server_encoding') e, current_setting('fsync') f,
      current_setting('synchronous_commit') s, current_setting('wal_level') w, 'a' < 'Z' AS az`
    expect(await ask(first.url, sql)).toEqual([{ e: 'UTF8', f: 'on', s: 'on', w: 'minimal', az: false }])
  })

  it('is shared: the second joins it, and it stays until the last has left', async () => {
    const pid = pidOf(home)
    const second = await start(home)
    expect(second.url).toBe(first.url)
    expect(pidOf(home)).toBe(pid)
    await second.stop()
    expect(await ask(first.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('is stopped by the last one out, keeps port and data, and is found again', async () => {
    await ask(first.url, 'CREATE TABLE kept (n int)')
    await first.stop()
    expect(isUp(home)).toBe(false)
    const again = await start(home)
    expect(again.url).toBe(first.url)
    expect(await ask(again.url, 'SELECT count(*) AS n FROM kept')).toEqual([{ n: 0 }])
    first = again
  })

  it('takes up settings that changed since its last start', async () => {
    await first.stop()
    writeFileSync(path.join(dataOf(home), 'entrepot.conf'), "work_mem = '1MB'\n")
    first = await start(home)
    expect(await ask(first.url, 'SHOW work_mem')).toEqual([{ work_mem: '64MB' }])
  })

  it('recovers when the server was killed, and when its pid belongs to another process by now', async () => {
    const pid = pidOf(home)
    const pidFile = path.join(dataOf(home), 'postmaster.pid')
    const lines = readFileSync(pidFile, 'utf8').split('\n')
    process.kill(pid, 'SIGKILL')
    await waitFor(() => !isProcessAlive(pid), { what: 'the end of the server' })
    const stranger = spawn('sleep', ['60'])
    try {
      writeFileSync(pidFile, [String(stranger.pid), ...lines.slice(1)].join('\n'))
      const again = await start(home)
      expect(await ask(again.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
      await first.stop()
      first = again
    } finally {
      stranger.kill()
    }
  })

  it('lets queues go on after a restart under them', async () => {
    await migrateQueues({ databaseUrl: first.url })
    const settings = { prefix: '', databaseUrl: first.url, allowEviction: false, role: 'worker' as const }
    const queues = await openQueues(settings)
    const heard: string[] = []
    const worker = await queues.work('stage', async (id) => void heard.push(id), { concurrency: 2 })
    let rung = 0
    const ringUntilHeard = (id: string) =>
      waitFor(
        async () => {
          await queues.ring('stage', id, `r-${rung++}`)
          return heard.includes(id)
        },
        { what: `the bell ${id}` },
      )
    await ringUntilHeard('before')
    const pid = pidOf(home)
    process.kill(pid, 'SIGQUIT') // an immediate shutdown: connections are cut without a word
    await waitFor(() => !isProcessAlive(pid), { what: 'the end of the server' })
    const again = await start(home)
    await ringUntilHeard('after')
    await worker.close()
    await queues.close()
    await first.stop()
    first = again
  })
})

it('gives one server to many that start at once', async () => {
  const home = newHome('.entrepot')
  const many = await Promise.all([start(home), start(home), start(home)])
  expect(new Set(many.map(({ url }) => url)).size).toBe(1)
  await Promise.all(many.map((one) => one.stop()))
  expect(isUp(home)).toBe(false)
})

it('says what is wrong, where the log is and how it ends, when the server does not start', async () => {
  const home = newHome('.entrepot')
  const server = await start(home)
  await server.stop()
  writeFileSync(path.join(dataOf(home), 'postgresql.auto.conf'), 'no_such_setting = 1\n')
  const error = await start(home).catch((thrown) => thrown)
  expect(error).toBeInstanceOf(SetupFault)
  expect(error).toMatchObject({ code: 'ES107', message: expect.stringContaining('no_such_setting') })
  expect(error.message).toContain(path.join(dataOf(home), 'server.log'))
})

const asRoot = process.getuid?.() === 0 ? it : it.skip

asRoot('puts the data elsewhere, and says so, when its user cannot reach the home', async () => {
  const home = newHome('closed', '.entrepot')
  mkdirSync(path.dirname(home), { mode: 0o700 })
  notices.length = 0
  const server = await start(home)
  const data = dataOf(home)
  try {
    expect(data.startsWith('/var/lib/entrepot/')).toBe(true)
    expect(notices).toEqual([expect.stringContaining(data)])
    expect(await ask(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  } finally {
    await server.stop()
    rmSync(path.dirname(data), { recursive: true, force: true })
  }
})
