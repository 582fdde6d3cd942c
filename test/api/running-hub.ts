import { randomUUID } from 'node:crypto'
import { type OutgoingHttpHeaders, request } from 'node:http'
import { type Hub, openHub } from '../../src/hub'
import { type Config, readConfig } from '../../src/platform/config'
import { type Lifecycle, openLifecycle } from '../../src/platform/lifecycle'
import type { Queues } from '../../src/platform/queues'
import { type Activity, addActivity } from '../../src/project/activity'
import { startServer } from '../../src/serve'
import { startWorkers, type WorkerRole } from '../../src/work'
import { type QueuePlace, queueBackends } from '../helpers/queues'
import { waitFor } from '../helpers/wait-for'

/** A hub with its web server on a free port, on a database of this test's own. */
export interface RunningHub {
  readonly url: string
  readonly hub: Hub
  readonly queues: Queues
  readonly lifecycle: Lifecycle
  work(roles?: readonly WorkerRole[]): Promise<void>
  activity(entity: string, more?: { ordered?: boolean }): Promise<Activity>
  stop(): Promise<void>
}

export async function runHub(
  backend: (typeof queueBackends)[number] = queueBackends[0]!,
  settings: Partial<Config> = {},
): Promise<RunningHub> {
  const place: QueuePlace = await backend.start()
  const lifecycle = openLifecycle()
  const env = { DATABASE_URL: place.databaseUrl, REDIS_URL: place.redisUrl ?? '', PORT: '0', SWEEP_SECONDS: '1' }
  const config = { ...readConfig(env), queuePrefix: place.prefix, ...settings }
  const hub = await openHub(config, lifecycle, 'test')
  const queues = await hub.openQueues('worker')
  const { url } = await startServer(hub, queues, lifecycle)
  return {
    url,
    hub,
    queues,
    lifecycle,
    work: (roles = ['stage', 'promote', 'sweep']) => startWorkers(hub, queues, lifecycle, roles),
    activity: (entity, more = {}) =>
      addActivity(hub.db, { name: randomUUID(), entities: [{ entity, sourceFormat: null }], ...more }),
    async stop() {
      await lifecycle.shutdown('test is over')
      await place.stop()
    },
  }
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly text: string
}

/** Sends exactly these headers, and the pieces of the body one by one. */
export function send(
  url: string,
  {
    method = 'POST',
    headers = {},
    body = [],
  }: { method?: string; headers?: OutgoingHttpHeaders; body?: readonly (string | Buffer)[] },
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false }, (answer) => {
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => pieces.push(piece))
      answer.on('error', reject)
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(pieces).toString() })
      })
    })
    outgoing.on('error', reject)
    for (const piece of body) outgoing.write(piece)
    outgoing.end()
  })
}

// The answers of a test's requests are looked at property by property.
// biome-ignore lint/suspicious/noExplicitAny: see above
export async function getJson(url: string): Promise<any> {
  const answer = await fetch(url)
  return { status: answer.status, body: await answer.json() }
}

/** Waits until the message has come to its end, as a client sees it. */
export async function ended(url: string, messageId: string): Promise<string> {
  const endings = ['Processed', 'ProcessedWithErrors', 'PreProcessingError', 'PostProcessingError', 'Canceled']
  return waitFor(
    async () => {
      const { body } = await getJson(`${url}/api/v1/messages/${messageId}`)
      return endings.includes(body.status) ? body.status : undefined
    },
    { what: `the end of message ${messageId}` },
  )
}

/** Sends a JSON body, if there is one, and reads the JSON of the answer; undefined for an answer without body. */
// biome-ignore lint/suspicious/noExplicitAny: as for getJson
export async function askJson(url: string, method: string, body?: object): Promise<{ status: number; body: any }> {
  const json = body && { headers: { 'content-type': 'application/json' }, body: [JSON.stringify(body)] }
  const { status, text } = await send(url, { method, ...json })
  return { status, body: text === '' ? undefined : JSON.parse(text) }
}

/** Adds the company usmf, through the HTTP door; the hub must be at work. */
export async function sendCompany({ url, activity }: RunningHub): Promise<void> {
  const { id } = await activity('OMLegalEntity')
  const { text } = await send(`${url}/api/connector/enqueue/${id}`, { body: ['LegalEntityId,Name\nusmf,Contoso\n'] })
  await ended(url, JSON.parse(text))
}
