import { allFinished, expectAccounted, resultOf } from '../helpers/accounting'
import { addMasterData, groupsFile, termsFile } from '../helpers/build'
import { startOwnPostgres } from '../helpers/own-postgres'
import { queueBackends } from '../helpers/queues'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { waitFor } from '../helpers/wait-for'
import { killProcesses, startWorker } from '../helpers/worker-process'

const records = 120_000

async function prepare({ deliver }: TestHub): Promise<void> {
  await deliver('Terms of payment', termsFile(records), { externalId: 'large' })
  for (let n = 0; n < 10; n++) await deliver('Customer groups', groupsFile(n), { externalId: `file ${n}` })
}

describe('a Postgres that fails while a message is worked on', () => {
  let undisturbed: Record<string, unknown>

  beforeAll(async () => {
    const control = await openTestHub()
    await addMasterData(control)
    await prepare(control)
    await control.run()
    undisturbed = await resultOf(control)
    await control.close()
  })
  afterEach(killProcesses)

  /** What the work is at when the blow falls. */
  const moments = {
    COPY: `query LIKE 'COPY staging."PaymentTerm%'`,
    promotion: `query LIKE 'INSERT INTO target."PaymentTerm%' OR query LIKE 'UPDATE target."PaymentTerm%'`,
  }
  const seen = (hub: TestHub, moment: keyof typeof moments) =>
    waitFor(
      async () =>
        (
          await hub.hub.db.query<{ pid: number }>(
            `SELECT pid FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND (${moments[moment]})`,
          )
        )[0],
      { what: `a running ${moment}`, timeoutMs: 30_000 },
    )

  async function expectSameAsUndisturbed(hub: TestHub): Promise<void> {
    await allFinished(hub, 60_000)
    await expectAccounted(hub)
    expect(await resultOf(hub)).toEqual(undisturbed)
  }

  it.each(queueBackends)(
    'is a retry when it restarts in order in a COPY and crashes in a promotion, with queues on $backend',
    async ({ start }) => {
      const server = await startOwnPostgres()
      const queues = await start()
      const place = { ...queues, databaseUrl: server.url }
      const hub = await openTestHub(place)
      await addMasterData(hub)
      await prepare(hub)
      const worker = startWorker({ place })
      await seen(hub, 'COPY')
      await server.restart('fast')
      await seen(hub, 'promotion')
      await server.restart('immediate')
      await expectSameAsUndisturbed(hub)
      worker.signal('SIGTERM')
      expect(await worker.exit).toEqual({ code: 0, signal: null })
      expect(worker.lines.filter(({ at }) => at === 'step.failed' || at === 'text')).toEqual([])
      await hub.close()
      await queues.stop()
      await server.stop()
    },
    120_000,
  )

  it('is a retry when it cuts single connections in a COPY and in a promotion', async () => {
    const hub = await openTestHub()
    const place = { databaseUrl: hub.hub.db.url, prefix: '{unused}' }
    await addMasterData(hub)
    await prepare(hub)
    startWorker({ place })
    for (const moment of ['COPY', 'promotion'] as const) {
      const { pid } = await seen(hub, moment)
      await hub.hub.db.query('SELECT pg_terminate_backend($1)', [pid])
    }
    await expectSameAsUndisturbed(hub)
    await killProcesses()
    await hub.close()
  })
})
