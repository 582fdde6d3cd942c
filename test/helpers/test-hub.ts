import { setTimeout as pause } from 'node:timers/promises'
import {
  type ExecutionReport,
  findExecution,
  findMessage,
  listRecordErrors,
  type MessageReport,
} from '../../src/execution/report'
import { findDueWork } from '../../src/execution/work'
import { type Hub, openHub } from '../../src/hub'
import { answerBell, steps } from '../../src/pipeline'
import { readConfig } from '../../src/platform/config'
import { openLifecycle } from '../../src/platform/lifecycle'
import type { Queues } from '../../src/platform/queues'
import { type Delivery, receive } from '../../src/source/receive'
import { startWorkers, workerRoles } from '../../src/work'
import { lowBounds } from './bounds'
import { createTestDatabase } from './postgres'
import type { QueuePlace } from './queues'

/** What became of a message. */
export interface Outcome {
  readonly message: MessageReport
  readonly execution: ExecutionReport
  readonly errors: Awaited<ReturnType<typeof listRecordErrors>>
}

/** A hub in the process of the test, on a database of its own or on the place given. */
export interface TestHub {
  readonly hub: Hub
  /** Receives a file; nothing is rung, nothing is done with it yet. */
  deliver(entity: string, file: string | Buffer, delivery?: Partial<Delivery>): ReturnType<typeof receive>
  /** Does the steps of all that is due, one after another, without any queue, until nothing is. */
  run(): Promise<void>
  /** Receives a file and takes it to its end. */
  importFile(entity: string, file: string | Buffer, delivery?: Partial<Delivery>): Promise<Outcome>
  outcome(messageId: string): Promise<Outcome>
  /** The entity's target records in the order of their keys, without the transaction that changed them. */
  target(entity: string): Promise<Record<string, unknown>[]>
  /** Starts workers of all roles in this process, on the real queues. */
  work(): Promise<Queues>
  close(): Promise<void>
}

/** Opens a hub for a test. With `place` its database and queues are those of the place, which outlive the hub. */
export async function openTestHub(place?: QueuePlace, env: Record<string, string> = {}): Promise<TestHub> {
  const database = place ? undefined : await createTestDatabase()
  const lifecycle = openLifecycle()
  const config = readConfig({
    DATABASE_URL: place?.databaseUrl ?? database!.url,
    ...(place?.redisUrl ? { REDIS_URL: place.redisUrl, QUEUE_PREFIX: place.prefix } : {}),
    // Short where others take over; where nobody is to, a busy machine must not end a lease.
    LEASE_SECONDS: place ? '2' : '30',
    SWEEP_SECONDS: '1',
    ...env,
  })
  const hub = await openHub({ ...config, ...lowBounds }, lifecycle, 'test')
  const { db, registry } = hub

  const deliver: TestHub['deliver'] = (entity, file, delivery = {}) =>
    receive(hub, { origin: 'cli', entity, ...delivery }, inPieces(Buffer.from(file)))
  // A busy machine may cut a transaction off: such work is due again in a second, and no try of it is counted.
  const isPutOff = async () => {
    const putOff = await db.query(
      `SELECT FROM entrepot.execution_entity
       WHERE state IN ('Staging', 'Promoting') AND attempts = 0 AND lease_until IS NULL AND due_at > now() LIMIT 1`,
    )
    return putOff.length > 0
  }
  const run = async () => {
    for (;;) {
      const due = await findDueWork(db, config.maxAttempts)
      if (due.length === 0 && !(await isPutOff())) return
      if (due.length === 0) await pause(100)
      for (const { id, state } of due) {
        const step = steps.find(({ takes }) => takes === state)!
        await answerBell(hub, noBells, step, String(id))
      }
    }
  }
  const outcome = async (messageId: string) => {
    const message = await findMessage(db, messageId)
    const execution = await findExecution(db, message.executionId)
    const errors = await listRecordErrors(db, message.executionId, { limit: 1_000 })
    return { message, execution, errors }
  }
  return {
    hub,
    deliver,
    run,
    outcome,
    async importFile(entity, file, delivery) {
      const { messageId } = await deliver(entity, file, delivery)
      await run()
      return outcome(messageId)
    },
    async target(entity) {
      const { name, key } = registry.get(entity)
      const order = key.map((column) => `"${column}"`).join(', ')
      const rows = await db.query(`SELECT * FROM target."${name}" ORDER BY ${order}`)
      return rows.map(({ _changed_xid, ...row }) => row)
    },
    async work() {
      const queues = await hub.openQueues('worker')
      await startWorkers(hub, queues, lifecycle, workerRoles)
      return queues
    },
    async close() {
      await lifecycle.shutdown('the test is over')
      await database?.drop()
    },
  }
}

const noBells = { ringAll: async () => undefined }

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}
