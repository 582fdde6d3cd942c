import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { type HttpServer, openHttpServer } from '../../src/platform/http'
import { route } from '../../src/platform/http-route'
import { type Observation, onObservation } from '../../src/platform/observe'
import { object, text, whole } from '../../src/platform/schema'
import { send } from './running-hub'

describe('the web server', () => {
  let server: HttpServer
  let url: string
  let open: () => void
  let entered: Promise<void>
  const broken: string[] = []

  beforeAll(async () => {
    server = await openHttpServer({
      host: 'localhost',
      port: 0,
      publicUrl: undefined,
      maxUploadBytes: 10_000_000,
      rewriteUrl: (path) => path,
      pace: { windowMs: 100, leastBytes: 10 },
    })
    let enter: () => void
    entered = new Promise((resolve) => {
      enter = resolve
    })
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const answers = { 200: { description: 'ok', schema: object({ said: text() }) } }
    const common = { tag: 'test', summary: 'test', answers }
    server.add([
      route({
        ...common,
        method: 'POST',
        path: '/say',
        operation: 'say',
        body: object({ said: text() }, { times: whole() }),
        handle: ({ body }) => ({ body }),
      }),
      route({ ...common, method: 'GET', path: '/bug', operation: 'bug', handle: () => missing().said }),
      route({
        ...common,
        method: 'GET',
        path: '/thing/:id',
        operation: 'thing',
        params: object({ id: text() }),
        handle: () => ({}),
      }),
      route({
        ...common,
        method: 'GET',
        path: '/wait',
        operation: 'wait',
        handle: async () => {
          enter()
          await gate
          return { body: { said: 'at last' } }
        },
      }),
      route({
        ...common,
        method: 'POST',
        path: '/upload',
        operation: 'upload',
        takesBytes: true,
        handle: async ({ bytes }) => {
          let count = 0
          try {
            for await (const piece of bytes) count += piece.length
          } catch (error) {
            broken.push(String(error))
            throw error
          }
          return { body: { said: String(count) } }
        },
      }),
    ])
    url = (await server.listen()).url
  })
  afterAll(() => server.close())

  // Reading a property of nothing is the commonest mistake there is.
  const missing = () => JSON.parse('null') as { said: { body: object } }
  const codeOf = (answer: { status: number; text: string }) => [answer.status, JSON.parse(answer.text).error.code]
  const json = { 'content-type': 'application/json' }

  it('says that a mistake is ours without showing where it is, and logs it', async () => {
    const seen: Observation[] = []
    const stop = onObservation((event) => seen.push(event))
    const answer = await send(`${url}/bug`, { method: 'GET' })
    stop()
    expect(codeOf(answer)).toEqual([500, 'ES901'])
    expect(answer.text).not.toMatch(/Cannot read|\.ts|node_modules/)
    expect(seen).toMatchObject([{ at: 'step.failed', step: 'http', id: 'GET /bug', error: expect.any(TypeError) }])
  })

  it('refuses JSON that is malformed, of another shape, or too large', async () => {
    expect(codeOf(await send(`${url}/say`, { headers: json, body: ['{"said":'] }))).toEqual([400, 'EA109'])
    expect(codeOf(await send(`${url}/say`, { headers: json, body: ['{"said":"a","tims":1}'] }))).toEqual([400, 'EA109'])
    expect(codeOf(await send(`${url}/say`, { headers: json, body: ['{"said":"a","__proto__":{}}'] }))).toEqual([
      400,
      'EA109',
    ])
    expect(
      codeOf(await send(`${url}/say`, { headers: { 'content-type': 'application/xml' }, body: ['<a/>'] })),
    ).toEqual([415, 'EA109'])
    const large = `{"said":"${'a'.repeat(1024 * 1024)}"}`
    expect(
      codeOf(await send(`${url}/say`, { headers: { ...json, 'content-length': large.length }, body: [large] })),
    ).toEqual([413, 'EA109'])
    expect(await send(`${url}/say`, { headers: json, body: ['{"said":"a","times":1}'] })).toMatchObject({ status: 200 })
  })

  it('answers JSON to what it cannot route or read at all', async () => {
    expect(codeOf(await send(`${url}/nothing?x=1`, { method: 'GET' }))).toEqual([404, 'EA108'])
    expect(codeOf(await send(`${url}/say`, { method: 'GET' }))).toEqual([404, 'EA108'])
    expect(codeOf(await send(`${url}/thing/%zz`, { method: 'GET' }))).toEqual([400, 'EA109'])
    expect(codeOf(await send(`${url}/thing/${'x'.repeat(1_001)}`, { method: 'GET' }))).toEqual([414, 'EA109'])
    expect(await raw('what is this\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"EA109"/)
    expect(await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 [\s\S]*EA109/,
    )
  })

  it.each([
    ['a foreign Host', 'GET', { host: 'evil.example' }],
    ['a script of another site', 'POST', { origin: 'https://evil.example' }],
    ['a sandboxed page', 'POST', { origin: 'null' }],
    ['a form of another site', 'POST', { 'sec-fetch-site': 'cross-site' }],
    ['a page of another server on this machine', 'POST', { 'sec-fetch-site': 'same-site' }],
  ])('refuses %s', async (_, method, headers) => {
    expect(codeOf(await send(`${url}/say`, { method, headers: { ...json, ...headers } }))).toEqual([403, 'EA114'])
  })

  it('takes requests of its own pages', async () => {
    const headers = { ...json, origin: url, 'sec-fetch-site': 'same-origin' }
    expect(await send(`${url}/say`, { headers, body: ['{"said":"a"}'] })).toMatchObject({ status: 200 })
  })

  it('cuts off a body that trickles, and lets a steady one take its time', async () => {
    const slow = request(`${url}/upload`, { method: 'POST', agent: false })
    slow.on('error', () => undefined)
    slow.write('a')
    await new Promise((resolve) => slow.on('close', resolve))
    expect(broken).toEqual([expect.stringMatching(/EA109|broke off after 1 bytes/)])
    const steady = request(`${url}/upload`, { method: 'POST', agent: false })
    const answered = once(steady, 'response')
    for (let i = 0; i < 20; i++) {
      steady.write('0123456789')
      await new Promise((resolve) => setTimeout(resolve, 20)) // the pace is what is tested
    }
    steady.end()
    const [answer] = await answered
    expect(answer.statusCode).toBe(200)
    answer.resume()
  })

  it('sends no CORS or server headers, and a policy that lets nothing in from elsewhere', async () => {
    const { headers } = await send(`${url}/nothing`, { method: 'GET' })
    expect(headers['content-security-policy']).toMatch(/default-src 'self'/)
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['access-control-allow-origin']).toBeUndefined()
    expect(headers['x-powered-by']).toBeUndefined()
  })

  it('finishes what is under way when it closes, and then takes no more', async () => {
    const answer = send(`${url}/wait`, { method: 'GET' })
    await entered
    const closed = server.close()
    open()
    expect(await answer).toMatchObject({ status: 200, text: '{"said":"at last"}' })
    await closed
    await expect(send(`${url}/wait`, { method: 'GET' })).rejects.toThrow(/ECONNREFUSED/)
  })

  async function raw(bytes: string): Promise<string> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    let answer = ''
    socket.on('data', (piece) => {
      answer += String(piece)
    })
    socket.write(bytes)
    await once(socket, 'close')
    return answer
  }
})
