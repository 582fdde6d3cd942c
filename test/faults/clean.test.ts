import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { clean, retentionPlan } from '../../src/execution/clean'
import { expectAccounted } from '../helpers/accounting'
import { addMasterData, groupsFile, termsFile } from '../helpers/build'
import { createTestDatabase, type TestDatabase } from '../helpers/postgres'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { killProcesses, startProcess } from '../helpers/worker-process'

const killed = { code: null, signal: 'SIGKILL' }
const dayMs = 86_400_000

let database: TestDatabase
let hub: TestHub
const place = () => ({ databaseUrl: database.url, prefix: '{unused}', stop: database.drop })

afterEach(async () => {
  await killProcesses()
  await hub.close()
  await database.drop()
})

describe('a clean-up that is killed', () => {
  const runCleaner = (fault?: string) =>
    startProcess(path.join(__dirname, '../helpers/cleaner.ts'), [], { place: place(), ...(fault ? { fault } : {}) })
      .exit

  it.each([
    'clean.beforeForget',
    'clean.afterForget',
    'clean.afterRemove',
    'clean.beforeStaging',
    'clean.afterStaging',
    'clean.beforeHistory',
    'clean.afterHistory',
  ])('at %s leaves everything accounted for, and the next one goes on', async (point) => {
    database = await createTestDatabase()
    hub = await openTestHub(place())
    const { db } = hub.hub
    await addMasterData(hub)
    await hub.importFile('Terms of payment', termsFile(24_000)) // a payload, and a staging table of its own
    for (let n = 0; n < 3; n++) await hub.deliver('Customer groups', groupsFile(n))
    await hub.importFile('Customer groups', 'nonsense\n1\n')
    await db.query(
      `UPDATE entrepot.message SET received_at = received_at - interval '2 days', finished_at = finished_at - interval '2 days'`,
    )
    const young = await hub.importFile('Customer groups', groupsFile(9))
    const targets = async () => [await hub.target('Terms of payment'), await hub.target('Customer groups')]
    const before = await targets()

    expect(await runCleaner(`${point}:1:kill`)).toEqual(killed)
    await expectAccounted(hub, { isHistoryWhole: false })
    expect(await runCleaner()).toEqual({ code: 0, signal: null })
    await expectAccounted(hub, { isHistoryWhole: false })
    expect(await db.query('SELECT id FROM entrepot.message')).toEqual([{ id: young.message.messageId }])
    expect(await db.query(`SELECT FROM pg_tables WHERE tablename LIKE 'PaymentTermEntity\\_%'`)).toEqual([])

    // What was killed between forgetting a payload and removing it has left an orphan.
    await db.query(`UPDATE entrepot.payload_chunk SET created_at = created_at - interval '2 days'`)
    const { orphans } = await clean(hub.hub, { orphansBefore: new Date() })
    expect(orphans).toBe(point === 'clean.afterForget' ? 1 : 0)
    expect(await db.query('SELECT FROM entrepot.payload_chunk')).toEqual([])
    expect(await targets()).toEqual(before)
  })
})

describe('a receiver that is killed', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'entrepot-orphans-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  const files = () =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => path.join(parentPath, name))
  const settings = { payloadRetentionDays: 7, stagingRetentionDays: 7, historyRetentionDays: 7 }

  it.each([
    ['receive.beforeInsert', /[0-9a-f]$/],
    ['payload.beforeRename', /\.partial$/],
  ])('at %s leaves a file that is found when it is a day old, and no earlier', async (point, name) => {
    const env = { PAYLOAD_STORE: `file:${folder}` }
    database = await createTestDatabase()
    hub = await openTestHub(place(), env)
    const receive = (key: string, fault?: string) =>
      startProcess(path.join(__dirname, '../helpers/receiver.ts'), ['Terms of payment', key, '3000000'], {
        place: place(),
        env,
        ...(fault ? { fault } : {}),
      }).exit
    expect(await receive('killed', `${point}:1:kill`)).toEqual(killed)
    const left = files()
    expect(left).toEqual([expect.stringMatching(name)])
    expect(await receive('kept')).toEqual({ code: 0, signal: null })
    const cleanIn = (days: number) => clean(hub.hub, retentionPlan(settings, new Date(Date.now() + days * dayMs)))
    expect(await cleanIn(0.9)).toMatchObject({ orphans: 0 })
    expect(files()).toHaveLength(2)
    expect(await cleanIn(1.1)).toMatchObject({ orphans: 1, orphanBytes: 3_000_000 })
    expect(files()).toHaveLength(1)
    expect(files()).not.toEqual(left)
  })
})
