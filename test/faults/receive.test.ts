import path from 'node:path'
import { createTestDatabase, type TestDatabase } from '../helpers/postgres'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { killProcesses, startProcess } from '../helpers/worker-process'

describe('a process that is killed while it receives a message', () => {
  let database: TestDatabase
  let hub: TestHub
  const place = () => ({ databaseUrl: database.url, prefix: '{unused}', stop: database.drop })

  beforeAll(async () => {
    database = await createTestDatabase()
    hub = await openTestHub(place())
  })
  afterAll(async () => {
    await killProcesses()
    await hub.close()
    await database.drop()
  })

  const cases = ['receive.beforeInsert', 'receive.afterInsert'].flatMap((point) =>
    [1_000, 3_000_000].map((bytes) => ({ point, bytes })),
  )
  it.each(cases)(
    'leaves one message or none, and the same key makes it one: $bytes bytes, killed at $point',
    async ({ point, bytes }) => {
      const key = `${point} ${bytes}`
      const receive = (fault?: string) =>
        startProcess(path.join(__dirname, '../helpers/receiver.ts'), ['Terms of payment', key, String(bytes)], {
          place: place(),
          ...(fault ? { fault } : {}),
        }).exit
      const kept = () =>
        hub.hub.db.query<{ bytes: number }>('SELECT bytes FROM entrepot.message WHERE idempotency_key = $1', [key])
      expect(await receive(`${point}:1:kill`)).toEqual({ code: null, signal: 'SIGKILL' })
      expect(await kept()).toHaveLength(point === 'receive.afterInsert' ? 1 : 0)
      // The producer had no answer, and sends it again.
      expect(await receive()).toEqual({ code: 0, signal: null })
      expect(await receive()).toEqual({ code: 0, signal: null })
      expect(await kept()).toEqual([{ bytes }])
    },
  )

  it('has kept whole bytes for every message, and no more payloads than it was killed over', async () => {
    const [{ broken, orphans } = { broken: -1, orphans: -1 }] = await hub.hub.db.query<{
      broken: number
      orphans: number
    }>(
      `SELECT count(*) FILTER (WHERE m.id IS NOT NULL AND m.bytes <> p.bytes) AS broken, count(*) FILTER (WHERE m.id IS NULL) AS orphans
       FROM (SELECT location, sum(length(bytes)) AS bytes FROM entrepot.payload_chunk GROUP BY 1) p
       FULL JOIN (SELECT * FROM entrepot.message WHERE payload_location IS NOT NULL) m ON m.payload_location = p.location`,
    )
    expect({ broken, orphans }).toEqual({ broken: 0, orphans: 1 })
  })
})
