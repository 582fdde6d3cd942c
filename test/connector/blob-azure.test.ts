import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { AnonymousCredential, type BlobDownloadResponseParsed, BlockBlobClient, newPipeline } from '@azure/storage-blob'
import { type RunningHub, runHub } from '../api/running-hub'
import { queueBackends } from '../helpers/queues'
import { keptLocations, linkedFile, someBytes } from './blob-files'

/** What the client of Azure itself makes of our links. */
describe("Azure's own client", () => {
  let running: RunningHub

  beforeAll(async () => {
    running = await runHub(queueBackends[0], { maxMessageBytes: 40_000_000 })
  })
  afterAll(() => running.stop())

  // Refusals are what is tested: they come at once, or not at all.
  const pipeline = newPipeline(new AnonymousCredential(), { retryOptions: { maxTries: 1 } })
  const clientOf = (link: string) => new BlockBlobClient(link, pipeline)
  const newClient = async () => clientOf((await linkedFile(running.hub, running.url)).link())
  const id = (n: number) => Buffer.from(`block-${String(n).padStart(8, '0')}`).toString('base64')
  const refusal = (promise: Promise<unknown>) =>
    promise.then(
      () => 'none',
      (error) => [error.statusCode, error.code],
    )

  const read = async ({ readableStreamBody }: BlobDownloadResponseParsed) => {
    const pieces: Buffer[] = []
    for await (const piece of readableStreamBody ?? []) pieces.push(Buffer.from(piece))
    return Buffer.concat(pieces)
  }

  it('knows the names in a link, at an IP address and at a named host', async () => {
    const { blobId, link } = await linkedFile(running.hub, running.url)
    expect(clientOf(link())).toMatchObject({ accountName: 'dmf', containerName: blobId, name: 'Customer groups.zip' })
    const named = link().replace(/127\.0\.0\.1:\d+/, 'hub.example')
    expect(clientOf(named)).toMatchObject({ containerName: 'dmf', name: `${blobId}/Customer groups.zip` })
  })

  it('uploads in one piece and downloads it again', async () => {
    const client = await newClient()
    expect(await client.exists()).toBe(false)
    const bytes = someBytes(100_000)
    const put = await client.upload(bytes, bytes.length, { blobHTTPHeaders: { blobContentType: 'application/zip' } })
    expect(put).toMatchObject({ etag: expect.stringMatching(/^"0x[0-9A-F]+"$/), isServerEncrypted: false })
    expect(put.requestId).toMatch(/^[0-9a-f-]{36}$/)
    expect(put.clientRequestId).toMatch(/^[0-9a-f-]{36}$/)
    expect(await client.exists()).toBe(true)
    expect(await client.getProperties()).toMatchObject({
      contentLength: bytes.length,
      contentType: 'application/zip',
      blobType: 'BlockBlob',
      etag: put.etag,
      lastModified: put.lastModified,
      acceptRanges: 'bytes',
      contentMD5: new Uint8Array(createHash('md5').update(bytes).digest()),
    })
    expect((await client.downloadToBuffer()).equals(bytes)).toBe(true)
  })

  it('uploads nothing, and downloads nothing', async () => {
    const client = await newClient()
    await client.upload('', 0)
    expect(await client.getProperties()).toMatchObject({ contentLength: 0, blobType: 'BlockBlob' })
    expect(await refusal(client.download(0, 10))).toEqual([416, 'InvalidRange'])
    expect(await read(await client.download())).toEqual(Buffer.alloc(0))
  })

  it('uploads 20 MB in blocks, several at a time, and downloads it in parts', async () => {
    const before = (await keptLocations(running.hub)).length
    const client = await newClient()
    const bytes = someBytes(20 * 1024 * 1024 + 17)
    await client.uploadData(bytes, { maxSingleShotSize: 0, blockSize: 2 * 1024 * 1024, concurrency: 4 })
    const { contentLength, etag } = await client.getProperties()
    expect(contentLength).toBe(bytes.length)
    expect((await client.downloadToBuffer(0, undefined, { blockSize: 3_000_000, concurrency: 3 })).equals(bytes)).toBe(
      true,
    )
    const { committedBlocks, uncommittedBlocks } = await client.getBlockList('all')
    expect(committedBlocks?.map(({ size }) => size)).toEqual([...Array(10).fill(2 * 1024 * 1024), 17])
    expect(uncommittedBlocks).toEqual([])
    // Bytes of the file and nothing besides.
    expect(await keptLocations(running.hub)).toHaveLength(before + 1)
    const part = await client.download(5_000_000, 1_000, { conditions: { ifMatch: etag! } })
    expect(part).toMatchObject({ contentLength: 1_000, contentRange: `bytes 5000000-5000999/${bytes.length}` })
    expect((await read(part)).equals(bytes.subarray(5_000_000, 5_001_000))).toBe(true)
  })

  it('uploads a stream', async () => {
    const client = await newClient()
    const bytes = someBytes(1_000_000)
    const stream = Readable.from(Array.from({ length: 10 }, (_, i) => bytes.subarray(i * 100_000, (i + 1) * 100_000)))
    await client.uploadStream(stream, 150_000, 2)
    expect((await client.downloadToBuffer()).equals(bytes)).toBe(true)
  })

  it('writes as the OpenWrite of .NET does: an empty file, then blocks, a list at each flush, each demanding the last ETag', async () => {
    const client = await newClient()
    let { etag } = await client.upload('', 0)
    const bytes = someBytes(300_000)
    const blocks: string[] = []
    for (let n = 0; n < 3; n++) {
      blocks.push(id(n))
      await client.stageBlock(id(n), bytes.subarray(n * 100_000, (n + 1) * 100_000), 100_000)
      const committed = await client.commitBlockList(blocks, { conditions: { ifMatch: etag! } })
      expect(committed.etag).not.toBe(etag)
      etag = committed.etag
    }
    expect((await client.downloadToBuffer()).equals(bytes)).toBe(true)
  })

  it('is refused with a wrong ETag, and what was there stays', async () => {
    const client = await newClient()
    const first = await client.upload('first', 5)
    await client.upload('second', 6)
    await client.stageBlock(id(1), 'third', 5)
    const conditions = { ifMatch: first.etag! }
    expect(await refusal(client.commitBlockList([id(1)], { conditions }))).toEqual([412, 'ConditionNotMet'])
    expect(await refusal(client.upload('third', 5, { conditions }))).toEqual([412, 'ConditionNotMet'])
    expect(await refusal(client.upload('third', 5, { conditions: { ifNoneMatch: '*' } }))).toEqual([
      409,
      'BlobAlreadyExists',
    ])
    expect(await refusal(client.download(0, undefined, { conditions }))).toEqual([412, 'ConditionNotMet'])
    expect(String(await client.downloadToBuffer())).toBe('second')
    await client.commitBlockList([id(1)])
    expect(String(await client.downloadToBuffer())).toBe('third')
  })

  it('sends a block, or a list, once more when it has not heard the answer', async () => {
    const client = await newClient()
    await client.stageBlock(id(1), 'wrong', 5)
    await client.stageBlock(id(1), 'right', 5)
    await client.stageBlock(id(1), 'right', 5)
    await client.commitBlockList([id(1)])
    await client.commitBlockList([id(1)])
    expect(String(await client.downloadToBuffer())).toBe('right')
  })

  it('is refused a list with a block that was never sent', async () => {
    const client = await newClient()
    await client.stageBlock(id(1), 'one', 3)
    expect(await refusal(client.commitBlockList([id(1), id(2)]))).toEqual([400, 'InvalidBlockList'])
    expect(await client.exists()).toBe(false)
    await client.commitBlockList([id(1), id(1)])
    expect(String(await client.downloadToBuffer())).toBe('oneone')
  })

  it('is refused more bytes than a message may have: in one piece, in a block, and in all blocks together', async () => {
    const client = await newClient()
    const bytes = Buffer.alloc(25_000_000)
    await client.stageBlock(id(1), bytes, bytes.length)
    expect(await refusal(client.stageBlock(id(2), bytes, bytes.length))).toEqual([413, 'RequestBodyTooLarge'])
    // The same block once more does not count twice.
    await client.stageBlock(id(1), bytes, bytes.length)
    const large = Buffer.alloc(40_000_001)
    expect(await refusal(client.upload(large, large.length))).toEqual([413, 'RequestBodyTooLarge'])
    expect(await refusal(client.commitBlockList([id(1), id(1)]))).toEqual([413, 'RequestBodyTooLarge'])
    expect(await client.exists()).toBe(false)
  })

  it('may delete only by a link that says so', async () => {
    const { link } = await linkedFile(running.hub, running.url)
    await clientOf(link('rw')).upload('bytes', 5)
    expect(await refusal(clientOf(link('rw')).delete())).toEqual([403, 'AuthorizationPermissionMismatch'])
    const client = clientOf(link('rwd'))
    await client.delete()
    expect(await client.exists()).toBe(false)
    expect(await refusal(client.upload('bytes', 5))).toEqual([404, 'BlobNotFound'])
  })

  it('is told what is not offered: copies from elsewhere, leases, other types of blobs', async () => {
    const client = await newClient()
    await client.upload('bytes', 5)
    expect(await refusal(client.syncCopyFromURL('http://127.0.0.1:1/secret'))).toEqual([400, 'UnsupportedHeader'])
    expect(await refusal(client.beginCopyFromURL('http://127.0.0.1:1/secret'))).toEqual([400, 'UnsupportedHeader'])
    expect(await refusal(client.stageBlockFromURL(id(1), 'http://127.0.0.1:1/secret'))).toEqual([
      400,
      'UnsupportedHeader',
    ])
    expect(await refusal(client.getBlobLeaseClient().acquireLease(15))).toEqual([400, 'UnsupportedQueryParameter'])
    expect(await refusal(client.setMetadata({ a: 'b' }))).toEqual([400, 'UnsupportedQueryParameter'])
    expect(await refusal(client.getAppendBlobClient().create())).toEqual([400, 'InvalidHeaderValue'])
    expect(String(await client.downloadToBuffer())).toBe('bytes')
  })
})
