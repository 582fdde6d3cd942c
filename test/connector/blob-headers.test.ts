import fc from 'fast-check'
import { demandForRead, demandForWrite } from '../../src/connector/blob-conditions'
import { rangeOf } from '../../src/connector/blob-range'
import { checkedBlockId, readBlockList } from '../../src/connector/block-list'

describe('a Range', () => {
  it.each([
    ['bytes=0-', 10, { from: 0, to: 10 }],
    ['bytes=0-0', 10, { from: 0, to: 1 }],
    ['bytes=3-5', 10, { from: 3, to: 6 }],
    ['bytes=9-100', 10, { from: 9, to: 10 }],
    ['bytes=-3', 10, { from: 7, to: 10 }],
    ['bytes=-30', 10, { from: 0, to: 10 }],
    [' Bytes = 1 - 2 ', 10, { from: 1, to: 3 }],
  ])('%s of %d bytes is %j', (header, bytes, range) => {
    expect(rangeOf(header, bytes)).toEqual(range)
  })

  it.each([undefined, '', 'bytes=-', 'bytes=5-3', 'bytes=0-1,3-4', 'lines=1-2', 'bytes=a-b', '0-5'])(
    '%s means all of the file',
    (header) => {
      expect(rangeOf(header, 10)).toBeUndefined()
    },
  )

  it.each([
    ['bytes=10-', 10],
    ['bytes=10-20', 10],
    ['bytes=-0', 10],
    ['bytes=0-', 0],
    ['bytes=-5', 0],
  ])('%s of %d bytes cannot be satisfied', (header, bytes) => {
    expect(() => rangeOf(header, bytes)).toThrow(
      expect.objectContaining({
        status: 416,
        reason: 'InvalidRange',
        headers: { 'content-range': `bytes */${bytes}` },
      }),
    )
  })
})

describe('a condition', () => {
  const version = { etag: '0xAB', modifiedAt: new Date('2026-03-01T12:00:00.500Z') }
  const write = (...given: Parameters<typeof demandForWrite>) => {
    try {
      demandForWrite(...given)
      return 'passes'
    } catch (error) {
      return (error as { reason: string }).reason
    }
  }

  it.each([
    [{}, 'passes', 'passes'],
    [{ ifMatch: '"0xAB"' }, 'passes', 'ConditionNotMet'],
    [{ ifMatch: '0xAB' }, 'passes', 'ConditionNotMet'],
    [{ ifMatch: '"0x1", "0xAB"' }, 'passes', 'ConditionNotMet'],
    [{ ifMatch: '*' }, 'passes', 'ConditionNotMet'],
    [{ ifMatch: '"0xCD"' }, 'ConditionNotMet', 'ConditionNotMet'],
    [{ ifNoneMatch: '*' }, 'BlobAlreadyExists', 'passes'],
    [{ ifNoneMatch: '"0xAB"' }, 'ConditionNotMet', 'passes'],
    [{ ifNoneMatch: '"0xCD"' }, 'passes', 'passes'],
    [{ ifUnmodifiedSince: 'Sun, 01 Mar 2026 12:00:00 GMT' }, 'passes', 'passes'],
    [{ ifUnmodifiedSince: 'Sun, 01 Mar 2026 11:59:59 GMT' }, 'ConditionNotMet', 'passes'],
    [{ ifModifiedSince: 'Sun, 01 Mar 2026 11:59:59 GMT' }, 'passes', 'passes'],
    [{ ifModifiedSince: 'Sun, 01 Mar 2026 12:00:00 GMT' }, 'ConditionNotMet', 'passes'],
  ])('%j on writing: %s where the file is there, %s where it is not', (conditions, there, notThere) => {
    expect([write(version, conditions), write(undefined, conditions)]).toEqual([there, notThere])
  })

  it('on reading tells who has the file already, and refuses who wants another', () => {
    expect(demandForRead(version, { ifNoneMatch: '"0xAB"' })).toEqual({ isUnchanged: true })
    expect(demandForRead(version, { ifNoneMatch: '"0xCD"' })).toEqual({ isUnchanged: false })
    expect(demandForRead(version, { ifModifiedSince: 'Sun, 01 Mar 2026 12:00:00 GMT' })).toEqual({ isUnchanged: true })
    expect(() => demandForRead(version, { ifMatch: '"0xCD"' })).toThrow(expect.objectContaining({ status: 412 }))
  })
})

