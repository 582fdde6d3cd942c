import fc from 'fast-check'
import { Unavailable } from '../../../src/errors'
import { bufferSource } from '../../../src/format/byte-source'
import { defaultArchiveLimits } from '../../../src/format/package/archive'
import { nameFault, twinKey } from '../../../src/format/package/zip-names'
import { openArchive } from '../../../src/format/package/zip-reader'
import { type FileToWrite, writeArchive } from '../../../src/format/package/zip-writer'
import { chunked } from '../reading'
import { counted, read, whole } from './archives'

const file = (name: string, text = 'Id\r\n1\r\n'): FileToWrite => ({ name, bytes: chunked(text) })

/** Names that a file of a package can have. */
const names = fc
  .oneof(
    fc.constantFrom('Customer groups.csv', 'Größe é.xml', 'constructor', '__proto__'),
    fc.string({ unit: 'grapheme' }),
  )
  .filter((name) => nameFault(name) === undefined && !/\/|\.zip$/i.test(name))

describe('writeArchive', () => {
  it('writes what the reader reads back', async () => {
    const files = fc.uniqueArray(
      fc.tuple(names, fc.uint8Array({ maxLength: 5_000 }), fc.integer({ min: 1, max: 500 })),
      {
        minLength: 1,
        selector: ([name]) => twinKey(name),
      },
    )
    await fc.assert(
      fc.asyncProperty(files, async (written) => {
        const bytes = await whole(
          writeArchive(written.map(([name, content, size]) => ({ name, bytes: chunked(Buffer.from(content), size) }))),
        )
        const archive = await openArchive(bufferSource(bytes), defaultArchiveLimits)
        expect(archive.entries.map(({ name }) => name)).toEqual(written.map(([name]) => name))
        for (const [index, entry] of archive.entries.entries()) {
          const content = Buffer.from(written[index]![1])
          expect(entry.bytes).toBe(content.length)
          expect((await whole(archive.open(entry))).equals(content)).toBe(true)
        }
      }),
    )
  })

  it('writes the same bytes for the same files, whatever their pieces', async () => {
    const text = 'Id,Name\r\n'.repeat(20_000)
    const write = (size: number) => whole(writeArchive([{ name: 'a.csv', bytes: chunked(text, size) }, file('b.csv')]))
    const first = await write(1_000)
    expect((await write(77)).equals(first)).toBe(true)
    expect((await write(text.length)).equals(first)).toBe(true)
  })

  it('dates every file at the first moment that a zip can hold', async () => {
    const bytes = await whole(writeArchive([file('a.csv')]))
    // Time and date of the first header: midnight, 1 January 1980 (PKWARE APPNOTE 4.4.6).
    expect([bytes.readUInt16LE(10), bytes.readUInt16LE(12)]).toEqual([0, 0x21])
  })

  it('takes one file after another, from a list that comes in time', async () => {
    const steps: string[] = []
    const told = async function* (name: string) {
      steps.push(`${name} begins`)
      yield Buffer.from(name)
      steps.push(`${name} ends`)
    }
    const files = async function* () {
      for (const name of ['a.csv', 'b.csv']) {
        steps.push(`${name} is asked for`)
        yield { name, bytes: told(name) }
      }
    }
    expect(await read(await whole(writeArchive(files())))).toEqual({ 'a.csv': 'a.csv', 'b.csv': 'b.csv' })
    expect(steps).toEqual(
      ['a.csv', 'b.csv'].flatMap((name) => [`${name} is asked for`, `${name} begins`, `${name} ends`]),
    )
  })

  it('fails as a file fails', async () => {
    const failing = async function* () {
      yield Buffer.alloc(100_000)
      throw new Unavailable('ES102', 'The database went away')
    }
    const archive = writeArchive([file('a.csv'), { name: 'b.csv', bytes: failing() }])
    await expect(whole(archive)).rejects.toThrow(new Unavailable('ES102', 'The database went away'))
  })

  it('fails as the list of files fails', async () => {
    const files = async function* () {
      yield file('a.csv')
      throw new Unavailable('ES102', 'The database went away')
    }
    await expect(whole(writeArchive(files()))).rejects.toThrow(Unavailable)
  })

  it('closes the file under way when nobody reads on', async () => {
    const random = Buffer.from(Array.from({ length: 1024 ** 2 }, (_, index) => (index * index * 31) >> 7))
    const source = counted({
      bytes: 100 * random.length,
      async *open() {
        for (let turn = 0; turn < 100; turn++) yield random
      },
    })
    const archive = writeArchive([{ name: 'a.csv', bytes: source.open(0, source.bytes) }])
    for await (const piece of archive) if (piece.length > 1_000) break
    expect(source.count).toMatchObject({ opened: 1, open: 0 })
    expect(source.count.bytes).toBeLessThan(20 * random.length)
  })

  it.each(['x/a.csv', '', '../a.csv', 'nul.csv', 'a\\b.csv', '/a.csv'])('refuses the name %j', async (name) => {
    await expect(whole(writeArchive([file(name)]))).rejects.toThrow('is no name for a file of a package')
  })

  it('refuses a name that is there already', async () => {
    await expect(whole(writeArchive([file('a.csv'), file('A.csv')]))).rejects.toThrow("'A.csv' is no name")
  })
})
