import { request } from 'node:http'
import { connect } from 'node:net'
import { type Observation, onObservation } from '../../src/platform/observe'
import { type RunningHub, runHub, send } from '../api/running-hub'
import { queueBackends } from '../helpers/queues'
import { waitFor } from '../helpers/wait-for'

const guid = /^"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"$/
const file = 'LegalEntityId,Name\nUSMF,Contoso\n'

describe.each(queueBackends)('enqueue with queues on $backend', (backend) => {
  let running: RunningHub
  let address: string
  let activityId: string

  beforeAll(async () => {
    running = await runHub(backend, { maxMessageBytes: 200_000 })
    activityId = (await running.activity('OMLegalEntity')).id
    address = `${running.url}/api/connector/enqueue/${activityId}?entity=Legal+entities`
  })
  afterAll(() => running.stop())

  const messages = () => running.hub.db.query('SELECT * FROM entrepot.message ORDER BY seq')
  const newest = async () => (await messages()).at(-1) as Record<string, unknown>

  it('answers exactly 200 with the message id as a JSON string, to a body without any Content-Type', async () => {
    const { status, headers, text } = await send(address, { body: [file] })
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
    expect(text).toMatch(guid)
    expect(await newest()).toMatchObject({
      id: JSON.parse(text),
      bytes: file.length,
      origin: 'http',
      state: 'Enqueued',
    })
  })

  it.each(['application/zip', 'application/json', 'text/csv; charset="x', 'nonsense', ';;;', 'multipart/form-data'])(
    'takes the bytes as they are under the Content-Type %s',
    async (type) => {
      const { status, text } = await send(address, { headers: { 'content-type': type }, body: [file] })
      expect([status, text]).toEqual([200, expect.stringMatching(guid)])
      expect(await newest()).toMatchObject({ payload: Buffer.from(file) })
    },
  )

  it('takes a body in chunks, and one of known length', async () => {
    const chunked = await send(address, { body: ['LegalEntityId,', 'Name\n', 'USMF,Contoso\n'] })
    const whole = await send(address, { headers: { 'content-length': file.length }, body: [file] })
    expect([chunked.status, whole.status]).toEqual([200, 200])
    expect(await newest()).toMatchObject({ payload: Buffer.from(file) })
  })

  it.each([
    ['a language prefix', (id: string) => `/en/api/connector/enqueue/${id}`],
    ['a language prefix with a country', (id: string) => `/en-us/api/connector/enqueue/${id}`],
    ['other letter case', (id: string) => `/API/Connector/Enqueue/${id.toUpperCase()}`],
    ['braces around the id', (id: string) => `/api/connector/enqueue/%7B${id}%7D`],
    ['plain braces around the id', (id: string) => `/api/connector/enqueue/{${id}}`],
  ])('knows the path with %s', async (_, path) => {
    const { status, text } = await rawRequest(running.url, 'POST', path(activityId), file)
    expect([status, text]).toEqual([200, expect.stringMatching(guid)])
  })

  it.each([
    ['other letter case of the keys', 'Entity=Legal+entities&COMPANY=usmf'],
    ['%20 for a space', 'entity=Legal%20entities&company=USMF'],
    ['escapes of old .NET', 'entity=%u004cegal+entities&company=USMF'],
    ['an empty entity where the activity takes one', 'entity=&company=usmf&format='],
    ['keys that mean nothing here', 'company=usmf&sv=2020&x'],
  ])('knows the query with %s', async (_, query) => {
    const { status } = await rawRequest(running.url, 'POST', `/api/connector/enqueue/${activityId}?${query}`, file)
    expect(status).toBe(200)
    expect(await newest()).toMatchObject({ entity: 'OMLegalEntity', company: 'usmf' })
  })

  it('keeps the name that the producer gives its message, in UTF-8 too', async () => {
    const name = 'Größe-01.csv'
    const header = Buffer.from(name).toString('latin1') // Node writes headers as latin1
    await send(address, { headers: { 'x-ms-dyn-externalidentifier': header }, body: [file] })
    expect(await newest()).toMatchObject({ external_id: name })
  })

  it('rings for the message', async () => {
    await send(address, { body: [file] })
    const depths = await waitFor(
      async () => {
        const { stage } = await running.queues.depths()
        return stage.waiting > 0 ? stage : undefined
      },
      { what: 'a bell' },
    )
    expect(depths.waiting).toBeGreaterThan(0)
  })

  it('makes one message of fifty that are sent at once with the same key, and refuses the key for other bytes', async () => {
    const before = (await messages()).length
    const headers = { 'idempotency-key': `fifty-${backend.backend}` }
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(address, { headers, body: [file] })))
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(answers[0]?.status).toBe(200)
    expect(await messages()).toHaveLength(before + 1)
    const other = await send(address, { headers, body: ['LegalEntityId,Name\nDEMF,Other\n'] })
    expect([other.status, JSON.parse(other.text).error.code]).toEqual([409, 'EA103'])
  })

  it('answers 500 for an unknown activity, which schedulers take for a good connection, and 403 for a disabled one', async () => {
    const unknown = await send(`${running.url}/api/connector/enqueue/00000000-0000-0000-0000-000000000000`, {
      body: [file],
    })
    expect([unknown.status, JSON.parse(unknown.text).error.code]).toEqual([500, 'EA101'])
    const noGuid = await send(`${running.url}/api/connector/enqueue/what`, { body: [file] })
    expect([noGuid.status, JSON.parse(noGuid.text).error.code]).toEqual([500, 'EA101'])
    const { id } = await running.activity('OMLegalEntity')
    expect((await send(`${running.url}/api/v1/activities/${id}/disable`, {})).status).toBe(200)
    const disabled = await send(`${running.url}/api/connector/enqueue/${id}`, { body: [file] })
    expect([disabled.status, JSON.parse(disabled.text).error.code]).toEqual([403, 'EA111'])
  })

  it.each([
    ['entity=Customer+groups', 'EA105'],
    ['entity=Nothing', 'EA102'],
    ['company=a%00b', 'EA109'],
    ['format=Word', 'EA115'],
    ['entity=Legal+entities&entity=Customer+groups', 'EA109'],
  ])('answers 400 to %s, with %s', async (query, code) => {
    const before = (await messages()).length
    const { status, text } = await send(`${running.url}/api/connector/enqueue/${activityId}?${query}`, { body: [file] })
    expect([status, JSON.parse(text).error.code]).toEqual([400, code])
    expect(await messages()).toHaveLength(before)
  })

  it('answers 413 to a body that says it is too large, before a byte of it is sent', async () => {
    const headers = { 'content-length': 200_001, expect: '100-continue' }
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const outgoing = request(address, { method: 'POST', headers, agent: false }, (answer) => {
        answer.on('data', (piece) => {
          resolve({ status: answer.statusCode ?? 0, text: String(piece) })
          outgoing.destroy()
        })
      })
      outgoing.on('continue', () => reject(new Error('the body was asked for')))
      outgoing.on('error', reject)
      outgoing.flushHeaders()
    })
    expect([status, JSON.parse(text).error.code]).toEqual([413, 'EA104'])
  })

  it('answers 413 to chunks that turn out too large, and keeps nothing', async () => {
    const before = (await messages()).length
    const { status } = await send(address, { body: Array.from({ length: 11 }, () => 'x'.repeat(20_000)) })
    expect(status).toBe(413)
    expect(await messages()).toHaveLength(before)
    expect(await running.hub.db.query('SELECT FROM entrepot.payload_chunk')).toEqual([])
  })

  it('asks a client that waits for it (Expect: 100-continue) for the body', async () => {
    const { status, wasAsked } = await new Promise<{ status: number; wasAsked: boolean }>((resolve, reject) => {
      let wasAsked = false
      const headers = { 'content-length': file.length, expect: '100-continue' }
      const outgoing = request(address, { method: 'POST', headers, agent: false }, (answer) => {
        answer.resume().on('end', () => resolve({ status: answer.statusCode ?? 0, wasAsked }))
      })
      outgoing.on('continue', () => {
        wasAsked = true
        outgoing.end(file)
      })
      outgoing.on('error', reject)
      outgoing.flushHeaders()
    })
    expect([status, wasAsked]).toEqual([200, true])
  })

  it('refuses compressed bodies', async () => {
    const { status, text } = await send(address, { headers: { 'content-encoding': 'gzip' }, body: [file] })
    expect([status, JSON.parse(text).error.code]).toEqual([415, 'EA109'])
  })

  it('keeps nothing of an upload that breaks off, and takes it for no mistake of ours', async () => {
    const before = (await messages()).length
    const seen: Observation[] = []
    const stop = onObservation((event) => seen.push(event))
    const socket = connect(Number(new URL(running.url).port), '127.0.0.1')
    const path = `/api/connector/enqueue/${activityId}`
    socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 150000\r\n\r\n${'x'.repeat(100_000)}`)
    // More than a message's row holds: the payload store has begun to write.
    await waitFor(async () => (await openTransactions()) > 0, { what: 'an upload under way' })
    socket.destroy()
    await waitFor(async () => (await openTransactions()) === 0, { what: 'the end of the upload' })
    stop()
    expect(await messages()).toHaveLength(before)
    expect(await running.hub.db.query('SELECT FROM entrepot.payload_chunk')).toEqual([])
    expect(seen.filter(({ at }) => at === 'step.failed')).toEqual([])
  })

  async function openTransactions(): Promise<number> {
    const rows = await running.hub.db.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'`,
    )
    return rows.length
  }
})

/** A request whose path goes out as it stands: URL would encode it. */
function rawRequest(
  url: string,
  method: string,
  path: string,
  body: string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    let answer = ''
    socket.on('data', (piece) => {
      answer += String(piece)
    })
    socket.on('error', reject)
    socket.on('end', () => {
      const [head = '', text = ''] = answer.split('\r\n\r\n')
      resolve({ status: Number(head.split(' ')[1]), text })
    })
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
  })
}
