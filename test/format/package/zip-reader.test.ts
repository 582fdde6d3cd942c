import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { deflateRawSync } from 'node:zlib'
import { ZipFile } from 'yazl'
import { Unavailable } from '../../../src/errors'
import { type ByteSource, bufferSource } from '../../../src/format/byte-source'
import { defaultArchiveLimits } from '../../../src/format/package/archive'
import { openArchive } from '../../../src/format/package/zip-reader'
import { writeArchive } from '../../../src/format/package/zip-writer'
import { chunked } from '../reading'
import { counted, read, refusal, whole } from './archives'
import { content, descriptor, type RawEnd, type RawEntry, rawZip, unicodePath } from './raw-zip'

const good: RawEntry = { name: 'b.csv' }

/** Built at once, as a case that lacks its last part would be given a callback in its place. */
function archives(...cases: [string, RawEntry[], RawEnd?][]): [string, Buffer][] {
  return cases.map(([name, entries, end]) => [name, rawZip(entries, end)])
}

describe('an archive', () => {
  it.each(
    archives(
      ['deflated', [{ name: 'a.csv' }]],
      ['stored', [{ name: 'a.csv', method: 0 }]],
      [
        'with a descriptor behind the data',
        [{ name: 'a.csv', flags: 8, local: { crc: 0, size: 0, compressedSize: 0 }, descriptor: descriptor() }],
      ],
      [
        'with a descriptor that has no signature',
        [
          {
            name: 'a.csv',
            flags: 8,
            local: { crc: 0, size: 0, compressedSize: 0 },
            descriptor: descriptor().subarray(4),
          },
        ],
      ],
      ['with a folder', [{ name: 'Resources/', content: '', method: 0 }, { name: 'a.csv' }]],
      [
        'with a folder by its attributes too',
        [
          { name: 'Resources/', content: '', method: 0, attributes: 0o040755 * 65536 + 16 },
          { name: 'a.csv', attributes: 0o100644 * 65536 },
        ],
      ],
      ['with a comment', [{ name: 'a.csv' }], { comment: Buffer.from('made by hand') }],
      ['with the name in Unicode beside it', [{ name: 'a.csv', extra: unicodePath('a.csv', 'a.csv') }]],
    ),
  )('is read %s', async (_, bytes) => {
    expect(await read(bytes)).toEqual({ 'a.csv': content })
  })

  it('has the names and sizes of its files', async () => {
    const { entries } = await openArchive(
      bufferSource(rawZip([good, { name: 'Resources/a b.xslt' }])),
      defaultArchiveLimits,
    )
    const compressedBytes = deflateRawSync(content).length
    expect(entries).toEqual([
      { name: 'b.csv', bytes: content.length, compressedBytes },
      { name: 'Resources/a b.xslt', bytes: content.length, compressedBytes },
    ])
  })

  it.each([true, false])('is read with records of ZIP64, sizes too: %s', async (sizes) => {
    const zip = new ZipFile()
    zip.addReadStream(Readable.from(chunked('a,b\r\n')), 'a.csv', { forceZip64Format: sizes })
    zip.addBuffer(Buffer.from('x'), 'b.csv', { forceZip64Format: sizes })
    zip.end({ forceZip64Format: true, comment: '' })
    expect(await read(await whole(zip.outputStream as AsyncIterable<Buffer>))).toEqual({
      'a.csv': 'a,b\r\n',
      'b.csv': 'x',
    })
  })

  it('is read name by name in UTF-8, in code page 437, and in the Unicode form beside a name', async () => {
    const raw = Buffer.from('Gr\x81n.csv', 'latin1')
    expect(Object.keys(await read(rawZip([{ name: 'Größe.csv', flags: 0x800 }, { name: raw }])))).toEqual([
      'Größe.csv',
      'Grün.csv',
    ])
    const path = unicodePath(raw, 'Grün 東.csv')
    expect(Object.keys(await read(rawZip([{ name: raw, extra: path }])))).toEqual(['Grün 東.csv'])
  })
})

describe('the limits of an archive', () => {
  const entries = [{ name: 'a.csv' }, { name: 'b.csv' }, { name: 'c.csv' }]

  it('hold for the number of entries', async () => {
    const limits = { ...defaultArchiveLimits, maxEntries: 3 }
    expect(Object.keys(await read(rawZip(entries), limits))).toHaveLength(3)
    expect(await refusal(rawZip(entries), { ...limits, maxEntries: 2 })).toEqual({
      code: 'EF305',
      message: 'The zip file has more than 2 entries.',
    })
  })

  it('hold for all bytes together', async () => {
    const limits = { ...defaultArchiveLimits, maxInflatedBytes: 3 * content.length }
    expect(Object.keys(await read(rawZip(entries), limits))).toHaveLength(3)
    expect(await refusal(rawZip(entries), { ...limits, maxInflatedBytes: 3 * content.length - 1 })).toMatchObject({
      code: 'EF305',
    })
  })

  it('let a table through that deflates well', async () => {
    const rows = Array.from({ length: 100_000 }, (_, index) => `${index % 1000},Group,30 days,EUR\r\n`).join('')
    expect(Object.values(await read(rawZip([{ name: 'a.csv', content: rows }])))).toEqual([rows])
  })

  it('end the reading of a directory that says to be huge', async () => {
    const front = 1024 ** 2
    const bytes = Buffer.concat([
      Buffer.alloc(30 * front),
      rawZip([], { count: 9, directorySize: 29 * front, directoryOffset: front }),
    ])
    bytes.writeUInt32LE(0x02014b50, front)
    const source = counted(bufferSource(bytes))
    expect(await refusal(source)).toMatchObject({ code: 'EF305', message: expect.stringContaining('directory') })
    expect(source.count.bytes).toBeLessThan(front)
  })
})

