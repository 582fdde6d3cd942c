import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { connect } from 'node:net'
import { type RunningHub, runHub, send } from '../api/running-hub'
import { queueBackends } from '../helpers/queues'
import { waitFor } from '../helpers/wait-for'
import { keptLocations, type LinkedFile, linkedFile } from './blob-files'

describe('a signed link over plain HTTP', () => {
  let running: RunningHub
  let file: LinkedFile

  beforeAll(async () => {
    running = await runHub(queueBackends[0], { maxMessageBytes: 200_000 })
  })
  beforeEach(async () => {
    file = await linkedFile(running.hub, running.url)
  })
  afterAll(() => running.stop())

  const put = (body: readonly string[], headers = {}, link = file.link()) =>
    send(link, { method: 'PUT', headers, body })
  const get = (headers = {}, link = file.link()) => send(link, { method: 'GET', headers })
  const refusal = ({ status, headers, text }: Awaited<ReturnType<typeof send>>) => {
    expect(headers['content-type']).toBe('application/xml')
    const [, code] =
      /^<\?xml version="1\.0" encoding="utf-8"\?><Error><Code>(\w+)<\/Code><Message>[^<>]+<\/Message><\/Error>$/.exec(
        text,
      ) ?? []
    expect(headers['x-ms-error-code']).toBe(code)
    return [status, code]
  }

  it('takes the upload of a scheduler: three headers, no Content-Type, no Authorization', async () => {
    const headers = { 'x-ms-date': new Date().toUTCString(), 'x-ms-blob-type': 'BlockBlob', Overwrite: 'T' }
    const answer = await put(['PK', 'zip'], headers)
    expect(answer).toMatchObject({ status: 201, text: '' })
    expect(answer.headers).toMatchObject({
      etag: expect.stringMatching(/^"0x[0-9A-F]{16}"$/),
      'last-modified': expect.stringMatching(/ GMT$/),
      date: expect.stringMatching(/ GMT$/),
      'content-md5': createHash('md5').update('PKzip').digest('base64'),
      'x-ms-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      'x-ms-version': '2021-12-02',
      'x-ms-request-server-encrypted': 'false',
    })
    expect(await get()).toMatchObject({ status: 200, text: 'PKzip' })
  })

  it.each([
    { 'content-type': 'application/zip' },
    { 'content-type': 'application/octet-stream', 'x-ms-blob-type': 'BlockBlob', 'x-ms-version': '2015-02-21' },
    { 'content-type': 'nonsense' },
    { authorization: 'Bearer of-something-else' },
    { 'content-length': '5' },
  ])('takes the upload of a script that sends %j', async (headers) => {
    expect(await put(['bytes'], headers)).toMatchObject({ status: 201 })
    const { headers: got, text } = await get()
    expect(text).toBe('bytes')
    expect(got['content-type']).toBe('content-type' in headers ? headers['content-type'] : 'application/octet-stream')
  })

  it('takes a file without bytes', async () => {
    expect(await put([], { 'content-length': '0' })).toMatchObject({ status: 201 })
    expect(await get()).toMatchObject({ status: 200, text: '', headers: { 'content-length': '0' } })
    expect(refusal(await get({ range: 'bytes=0-' }))).toEqual([416, 'InvalidRange'])
  })

  it('gives the part that a range asks for', async () => {
    await put(['0123456789'])
    for (const [headers, text, range] of [
      [{ range: 'bytes=2-4' }, '234', 'bytes 2-4/10'],
      [{ 'x-ms-range': 'bytes=8-' }, '89', 'bytes 8-9/10'],
      [{ range: 'bytes=-3' }, '789', 'bytes 7-9/10'],
      [{ 'x-ms-range': 'bytes=0-0', range: 'bytes=5-5' }, '0', 'bytes 0-0/10'],
    ] as const) {
      expect(await get(headers)).toMatchObject({
        status: 206,
        text,
        headers: { 'content-range': range, 'content-length': String(text.length) },
      })
    }
    expect(await get({ range: 'bytes=1-2,4-5' })).toMatchObject({ status: 200, text: '0123456789' })
    const beyond = await get({ range: 'bytes=10-' })
    expect([...refusal(beyond), beyond.headers['content-range']]).toEqual([416, 'InvalidRange', 'bytes */10'])
  })

  it('gives the properties alone to HEAD, and says 304 to who has the file', async () => {
    expect((await send(file.link(), { method: 'HEAD' })).headers['x-ms-error-code']).toBe('BlobNotFound')
    const { etag } = (await put(['0123456789'])).headers
    const head = await send(file.link(), { method: 'HEAD', headers: { 'x-ms-client-request-id': 'mine' } })
    expect(head).toMatchObject({
      status: 200,
      text: '',
      headers: { etag, 'content-length': '10', 'accept-ranges': 'bytes', 'x-ms-client-request-id': 'mine' },
    })
    for (const method of ['GET', 'HEAD']) {
      const answer = await send(file.link(), { method, headers: { 'if-none-match': String(etag) } })
      expect(answer).toMatchObject({ status: 304, text: '', headers: { etag } })
    }
  })

  it('never lets a browser show what was uploaded as a page of ours', async () => {
    await put(['<script>'], { 'content-type': 'text/html' })
    expect((await get()).headers).toMatchObject({
      'content-disposition': 'attachment',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
    })
  })

  it('is valid however a client has encoded it', async () => {
    const [path, query] = file.link().split('?') as [string, string]
    const again = `${path.replace('groups', '%67roups')}?${query.split('&').reverse().join('&').replaceAll('%3A', ':').replaceAll('=rw', '=%72%77')}`
    expect(await put(['bytes'], {}, `${again}&timeout=90`)).toMatchObject({ status: 201 })
    expect(
      await get({}, path.replace(file.blobId, `%7B${file.blobId.toUpperCase()}%7D`).concat(`?${query}`)),
    ).toMatchObject({ text: 'bytes' })
  })

  it('lets nobody in whose link is expired, tampered with, for another file, or for another purpose', async () => {
    await put(['bytes'])
    const other = await linkedFile(running.hub, running.url)
    const link = file.link()
    for (const wrong of [
      file.link('rw', new Date(Date.now() - 1_000)),
      link.replace(/sig=.{4}/, 'sig=AAAA'),
      link.replace('groups', 'group'),
      link.replace('sp=rw', 'sp=rwd'),
      link.replace(file.blobId, other.blobId),
      link.replace(file.blobId, 'no-guid'),
      link.split('?')[0]!,
    ]) {
      expect(refusal(await get({}, wrong))).toEqual([403, 'AuthenticationFailed'])
      expect(refusal(await put(['evil'], {}, wrong))).toEqual([403, 'AuthenticationFailed'])
    }
    expect(refusal(await put(['evil'], {}, file.link('r')))).toEqual([403, 'AuthorizationPermissionMismatch'])
    expect(refusal(await get({}, file.link('w')))).toEqual([403, 'AuthorizationPermissionMismatch'])
    expect(refusal(await get({}, `${link}&sig=twice`))[0]).toBe(400)
    expect((await get()).text).toBe('bytes')
  })

  it('is of no use to a page of another site', async () => {
    expect(refusal(await put(['evil'], { origin: 'https://evil.example' }))).toEqual([403, 'AuthorizationFailure'])
    expect(refusal(await get({ host: 'evil.example' }))).toEqual([403, 'AuthorizationFailure'])
  })

  it('checks the MD5 that a client sends', async () => {
    await put(['first'])
    const md5 = createHash('md5').update('second').digest('base64')
    expect(refusal(await put(['secxnd'], { 'content-md5': md5 }))).toEqual([400, 'Md5Mismatch'])
    expect(refusal(await put(['second'], { 'content-md5': 'short' }))).toEqual([400, 'InvalidMd5'])
    const block = `${file.link()}&comp=block&blockid=QUFB`
    expect(refusal(await put(['secxnd'], { 'content-md5': md5 }, block))).toEqual([400, 'Md5Mismatch'])
    expect((await get()).text).toBe('first')
    expect(await put(['second'], { 'content-md5': md5 })).toMatchObject({ status: 201 })
  })

  it('refuses a body over the limit, whether it says so or turns out so, and keeps the earlier bytes', async () => {
    await put(['first'])
    const before = await keptLocations(running.hub)
    expect(refusal(await put(['x'], { 'content-length': '200001' }))).toEqual([413, 'RequestBodyTooLarge'])
    expect(refusal(await put(Array(11).fill('x'.repeat(20_000))))).toEqual([413, 'RequestBodyTooLarge'])
    expect(await keptLocations(running.hub)).toEqual(before)
    expect((await get()).text).toBe('first')
  })

  it('keeps the earlier bytes when an upload breaks off', async () => {
    await put(['first'])
    const before = await keptLocations(running.hub)
    const { port, pathname, search } = new URL(file.link())
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(
      `PUT ${pathname}${search} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 150000\r\n\r\n${'x'.repeat(100_000)}`,
    )
    const openTransactions = () =>
      running.hub.db.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'`,
      )
    await waitFor(async () => (await openTransactions()).length > 0, { what: 'an upload under way' })
    socket.destroy()
    await waitFor(async () => (await openTransactions()).length === 0, { what: 'the end of the upload' })
    expect((await get()).text).toBe('first')
    expect(await keptLocations(running.hub)).toEqual(before)
  })

  it('asks a client that waits for it (Expect: 100-continue) for the body, but not one whose link is wrong', async () => {
    const expecting = (link: string) =>
      new Promise<{ status: number; wasAsked: boolean }>((resolve, reject) => {
        let wasAsked = false
        const headers = { 'content-length': 5, expect: '100-continue' }
        const outgoing = request(link, { method: 'PUT', headers, agent: false }, (answer) => {
          answer.resume().on('close', () => resolve({ status: answer.statusCode ?? 0, wasAsked }))
          if (!wasAsked) outgoing.destroy()
        })
        outgoing.on('continue', () => {
          wasAsked = true
          outgoing.end('bytes')
        })
        outgoing.on('error', reject)
        outgoing.flushHeaders()
      })
    expect(await expecting(file.link())).toEqual({ status: 201, wasAsked: true })
    expect(await expecting(file.link('r'))).toEqual({ status: 403, wasAsked: false })
  })

  it.each([
    ['an unknown operation', 'comp=appendblock', {}, [400, 'UnsupportedQueryParameter']],
    ['a block without an id', 'comp=block', {}, [400, 'InvalidBlobOrBlock']],
    ['a list that is no list', 'comp=blocklist', {}, [400, 'InvalidXmlDocument']],
    ['a copy of what is elsewhere', '', { 'x-ms-copy-source': 'http://127.0.0.1/' }, [400, 'UnsupportedHeader']],
    ['a framed body', '', { 'x-ms-structured-body': 'XSM/1.0; properties=crc64' }, [400, 'UnsupportedHeader']],
    ['a page blob', '', { 'x-ms-blob-type': 'PageBlob' }, [400, 'InvalidHeaderValue']],
    ['a compressed body', '', { 'content-encoding': 'gzip' }, [415, 'UnsupportedHeader']],
  ])('refuses %s', async (_, query, headers, expected) => {
    expect(refusal(await put(['bytes'], headers, `${file.link()}&${query}`))).toEqual(expected)
    expect(refusal(await get())).toEqual([404, 'BlobNotFound'])
  })
})
