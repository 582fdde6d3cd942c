import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { addActivity } from '../../src/project/activity'
import { type Bench, type BenchOptions, profiling } from './bench'
import { runChild } from './child'
import { company, seeds } from './files'
import { createFloorTarget } from './floor-import'
import { createFloorQueue, runFloorMessages } from './floor-messages'
import type { ClientResult } from './message-client'
import { recordsOf } from './message-set'
import { startProcess, startRedis } from './processes'
import { seedHub } from './seed'
import { type BenchDatabase, fileFolder, type Setting } from './setting'
import { median, whole } from './table'

/** Sends many small messages through the HTTP door, next to handling each in a transaction of its own by hand. */
export const messagesBench: Bench = {
  name: 'messages',
  defaultRecords: 10_000,
  async run(setting, options) {
    const floors: number[] = []
    const found = new Map<string, (MessagesRun | undefined)[]>(backends.map((name) => [name, []]))
    for (let run = 0; run < options.runs; run++) {
      floors.push(await seeded(setting, (database) => floorMs(database, options.records)))
      for (const backend of backends) found.get(backend)!.push(await runBackend(setting, backend, options))
    }
    const floorMsMedian = median(floors)
    const floorRate = options.records / (floorMsMedian / 1_000)
    return {
      title: `messages: ${whole(options.records)} CSV files of 1 to 10 customers, ${concurrency} at a time`,
      headings: ['', 'messages/s', 'ratio of rates', 'enqueued/s', 'p50 ms', 'p99 ms'],
      rows: [
        ['floor: a transaction each, 8 connections, no HTTP', whole(floorRate), '1.00', '', '', ''],
        ...[...found].flatMap(([backend, runs]) => {
          const there = runs.filter((run) => run !== undefined)
          return there.length === 0 ? [] : [rowOf(backend, there, options.records, floorRate)]
        }),
      ],
      notes: [
        "messages/s: from the first request to the last message promoted; ratio of rates: ours by the floor's, above 1 we are faster.",
        'The client, the process with the door and one worker process run beside Postgres on the same machine.',
      ],
    }
  },
}

const backends = ['queues in Redis (appendfsync everysec)', 'queues in Postgres (the default)'] as const
type Backend = (typeof backends)[number]

/** Requests under way at the same time. */
const concurrency = 32

interface MessagesRun {
  readonly ms: number
  readonly client: ClientResult
}

function rowOf(name: string, runs: readonly MessagesRun[], count: number, floorRate: number): string[] {
  const of = (value: (run: MessagesRun) => number) => median(runs.map(value))
  const rate = count / (of(({ ms }) => ms) / 1_000)
  const enqueued = count / (of(({ client }) => client.endedAt - client.startedAt) / 1_000)
  const latency = (name: 'p50Ms' | 'p99Ms') => of(({ client }) => client[name]).toFixed(1)
  return [name, whole(rate), (rate / floorRate).toFixed(2), whole(enqueued), latency('p50Ms'), latency('p99Ms')]
}

async function seeded<T>(setting: Setting, run: (database: BenchDatabase) => Promise<T>): Promise<T> {
  return setting.inDatabase(async (database) => {
    await seedHub(setting, database.url, seeds)
    await database.settle()
    return run(database)
  })
}

async function floorMs(database: BenchDatabase, count: number): Promise<number> {
  await createFloorTarget(database, 'with a foreign key')
  await createFloorQueue(database)
  const ms = await runFloorMessages(database, count)
  await expectCustomers(database, 'floor_customers', count)
  return ms
}

async function runBackend(
  setting: Setting,
  backend: Backend,
  { records, profileFolder }: BenchOptions,
): Promise<MessagesRun | undefined> {
  const folder = path.join(fileFolder(setting), 'redis')
  mkdirSync(folder, { recursive: true })
  const redis = backend === backends[0] ? await startRedis(folder) : undefined
  if (backend === backends[0] && !redis) return undefined
  try {
    return await seeded(setting, (database) => runMessages(setting, database, records, redis?.told, profileFolder))
  } finally {
    await redis?.stop()
  }
}

async function runMessages(
  setting: Setting,
  database: BenchDatabase,
  count: number,
  redisUrl: string | undefined,
  profileFolder: string | undefined,
): Promise<MessagesRun> {
  const env = { ...setting.environment(database.url), ...(redisUrl ? { REDIS_URL: redisUrl } : {}) }
  const entities = [{ entity: 'CustCustomerV3Entity', sourceFormat: null }]
  const activity = await addActivity(database.db, { name: 'Bench', entities, company })
  const door = await startProcess<string>('serve-process.js', { ...env, PORT: '0' }, profiling(profileFolder))
  const worker = await startProcess<string>('work-process.js', env, profiling(profileFolder)).catch(async (error) => {
    await door.stop()
    throw error
  })
  try {
    const url = `${door.told}/api/connector/enqueue/${activity.id}?entity=Customers%20V3&company=${company}`
    const client = path.join(__dirname, 'message-client.js')
    const { stdout } = await runChild(process.execPath, [client, url, String(count), String(concurrency)], env)
    const result = JSON.parse(stdout) as ClientResult
    const endedAt = await untilPromoted(database, count)
    await expectCustomers(database, 'target."CustCustomerV3Entity"', count)
    return { ms: endedAt - result.startedAt, client: result }
  } finally {
    await worker.stop()
    await door.stop()
  }
}

/** Waits until no message is under way; gives the time. A look every 50 ms costs 1 % of a core. */
async function untilPromoted({ db }: BenchDatabase, count: number): Promise<number> {
  for (;;) {
    const [{ ended = 0 } = {}] = await db.query<{ ended: number }>(
      `SELECT count(*) AS ended FROM entrepot.message WHERE state <> 'Enqueued' AND origin = 'http'`,
    )
    if (ended >= count) return Date.now()
    await sleep(50)
  }
}

async function expectCustomers({ db }: BenchDatabase, table: string, count: number): Promise<void> {
  let expected = 0
  for (let number = 1; number <= count; number++) expected += recordsOf(number)
  const [{ found = 0 } = {}] = await db.query<{ found: number }>(`SELECT count(*) AS found FROM ${table}`)
  if (found !== expected) throw new Error(`${table} holds ${found} customers instead of ${expected}`)
}