describe('a list of blocks', () => {
  const kinds = fc.constantFrom('Latest', 'Committed', 'Uncommitted')
  const ids = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('base64'))
  const spaces = fc.stringMatching(/^[ \r\n\t]{0,3}$/)

  it('is read as clients write it', () => {
    const block = fc.record({ from: kinds, blockId: ids, before: spaces, within: spaces })
    const heads = fc.constantFrom('', '\ufeff', '<?xml version="1.0" encoding="utf-8"?>', '<?xml version="1.0"?>\r\n')
    const tags = fc.constantFrom('<BlockList>', '<BlockList xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">')
    fc.assert(
      fc.property(fc.array(block), heads, tags, spaces, (blocks, head, tag, end) => {
        const elements = blocks.map((b) => `${b.before}<${b.from}>${b.within}${b.blockId}${b.within}</${b.from}>`)
        const list = readBlockList(`${head}${tag}${elements.join('')}${end}</BlockList>${end}`)
        expect(list).toEqual(blocks.map(({ from, blockId }) => ({ from, blockId })))
      }),
    )
    expect(readBlockList('<BlockList />')).toEqual([])
    expect(readBlockList('<?xml version="1.0" encoding="utf-8"?><BlockList/>')).toEqual([])
  })

  it.each([
    '',
    '<BlockList>',
    '<BlockList/>more',
    '<BlockList><Latest>QUFB</Latest>',
    '<BlockList><Newest>QUFB</Newest></BlockList>',
    '<BlockList><Latest>QUFB</Committed></BlockList>',
    '<BlockList><Latest>a b</Latest></BlockList>',
    '<BlockList><Latest></Latest></BlockList>',
    '<BlockList>QUFB</BlockList>',
    '<!DOCTYPE BlockList [<!ENTITY a "b">]><BlockList><Latest>&a;</Latest></BlockList>',
    '<Blocks><Latest>QUFB</Latest></Blocks>',
  ])('is refused when it is %s', (xml) => {
    expect(() => readBlockList(xml)).toThrow(expect.objectContaining({ status: 400, reason: 'InvalidXmlDocument' }))
  })

  it('takes no longer for a hostile body than for a large one', () => {
    const began = performance.now()
    for (const xml of [' '.repeat(4_000_000), `<?xml${' '.repeat(4_000_000)}`, `<BlockList${' '.repeat(4_000_000)}`]) {
      expect(() => readBlockList(xml)).toThrow(/no list of blocks/)
    }
    expect(performance.now() - began).toBeLessThan(2_000)
  })

  it('has 50,000 blocks at most', () => {
    const list = (count: number) => `<BlockList>${'<Latest>QUFB</Latest>'.repeat(count)}</BlockList>`
    expect(readBlockList(list(50_000))).toHaveLength(50_000)
    expect(() => readBlockList(list(50_001))).toThrow(expect.objectContaining({ reason: 'BlockCountExceedsLimit' }))
  })

  it('names blocks by base64 of at most 64 bytes, in which a space stands for a +', () => {
    expect(checkedBlockId('QU B')).toBe('QU+B')
    expect(checkedBlockId(Buffer.alloc(64).toString('base64'))).toMatch(/^A{86}==$/)
    for (const wrong of [undefined, '', 'a-b', 'A===', 'A'.repeat(89)]) {
      expect(() => checkedBlockId(wrong)).toThrow(expect.objectContaining({ status: 400 }))
    }
  })
})
