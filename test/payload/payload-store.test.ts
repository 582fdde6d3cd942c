import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileStore } from '../../src/payload/file-store'
import type { ByteRange, PayloadStore } from '../../src/payload/payload-store'
import { postgresStore } from '../../src/payload/postgres-store'
import { type Database, openDatabase } from '../../src/platform/database'
import { createTestDatabase, type TestDatabase } from '../helpers/postgres'

let database: TestDatabase
let db: Database
const folder = mkdtempSync(path.join(tmpdir(), 'entrepot-payloads-'))
const files = () =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length
const rows = async () => (await db.query<{ n: number }>('SELECT count(*) AS n FROM entrepot.payload_chunk'))[0]!.n

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase({ url: database.url, poolSize: 4, applicationName: 'test' })
})
afterAll(async () => {
  await db.close()
  await database.drop()
  rmSync(folder, { recursive: true, force: true })
})

const stores: { kind: string; open: () => PayloadStore; kept: () => Promise<number> | number }[] = [
  { kind: 'postgres', open: () => postgresStore(db), kept: rows },
  { kind: 'file', open: () => fileStore(folder), kept: files },
]

describe.each(stores)('the payload store $kind', ({ open, kept, kind }) => {
  const read = async (location: string, range?: ByteRange) => {
    const pieces: Uint8Array[] = []
    for await (const piece of open().open(location, range)) pieces.push(piece)
    return Buffer.concat(pieces)
  }
  async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }

  it.each([1, 1024 * 1024 - 1, 1024 * 1024, 3_500_000])('gives %d bytes back as they came', async (size) => {
    const bytes = Buffer.from(Array.from({ length: size }, (_, i) => (i * 7) % 251))
    const location = await open().keep(inPieces(bytes, 70_001))
    expect(location.startsWith(`${kind}:`)).toBe(true)
    expect((await read(location)).equals(bytes)).toBe(true)
  })

  it('gives any range of the bytes', async () => {
    const bytes = Buffer.from(Array.from({ length: 2_500_000 }, (_, i) => (i * 7) % 251))
    const location = await open().keep(inPieces(bytes, 300_000))
    for (const [from, to] of [
      [0, 0],
      [0, 1],
      [17, 1_200_001],
      [1_048_576, 1_048_577],
      [1_100_000, 2_500_000],
      [0, 2_500_000],
    ] as const) {
      expect((await read(location, { from, to })).equals(bytes.subarray(from, to))).toBe(true)
    }
  })

  it('leaves nothing behind when the bytes break off, and throws what broke them', async () => {
    const before = await kept()
    const breaking = async function* () {
      yield Buffer.alloc(2_000_000)
      throw new Error('broken off')
    }
    await expect(open().keep(breaking())).rejects.toThrow('broken off')
    expect(await kept()).toBe(before)
  })

  it('lists what was kept before a moment, with its size', async () => {
    const listed = async (before: Date) => {
      const found: Record<string, number> = {}
      for await (const { location, bytes } of open().list(before)) found[location] = bytes
      return found
    }
    const location = await open().keep(inPieces(Buffer.alloc(2_500_000), 300_000))
    expect(await listed(new Date(Date.now() + 60_000))).toMatchObject({ [location]: 2_500_000 })
    expect(await listed(new Date(Date.now() - 60_000))).toEqual({})
    await open().remove(location)
    expect(await listed(new Date(Date.now() + 60_000))).not.toHaveProperty([location])
  })

  it('lists more than a page of them', async () => {
    const kept: string[] = []
    for (let n = 0; n < 1_100; n++) kept.push(await open().keep(inPieces(Buffer.from('x'), 1)))
    const found = new Set<string>()
    for await (const { location } of open().list(new Date(Date.now() + 60_000))) found.add(location)
    expect(kept.filter((location) => !found.has(location))).toEqual([])
    for (const location of kept) await open().remove(location)
  })

  it('refuses to open what is not there (ES105): the message can be sent again', async () => {
    const location = await open().keep(inPieces(Buffer.from('x'), 1))
    await open().remove(location)
    await open().remove(location)
    await expect(read(location)).rejects.toMatchObject({ code: 'ES105', name: 'MessageRejected' })
  })
})

it('lists no files but its own, and removes the folder of a day that is over with its last file', async () => {
  const day = path.join(folder, '2026-01-31')
  const name = '0e6c1c84-8ee7-4d0b-a5f5-53d24d2c1f3e'
  mkdirSync(path.join(folder, 'others'))
  mkdirSync(day)
  for (const file of [name, `${name}.partial`, 'notes.txt', '../others/file']) writeFileSync(path.join(day, file), 'x')
  const store = fileStore(folder)
  const found: string[] = []
  for await (const { location } of store.list(new Date('2999-01-01'))) {
    if (location.startsWith('file:2026-01-31')) found.push(location)
  }
  expect(found.sort()).toEqual([`file:2026-01-31/${name}`, `file:2026-01-31/${name}.partial`])
  for (const location of found) await store.remove(location)
  expect(readdirSync(day)).toEqual(['notes.txt'])
  await store.remove('file:2026-01-31/notes.txt')
  expect(existsSync(day)).toBe(false)
  expect(existsSync(path.join(folder, 'others/file'))).toBe(true)
})

it('lists nothing where there is no folder yet', async () => {
  for await (const { location } of fileStore(path.join(folder, 'none')).list(new Date('2999-01-01'))) {
    throw new Error(location)
  }
})

it('keeps files away from other users of the machine', async () => {
  const location = await fileStore(folder).keep(
    (async function* () {
      yield Buffer.from('secret')
    })(),
  )
  const { statSync } = await import('node:fs')
  expect(statSync(path.join(folder, location.replace('file:', ''))).mode & 0o077).toBe(0)
})
