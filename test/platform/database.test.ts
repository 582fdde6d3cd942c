import { Unavailable } from '../../src/errors'
import { type Database, openDatabase } from '../../src/platform/database'
import { sqlState } from '../../src/platform/database-errors'
import { createTestDatabase, type TestDatabase } from '../helpers/postgres'
import { waitFor } from '../helpers/wait-for'

let own: TestDatabase
let database: Database

beforeAll(async () => {
  own = await createTestDatabase()
  database = openDatabase({ url: own.url, poolSize: 3, applicationName: 'database.test' })
  await database.query('CREATE TABLE item (id int PRIMARY KEY, name text)')
})
afterAll(async () => {
  await database.close()
  await own.drop()
})
beforeEach(() => database.query('TRUNCATE item'))

const names = async () =>
  (await database.query<{ name: string }>('SELECT name FROM item ORDER BY id')).map((r) => r.name)

describe('values', () => {
  it('gives counts as numbers, and bigints beyond exactness as text', async () => {
    const [row] = await database.query('SELECT count(*) AS n, 9007199254740993::int8 AS big')
    expect(row).toEqual({ n: 1, big: '9007199254740993' })
  })

  it('gives dates and decimals as Postgres writes them, and timestamptz as a Date', async () => {
    const sql = `SELECT '2026-03-29'::date d, 1.50::numeric n, '2026-01-02 03:04:05'::timestamp t, '2026-01-02T03:04:05Z'::timestamptz z`
    const [row] = await database.query(sql)
    expect(row).toEqual({ d: '2026-03-29', n: '1.50', t: '2026-01-02 03:04:05', z: new Date('2026-01-02T03:04:05Z') })
  })

  it('counts the rows that a statement affected', async () => {
    expect(await database.count("INSERT INTO item VALUES (1, 'a'), (2, 'b')")).toBe(2)
  })
})

