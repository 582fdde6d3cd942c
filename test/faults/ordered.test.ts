import { cancelExecution, retryExecution, skipMessage } from '../../src/execution/actions'
import { addActivity } from '../../src/project/activity'
import { allFinished, expectAccounted } from '../helpers/accounting'
import { addMasterData, csv } from '../helpers/build'
import { type QueuePlace, queueBackends } from '../helpers/queues'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { waitFor } from '../helpers/wait-for'
import { killProcesses, startWorker } from '../helpers/worker-process'

const columns = ['dataAreaId', 'Name', 'Description']
/** All messages write the same record: its last value tells which came last. */
const good = (n: number) => csv(columns, [['usmf', 'Same', `message ${n}`]])
const bad = 'dataAreaId,Description\nusmf,no key\n'

describe.each(queueBackends)('an ordered activity, with queues on $backend', ({ start }) => {
  let place: QueuePlace
  let hub: TestHub
  let activityId: string

  beforeEach(async () => {
    place = await start()
    hub = await openTestHub(place, { LEASE_SECONDS: '1' })
    await addMasterData(hub)
    const entities = [{ entity: 'PaymentTermEntity', sourceFormat: null }]
    activityId = (await addActivity(hub.hub.db, { name: 'Terms in order', entities, ordered: true })).id
  })
  afterEach(async () => {
    await killProcesses()
    await hub.close()
    await place.stop()
  })

  const deliver = (file: string) => hub.deliver('', file, { activityId })
  const finished = () =>
    hub.hub.db.query<{ seq: number; state: string }>(
      'SELECT seq, state FROM entrepot.message WHERE activity_id = $1 AND finished_at IS NOT NULL ORDER BY finished_at, seq',
      [activityId],
    )
  const described = async () => (await hub.target('Terms of payment')).find(({ Name }) => Name === 'Same')?.Description

  it('handles its messages one after another, while workers are killed at their work', async () => {
    for (let n = 1; n <= 8; n++) await deliver(good(n))
    for (const fault of [
      'stage.beforeCommit:2',
      'promote.beforeCommit:2',
      'stage.afterChunk:1',
      'promote.afterPart:1',
    ]) {
      await startWorker({ place, fault: `${fault}:kill`, env: { LEASE_SECONDS: '1' } }).exit
    }
    startWorker({ place })
    startWorker({ place })
    await allFinished(hub)
    await expectAccounted(hub)
    const order = (await finished()).map(({ seq }) => seq)
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(await described()).toBe('message 8')
    const { counts } = (
      await hub.hub.db.query<{ counts: number[] }>(
        `SELECT array_agg(ARRAY[e.records_inserted, e.records_updated]::integer[] ORDER BY e.message_seq) AS counts
         FROM entrepot.execution_entity e WHERE ordered_activity = $1`,
        [activityId],
      )
    )[0]!
    expect(counts).toEqual([[1, 0], ...Array.from({ length: 7 }, () => [0, 1])])
  })

  it.each(['retry', 'skip', 'cancel'] as const)(
    'waits behind a failed message, visibly, until a person decides: %s',
    async (decision) => {
      const { db } = hub.hub
      await deliver(good(1))
      const failing = await deliver(bad)
      const behind = await deliver(good(3))
      await deliver(good(4))
      await hub.work()
      await waitFor(async () => (await finished()).length === 2, { what: 'the failure' })
      // Bells and sweeps must not let the others by.
      await waitFor(async () => (await hub.outcome(behind.messageId)).message.waitsFor === failing.messageId, {
        what: 'a sign of it',
      })
      expect((await hub.outcome(failing.messageId)).message).toMatchObject({
        status: 'PreProcessingError',
        isBlocking: true,
      })
      await hub.run()
      expect((await finished()).map(({ state }) => state)).toEqual(['Processed', 'PreProcessingError'])
      expect(await described()).toBe('message 1')

      if (decision === 'skip') await skipMessage(db, failing.messageId)
      else if (decision === 'cancel') await cancelExecution(db, failing.executionId)
      else {
        // Retried without a change it fails again, and still blocks; then it is given up.
        const again = await retryExecution(db, failing.executionId)
        await waitFor(async () => (await hub.outcome(failing.messageId)).message.status === 'PreProcessingError', {
          what: 'the second failure',
        })
        expect((await hub.outcome(behind.messageId)).message).toMatchObject({
          status: 'Enqueued',
          waitsFor: failing.messageId,
        })
        await cancelExecution(db, again.executionId)
      }
      await allFinished(hub)
      const states = (await finished()).map(({ state }) => state)
      expect(states.slice(-2)).toEqual(['Processed', 'Processed'])
      expect(await described()).toBe('message 4')
      await expectAccounted(hub)
    },
  )
})
