import { readFileSync } from 'node:fs'
import path from 'node:path'
import Ajv from 'ajv'
import { openDatabase } from '../../src/platform/database'
import { startServer } from '../../src/serve'
import { queueBackends } from '../helpers/queues'
import { describeWithOwnRedis, testRedis } from '../helpers/redis'
import { waitFor } from '../helpers/wait-for'
import { ended, getJson, type RunningHub, runHub, send } from './running-hub'

describe.each(queueBackends)('operations with queues on $backend', (backend) => {
  let running: RunningHub

  beforeAll(async () => {
    running = await runHub(backend)
  })
  afterAll(() => running.stop())

  it('shows all queues on the board', async () => {
    const { status, body } = await getJson(`${running.url}/ops/queues/api/queues?page=1&jobsPerPage=10`)
    expect(status).toBe(200)
    expect(body.queues.map(({ name }: { name: string }) => name).sort()).toEqual(['inbound', 'promote', 'stage'])
  })

  it('serves the board and all that its page loads from here', async () => {
    const page = await fetch(`${running.url}/ops/queues`)
    const html = await page.text()
    expect(page.status).toBe(200)
    expect(html).toContain('<base href="/ops/queues/" />')
    const parts = [...html.matchAll(/(?:src|href)="(static\/[^"]+)"/g)].map(([, part]) => part)
    expect(parts.length).toBeGreaterThan(3)
    for (const part of parts) expect((await fetch(`${running.url}/ops/queues/${part}`)).status).toBe(200)
  })

  it('throws no bell away that matters, and no job of a producer', async () => {
    const { id } = await running.activity('OMLegalEntity')
    const { text } = await send(`${running.url}/api/connector/enqueue/${id}`, {
      body: ['LegalEntityId,Name\nUSMF,x\n'],
    })
    await waitFor(async () => (await running.queues.depths()).stage.waiting > 0, { what: 'the bell' })
    const put = (action: string) => send(`${running.url}/ops/queues/api/queues/${action}`, { method: 'PUT' })
    expect((await put('stage/empty')).status).toBe(200)
    expect((await running.queues.depths()).stage.waiting).toBe(0)
    expect((await put('inbound/empty')).status).toBe(403)
    expect((await put('inbound/clean/wait')).status).toBe(403)
    expect((await put('inbound/clean/failed')).status).toBe(200)
    await running.work(['stage', 'promote', 'sweep'])
    expect(await ended(running.url, JSON.parse(text))).toBe('Processed')
  })

  it('counts in its metrics what is in the tables', async () => {
    const { id } = await running.activity('OMLegalEntity')
    const file = 'LegalEntityId,Name\nA1,x\nA1,y\nA2,x\nTOOLONG,x\n'
    for (const body of [file, file, '']) {
      const { text } = await send(`${running.url}/api/connector/enqueue/${id}`, { body: [body] })
      await ended(running.url, JSON.parse(text))
    }
    const { hub } = running
    const statuses = await hub.db.query<{ status: string; count: number }>(
      'SELECT status, count(*) FROM entrepot.message_status GROUP BY status',
    )
    const [records] = await hub.db.query<Record<string, number>>(
      `SELECT sum(records_inserted)::bigint AS inserted, sum(records_updated)::bigint AS updated, sum(records_unchanged)::bigint AS unchanged,
         sum(records_superseded)::bigint AS superseded, sum(records_in_error)::bigint AS error FROM entrepot.execution_entity`,
    )
    const metrics = await waitFor(
      async () => {
        const read = await readMetrics()
        return read.get('entrepot_messages{status="PreProcessingError"}') === 1 ? read : undefined // answers are kept 2 s
      },
      { what: 'metrics that are not kept ones' },
    )
    for (const { status, count } of statuses)
      expect([status, metrics.get(`entrepot_messages{status="${status}"}`)]).toEqual([status, count])
    for (const [outcome, count] of Object.entries(records!)) {
      expect([outcome, metrics.get(`entrepot_records{outcome="${outcome}"}`)]).toEqual([outcome, count])
    }
    expect(records).toMatchObject({ superseded: 2, error: 2 })
    expect(metrics.get('entrepot_queue_jobs{queue="inbound",state="waiting"}')).toBe(0)
    expect(metrics.get('entrepot_queue_up')).toBe(1)
    expect(metrics.get('entrepot_oldest_waiting_seconds')).toBe(0)
    expect(metrics.get('entrepot_blocked_activities')).toBe(0)
    expect(metrics.get('entrepot_messages_received_total{origin="http"}')).toBeGreaterThanOrEqual(3)
    expect(metrics.get('process_resident_memory_bytes')).toBeGreaterThan(0)
  })

  async function readMetrics(): Promise<Map<string, number>> {
    const answer = await fetch(`${running.url}/metrics`)
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
    )
  }

  it('is alive and ready', async () => {
    expect(await getJson(`${running.url}/healthz`)).toEqual({ status: 200, body: { status: 'alive' } })
    const { status, body } = await getJson(`${running.url}/readyz`)
    expect([status, body.queues]).toEqual([200, 'reachable'])
  })

  it('describes every route of ours in a valid OpenAPI document', async () => {
    const { body: document } = await getJson(`${running.url}/api/v1/openapi.json`)
    expect(document.openapi).toBe('3.1.0')
    const declared = [
      'connector/routes',
      'connector/blob-routes',
      'connector/error-file-routes',
      'connector/package-routes',
      'api/message-routes',
      'api/error-routes',
      'api/project-routes',
      'api/staged-routes',
      'api/activity-routes',
      'api/format-routes',
      'api/ops-routes',
    ].flatMap((file) => {
      const source = readFileSync(path.join(__dirname, '../../src', `${file}.ts`), 'utf8')
      return [...source.matchAll(/path: ['`](.+)['`]/g)].map(([, found]) =>
        found!.replace(/:(\w+)/g, '{$1}').replace('*', '{*}'),
      )
    })
    const written = declared.flatMap((one) =>
      one.includes('$') ? ['enable', 'disable'].map((v) => one.replace(/\$\{.+\}/, v)) : [one],
    )
    expect(Object.keys(document.paths).sort()).toEqual([...new Set([...written, '/api/v1/openapi.json'])].sort())
    const operations = Object.values(document.paths).flatMap((item) => Object.values(item as object))
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
    const ajv = new Ajv({ strict: false, validateFormats: false })
    for (const { responses, requestBody, parameters = [] } of operations) {
      const contents = [requestBody, ...Object.values(responses as object)].flatMap((part) =>
        Object.values(part?.content ?? {}),
      )
      const schemas = [...(contents as { schema: object }[]), ...parameters].map(({ schema }) => schema)
      for (const schema of schemas) expect(ajv.validateSchema(schema)).toBe(true)
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['4XX', '5XX']))
    }
    expect(document.paths['/api/connector/enqueue/{activityId}'].post.requestBody.content).toHaveProperty(
      'application/octet-stream',
    )
  })

  it('has a front page whose links lead somewhere', async () => {
    const html = await (await fetch(running.url)).text()
    const links = [...html.matchAll(/href="([^"]+)"/g)].map(([, link]) => link)
    expect(links).toEqual(
      expect.arrayContaining(['/ops/queues', '/api/v1/openapi.json', '/healthz', '/readyz', '/metrics']),
    )
    for (const link of links) expect([link, (await fetch(running.url + link)).status]).toEqual([link, 200])
  })
})

describeWithOwnRedis('while Redis is away', () => {
  it('takes messages, says so, and handles them once it is back', async () => {
    const redis = (await testRedis())!
    const onRedis = queueBackends[0]!
    const running = await runHub(
      { ...onRedis, start: async () => ({ ...(await onRedis.start()), redisUrl: redis.url, prefix: redis.prefix }) },
      {},
    )
    try {
      await running.work()
      const { id } = await running.activity('OMLegalEntity')
      await redis.kill()
      const { status, text } = await send(`${running.url}/api/connector/enqueue/${id}`, {
        body: ['LegalEntityId,Name\nUSMF,x\n'],
      })
      expect(status).toBe(200)
      const ready = await getJson(`${running.url}/readyz`)
      expect([ready.status, ready.body.queues]).toEqual([200, expect.stringMatching(/^away/)])
      expect(await (await fetch(`${running.url}/metrics`)).text()).toMatch(/^entrepot_queue_up 0$/m)
      await redis.start()
      expect(await ended(running.url, JSON.parse(text))).toBe('Processed')
    } finally {
      await running.stop()
      await redis.stop()
    }
  })
})

it('answers 503 and when to come back, in whole seconds, while the database is away', async () => {
  const running = await runHub()
  const away = openDatabase({ url: 'postgres://127.0.0.1:1/nothing', poolSize: 2, applicationName: 'test' })
  try {
    const { url } = await startServer({ ...running.hub, db: away }, running.queues, running.lifecycle)
    const enqueue = '/api/connector/enqueue/0b9d0e3b-4f1c-4d0e-9c3b-2a6a8e1f7c55'
    for (const where of [enqueue, '/readyz', '/metrics', '/api/v1/messages']) {
      const { status, headers, text } = await send(url + where, where === enqueue ? { body: ['x'] } : { method: 'GET' })
      expect([where, status, headers['retry-after'], JSON.parse(text).error.code]).toEqual([where, 503, '5', 'ES102'])
    }
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  } finally {
    await away.close()
    await running.stop()
  }
})