describe('transaction', () => {
  it('commits what the work did', async () => {
    await database.transaction((tx) => tx.query("INSERT INTO item VALUES (1, 'kept')"))
    expect(await names()).toEqual(['kept'])
  })

  it('rolls back and passes on what the work throws', async () => {
    const work = database.transaction(async (tx) => {
      await tx.query("INSERT INTO item VALUES (1, 'lost')")
      throw new Error('stop')
    })
    await expect(work).rejects.toThrow('stop')
    expect(await names()).toEqual([])
  })

  it('passes an error of the data on unchanged, with its SQLSTATE', async () => {
    const error = await database
      .transaction((tx) => tx.query("INSERT INTO item VALUES (1, 'a'), (1, 'b')"))
      .catch((thrown) => thrown)
    expect(sqlState(error)).toBe('23505')
    expect(error).not.toBeInstanceOf(Unavailable)
  })

  it('does not report success when the work swallowed an error that aborted the transaction', async () => {
    const work = database.transaction(async (tx) => {
      await tx.query("INSERT INTO item VALUES (1, 'lost')")
      await tx.query('SELECT 1/0').catch(() => undefined)
    })
    await expect(work).rejects.toThrow('rolled back')
    expect(await names()).toEqual([])
  })

  it('is Unavailable when its connection is cut, and the pool goes on with another', async () => {
    const work = database.transaction(async (tx) => {
      const [me] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      await database.query('SELECT pg_terminate_backend($1)', [me?.pid])
      await tx.query('SELECT 1')
    })
    await expect(work).rejects.toThrow(Unavailable)
    expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('is Unavailable when no server listens', async () => {
    const away = openDatabase({ url: 'postgres://a:b@127.0.0.1:1/c', poolSize: 1, applicationName: 'away' })
    await expect(away.transaction((tx) => tx.query('SELECT 1'))).rejects.toMatchObject({ code: 'ES102' })
    await away.close()
  })

  it('is Unavailable for the victim of a deadlock', async () => {
    await database.query("INSERT INTO item VALUES (1, 'a'), (2, 'b')")
    const lock = 'SELECT 1 FROM item WHERE id = $1 FOR UPDATE'
    const locked: number[] = []
    const inOrder = (first: number, second: number) =>
      database.transaction(async (tx) => {
        await tx.query(lock, [first])
        locked.push(first)
        await waitFor(() => locked.length === 2, { what: 'both first locks' })
        await tx.query(lock, [second])
      })
    const ends = await Promise.allSettled([inOrder(1, 2), inOrder(2, 1)])
    const failed = ends.filter((end) => end.status === 'rejected')
    expect(failed).toHaveLength(1)
    expect(failed[0]?.reason).toBeInstanceOf(Unavailable)
    expect(sqlState(failed[0]?.reason)).toBe('40P01')
  })
})

describe('copyIn', () => {
  it('stores the rows and gives their number', async () => {
    const rows = await database.transaction(async (tx) => {
      const copy = tx.copyIn('COPY item FROM STDIN')
      await copy.write(Buffer.from('1\tone\n2\tt'))
      await copy.write(Buffer.from('wo\n'))
      return copy.end()
    })
    expect(rows).toBe(2)
    expect(await names()).toEqual(['one', 'two'])
  })

  it('lets the caller use the buffer again once write has resolved', async () => {
    const bytes = Buffer.alloc(1 << 20)
    const rowsEach = 10_000
    await database.transaction(async (tx) => {
      const copy = tx.copyIn('COPY item FROM STDIN')
      for (let piece = 0; piece < 20; piece++) {
        let end = 0
        for (let i = 0; i < rowsEach; i++) end += bytes.write(`${piece * rowsEach + i}\t${'x'.repeat(80)}\n`, end)
        await copy.write(bytes.subarray(0, end))
        bytes.fill(0)
      }
      await copy.end()
    })
    const [row] = await database.query("SELECT count(*) AS n FROM item WHERE name = repeat('x', 80)")
    expect(row).toEqual({ n: 20 * rowsEach })
  })

  it('throws what Postgres found wrong, and the connection goes on', async () => {
    const work = database.transaction(async (tx) => {
      const copy = tx.copyIn('COPY item FROM STDIN')
      await copy.write(Buffer.from('one\tno number\n'))
      await copy.end()
    })
    expect(sqlState(await work.catch((error) => error))).toBe('22P02')
    expect(await names()).toEqual([])
  })

  it('throws for a table that does not exist, rather than waiting for ever', async () => {
    const work = database.transaction((tx) => tx.copyIn('COPY nothing FROM STDIN').write(Buffer.from('x\n')))
    expect(sqlState(await work.catch((error) => error))).toBe('42P01')
  })

  it('leaves nothing of an aborted COPY', async () => {
    const work = database.transaction(async (tx) => {
      const copy = tx.copyIn('COPY item FROM STDIN')
      await copy.write(Buffer.from('1\tone\n'))
      await copy.abort('enough')
      throw new Error('gave up')
    })
    await expect(work).rejects.toThrow('gave up')
    expect(await names()).toEqual([])
  })

  it('rolls back when the work throws in the middle of it', async () => {
    const work = database.transaction(async (tx) => {
      await tx.copyIn('COPY item FROM STDIN').write(Buffer.from('1\tone\n'))
      throw new Error('in the middle')
    })
    await expect(work).rejects.toThrow('in the middle')
    expect(await names()).toEqual([])
  })

  it('is Unavailable when the connection is cut in the middle', async () => {
    const work = database.transaction(async (tx) => {
      const [me] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      const copy = tx.copyIn('COPY item FROM STDIN')
      await copy.write(Buffer.from('1\tone\n'))
      await database.query('SELECT pg_terminate_backend($1)', [me?.pid])
      const bytes = Buffer.alloc(1 << 16, '2\ttwo\n')
      for (;;) await copy.write(bytes)
    })
    await expect(work).rejects.toThrow(Unavailable)
  })
})

describe('copyOut', () => {
  it('gives the bytes as the server sends them', async () => {
    const text = await database.transaction(async (tx) => {
      const pieces: Buffer[] = []
      for await (const piece of tx.copyOut('COPY (SELECT generate_series(1, 50000)) TO STDOUT')) pieces.push(piece)
      return Buffer.concat(pieces).toString()
    })
    expect(text.trimEnd().split('\n')).toHaveLength(50_000)
  })

  it('may be left early: the transaction then rolls back and the pool goes on', async () => {
    const work = database.transaction(async (tx) => {
      for await (const _ of tx.copyOut('COPY (SELECT generate_series(1, 1000000)) TO STDOUT')) throw new Error('left')
    })
    await expect(work).rejects.toThrow('left')
    expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('throws what Postgres found wrong', async () => {
    const work = database.transaction(async (tx) => {
      for await (const _ of tx.copyOut('COPY (SELECT 1/(3-i) FROM generate_series(1, 5) i) TO STDOUT'));
    })
    expect(sqlState(await work.catch((error) => error))).toBe('22012')
  })
})
