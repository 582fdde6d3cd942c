import { putBlock, putBlockList } from '../../src/connector/blob-blocks'
import { createBlob, findBlob, openBlob, putBlob, removeBlob, removeExpiredBlobs } from '../../src/connector/blob-store'
import { blobKey } from '../../src/connector/blob-url'
import type { ListedBlock } from '../../src/connector/block-list'
import { openDatabase } from '../../src/platform/database'
import { armFaults } from '../../src/platform/faults'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { inAnHour, keptLocations, pieces, someBytes } from './blob-files'

describe('stored files', () => {
  let test: TestHub
  let blobId: string

  beforeAll(async () => {
    test = await openTestHub()
  })
  beforeEach(async () => {
    await test.hub.db.query('TRUNCATE entrepot.blob, entrepot.blob_block, entrepot.payload_chunk')
    blobId = (await createBlob(test.hub.db, { name: 'a.zip', expiresAt: inAnHour() })).blobId
  })
  afterEach(() => armFaults(undefined))
  afterAll(() => test.close())

  const put = (...texts: (string | Buffer)[]) => putBlob(test.hub, blobId, pieces(...texts))
  const block = (id: string, text: string | Buffer) => putBlock(test.hub, blobId, id, pieces(text))
  const latest = (...ids: string[]) => ids.map((id): ListedBlock => ({ from: 'Latest', blockId: id }))
  const commit = (...ids: string[]) => putBlockList(test.hub, blobId, latest(...ids))
  const content = async () => {
    const { payloadLocation } = await findBlob(test.hub.db, blobId)
    const read: Uint8Array[] = []
    if (payloadLocation !== null) for await (const piece of test.hub.payloads.open(payloadLocation)) read.push(piece)
    return String(Buffer.concat(read))
  }
  const waiting = async () => (await test.hub.db.query('SELECT FROM entrepot.blob_block')).length
  const kept = () => keptLocations(test.hub)
  const age = (interval: string) =>
    test.hub.db.query('UPDATE entrepot.blob SET taken_at = taken_at - $1::interval', [interval])
  /** What the package API does with an opened file. */
  const storeMessage = (location: string | null) =>
    test.hub.db.query(
      `INSERT INTO entrepot.message (id, entity, origin, bytes, sha256, payload_location)
       VALUES (gen_random_uuid(), 'OMLegalEntity', 'http', 1, '', $1)`,
      [location],
    )

  it('are there once bytes were put, and have only the last ones', async () => {
    await expect(findBlob(test.hub.db, blobId)).rejects.toMatchObject({ status: 404, code: 'EA108' })
    const first = await put('fir', 'st')
    expect(first).toMatchObject({ name: 'a.zip', bytes: 5, contentType: 'application/octet-stream' })
    const second = await put('second')
    expect(second.etag).not.toBe(first.etag)
    expect(await content()).toBe('second')
    expect(await kept()).toEqual([second.payloadLocation])
    await put()
    expect(await kept()).toEqual([])
  })

  it('are put together from new blocks and from their own earlier ones, and forget the blocks left over', async () => {
    await block('AAAA', 'a1 ')
    await block('BBBB', 'b1 ')
    await commit('AAAA', 'BBBB')
    await block('BBBB', 'b2 ')
    await block('CCCC', 'c2 ')
    await block('DDDD', 'd2 ')
    const list: ListedBlock[] = [
      { from: 'Uncommitted', blockId: 'CCCC' },
      { from: 'Committed', blockId: 'BBBB' },
      { from: 'Latest', blockId: 'BBBB' },
      { from: 'Latest', blockId: 'AAAA' },
    ]
    const { payloadLocation } = await putBlockList(test.hub, blobId, list)
    expect(await content()).toBe('c2 b1 b2 a1 ')
    expect(await waiting()).toBe(0)
    expect(await kept()).toEqual([payloadLocation])
    for (const [from, blockId] of [
      ['Uncommitted', 'AAAA'],
      ['Committed', 'DDDD'],
      ['Latest', 'DDDD'],
    ] as const) {
      await expect(putBlockList(test.hub, blobId, [{ from, blockId }])).rejects.toMatchObject({
        reason: 'InvalidBlockList',
      })
    }
    await put('whole')
    await expect(commit('AAAA')).rejects.toMatchObject({ reason: 'InvalidBlockList' })
  })

  it('let one of many writers win who all demand the same ETag', async () => {
    const { etag } = await put('first')
    const writers = Array.from({ length: 6 }, (_, n) =>
      putBlob(test.hub, blobId, pieces(`writer ${n}`), { conditions: { ifMatch: etag } }),
    )
    const outcomes = await Promise.allSettled(writers)
    const won = outcomes.flatMap((one, n) => (one.status === 'fulfilled' ? [`writer ${n}`] : []))
    expect(won).toHaveLength(1)
    expect(await content()).toBe(won[0])
    const lost = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason.reason] : []))
    expect(lost).toEqual(Array(5).fill('ConditionNotMet'))
    expect(await kept()).toHaveLength(1)
  })

  it('have whole bytes of one writer when many write without any condition, in pieces and in blocks', async () => {
    const bytes = Array.from({ length: 4 }, (_, n) => someBytes(1_200_000, n + 3))
    await Promise.all(
      bytes.map(async (mine, n) => {
        await block(`AAA${n}`, mine)
        await Promise.all([put(mine), commit(`AAA${n}`).catch(({ reason }) => expect(reason).toBe('InvalidBlockList'))])
      }),
    )
    const { sha256, payloadLocation } = await findBlob(test.hub.db, blobId)
    const { createHash } = await import('node:crypto')
    expect(bytes.map((mine) => createHash('sha256').update(mine).digest())).toContainEqual(sha256)
    expect(await kept()).toEqual([payloadLocation])
    expect(await waiting()).toBe(0)
  })

  it.each(['blob.beforeCommit', 'blob.afterCommit'])(
    'have all of the earlier or all of the new bytes when a writer ends at %s, and take them once more',
    async (point) => {
      await put('first')
      await block('AAAA', 'second')
      armFaults(`${point}:1:throw`)
      await expect(commit('AAAA')).rejects.toThrow(point)
      armFaults(undefined)
      expect(await content()).toBe(point === 'blob.beforeCommit' ? 'first' : 'second')
      await commit('AAAA')
      expect(await content()).toBe('second')
      const { payloadLocation } = await findBlob(test.hub.db, blobId)
      expect(await kept()).toContain(payloadLocation)
    },
  )

  it('keep the earlier block when a writer of the same one ends half-way', async () => {
    await block('AAAA', 'first')
    armFaults('blob.afterBlock:1:throw')
    await expect(block('AAAA', 'second')).rejects.toThrow('blob.afterBlock')
    armFaults(undefined)
    await commit('AAAA')
    expect(await content()).toBe('first')
  })

  it('are put together many at once over the fewest connections', async () => {
    const small = await openTestHub(undefined, { DATABASE_POOL: '2' })
    const bytes = someBytes(2_500_000)
    const copies = Array.from({ length: 5 }, async () => {
      const made = await createBlob(small.hub.db, { name: 'a.zip', expiresAt: inAnHour() })
      await putBlock(small.hub, made.blobId, 'AAAA', pieces(bytes))
      return putBlockList(small.hub, made.blobId, latest('AAAA', 'AAAA'))
    })
    expect((await Promise.all(copies)).map((made) => made.bytes)).toEqual(Array(5).fill(5_000_000))
    await small.close()
  })

  describe('that a message takes over', () => {
    it('are read by their location, or as nothing', async () => {
      await expect(openBlob(test.hub.db, test.hub.payloads, blobId)).rejects.toMatchObject({ status: 404 })
      const { payloadLocation } = await put('package')
      const opened = await openBlob(test.hub.db, test.hub.payloads, blobId)
      expect(opened).toMatchObject({ blobId, name: 'a.zip', bytes: 7, payloadLocation })
      const read: Uint8Array[] = []
      for await (const piece of opened.read()) read.push(piece)
      expect(String(Buffer.concat(read))).toBe('package')
      await put()
      const empty = await openBlob(test.hub.db, test.hub.payloads, blobId)
      expect(empty).toMatchObject({ bytes: 0, payloadLocation: null })
      for await (const piece of empty.read()) throw new Error(`${piece.length} bytes of nothing`)
    })

    it('keep their bytes while the message is about to be stored, whatever happens to the file', async () => {
      const first = await put('first')
      await openBlob(test.hub.db, test.hub.payloads, blobId)
      const second = await put('second')
      expect(await kept()).toEqual([first.payloadLocation, second.payloadLocation].sort())
      await openBlob(test.hub.db, test.hub.payloads, blobId)
      await removeBlob(test.hub, blobId)
      expect(await kept()).toEqual([first.payloadLocation, second.payloadLocation].sort())
    })

    it('keep them as long as the message has them', async () => {
      const { payloadLocation } = await put('first')
      await openBlob(test.hub.db, test.hub.payloads, blobId)
      await storeMessage(payloadLocation)
      await age('2 hours')
      await put('second')
      expect(await kept()).toContain(payloadLocation)
    })

    it('lose them when no message came of it', async () => {
      await put('first')
      await openBlob(test.hub.db, test.hub.payloads, blobId)
      await age('2 hours')
      const { payloadLocation } = await put('second')
      expect(await kept()).toEqual([payloadLocation])
    })
  })

  it('go with all of their bytes, once or twice', async () => {
    await put('first')
    await block('AAAA', 'second')
    await removeBlob(test.hub, blobId)
    await removeBlob(test.hub, blobId)
    expect([await kept(), await waiting()]).toEqual([[], 0])
    await expect(put('third')).rejects.toMatchObject({ status: 404 })
    await expect(block('AAAA', 'third')).rejects.toMatchObject({ status: 404 })
    await expect(commit()).rejects.toMatchObject({ status: 404 })
    expect(await kept()).toEqual([])
  })

  it('go when their time is over', async () => {
    await put('stays')
    const over = await createBlob(test.hub.db, { name: 'b.zip', expiresAt: new Date(Date.now() - 1_000) })
    await putBlob(test.hub, over.blobId, pieces('goes'))
    await Promise.all([removeExpiredBlobs(test.hub), removeExpiredBlobs(test.hub)])
    await expect(findBlob(test.hub.db, over.blobId)).rejects.toMatchObject({ status: 404 })
    expect(await content()).toBe('stays')
    expect(await kept()).toHaveLength(1)
  })

  it('have links of one key, made by whichever process comes first', async () => {
    const others = Array.from({ length: 4 }, () =>
      openDatabase({ url: test.hub.db.url, poolSize: 1, applicationName: 'test' }),
    )
    const keys = await Promise.all([...others.map(blobKey), blobKey(test.hub.db)])
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1)
    expect(keys[0]).toHaveLength(32)
    await Promise.all(others.map((db) => db.close()))
  })
})