describe('what is no archive', () => {
  it.each([
    ['no bytes', Buffer.alloc(0)],
    ['a few bytes', Buffer.from('Id')],
    ['a table', Buffer.from('Id,Name\r\n1,x\r\n'.repeat(1000))],
    ['zeros', Buffer.alloc(300_000)],
  ])('is refused: %s', async (_, bytes) => {
    expect(await refusal(bytes)).toEqual({ code: 'EF301', message: 'The file is no zip file.' })
  })

  it('is refused as damaged where it begins like one', async () => {
    const bytes = rawZip([good])
    expect(await refusal(bytes.subarray(0, bytes.length - 5))).toEqual({
      code: 'EF301',
      message: 'The zip file is damaged: end of central directory not found.',
    })
  })
})

describe('the source of an archive', () => {
  /** A source that fails from its `turn`-th reading on. */
  const failing = (source: ByteSource, turn: number): ByteSource => {
    let turns = 0
    return {
      bytes: source.bytes,
      async *open(from, to) {
        if (++turns >= turn) throw new Unavailable('ES102', 'The database went away')
        yield* source.open(from, to)
      },
    }
  }

  it.each([
    ['while the archive is opened', 1],
    ['while a file is read', 2],
  ])('passes its failure on as it is %s', async (_, turn) => {
    const source = failing(bufferSource(rawZip([good])), turn)
    await expect(read(source)).rejects.toThrow(new Unavailable('ES102', 'The database went away'))
    await expect(read(failing(bufferSource(rawZip([{ ...good, method: 0 }])), turn))).rejects.toThrow(Unavailable)
  })

  it('is read once to open a small archive, and once a file', async () => {
    const source = counted(bufferSource(rawZip([{ name: 'a.csv' }, { name: 'b.csv' }])))
    const archive = await openArchive(source, defaultArchiveLimits)
    expect(source.count.opened).toBe(1)
    for (const entry of archive.entries) await whole(archive.open(entry))
    expect(source.count).toMatchObject({ opened: 3, open: 0 })
  })

  describe('of 200 MB in one file', () => {
    const rows = Array.from(
      { length: 20_000 },
      (_, index) => `${index},Customer ${(index * 7919) % 100_003},EUR,30\r\n`,
    )
    const block = Buffer.from(rows.join(''))
    const blocks = Math.ceil((200 * 1024 ** 2) / block.length)
    let folder: string
    let file: ByteSource

    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'entrepot-zip-'))
      const name = path.join(folder, 'large.zip')
      const many = async function* () {
        for (let turn = 0; turn < blocks; turn++) yield block
      }
      await writeFile(name, writeArchive([{ name: 'large.csv', bytes: many() }]))
      const { size } = await stat(name)
      file = { bytes: size, open: (from, to) => createReadStream(name, { start: from, end: to - 1 }) }
    })

    afterAll(() => rm(folder, { recursive: true }))

    it('is read no further ahead than 1 MB of what was taken', async () => {
      const source = counted(file)
      const archive = await openArchive(source, defaultArchiveLimits)
      const [entry] = archive.entries
      const before = { ...source.count }
      let taken = 0
      let furthest = 0
      for await (const piece of archive.open(entry!)) {
        taken += piece.length
        // The file is even, so that as much of its data was needed.
        const needed = (taken / entry!.bytes) * entry!.compressedBytes
        furthest = Math.max(furthest, source.count.bytes - before.bytes - needed)
      }
      expect(taken).toBe(blocks * block.length)
      expect(furthest).toBeLessThan(1024 ** 2)
      expect(source.count).toMatchObject({ opened: before.opened + 1, open: 0 })
    })

    it('waits while nobody takes, and is closed when nobody will', async () => {
      const source = counted(file)
      const archive = await openArchive(source, defaultArchiveLimits)
      const before = source.count.bytes
      const reading = archive.open(archive.entries[0]!)[Symbol.asyncIterator]()
      await reading.next()
      for (let turn = 0; turn < 1000; turn++) await new Promise(setImmediate)
      expect(source.count.bytes - before).toBeLessThan(1024 ** 2)
      expect(source.count.open).toBe(1)
      await reading.return?.()
      await new Promise(setImmediate)
      expect(source.count.open).toBe(0)
    })
  })
})
