import { entities } from '../../entities'
import {
  createExecutionStaging,
  dateTime,
  decimal,
  defineEntity,
  dropExecutionStaging,
  type Entity,
  type Field,
  int32,
  int64,
  quoteLiteral,
  stagingTable,
  string,
  targetTable,
} from '../../src/entity'
import { ensureEntityTables, readExisting } from '../../src/execution/entity-tables'
import { type Database, openDatabase } from '../../src/platform/database'
import { createTestDatabase, type TestDatabase } from '../helpers/postgres'

let test: TestDatabase
let db: Database

beforeAll(async () => {
  test = await createTestDatabase()
  db = openDatabase({ url: test.url, poolSize: 4, applicationName: 'entity-tables' })
})
afterAll(async () => {
  await db?.close()
  await test?.drop()
})

function things(name: string, fields: Record<string, Field>, key = 'ThingId'): Entity {
  return defineEntity({
    name,
    label: name,
    publicEntityName: `${name}P`,
    publicCollectionName: `${name}Ps`,
    isPublic: true,
    dataManagementEnabled: true,
    category: 'Master',
    companySpecific: true,
    key: [key as 'ThingId'],
    fields: { ThingId: string({ maxLength: 10 }), ...fields },
  }) as unknown as Entity
}

it('creates the tables of all entities on an empty database, and then has nothing to do', async () => {
  await db.query('DROP SCHEMA IF EXISTS staging, target CASCADE')
  const first = await ensureEntityTables(db, entities)
  expect(first).toEqual({ changed: entities.map(({ name }) => name), notices: [] })
  expect(await ensureEntityTables(db, entities)).toEqual({ changed: [], notices: [] })
})

it('reads defaults as they were declared, whatever they hold and whatever the time zone of the server', async () => {
  const quoted = things('Quoted', {
    Text: string({ maxLength: 40, default: `it's a "\\n" \\' and, {tabs}\t` }),
    Moment: dateTime({ default: '2026-01-01T00:00:00.12Z' }),
    Debt: int32({ default: '-5' }),
    Price: decimal({ precision: 38, scale: 10, default: '-0.0000000001' }),
    Wide: int64({ default: '-9223372036854775808' }),
  })
  const database = quoteLiteral(new URL(test.url).pathname.slice(1)).slice(1, -1)
  await db.query(`ALTER DATABASE "${database}" SET TimeZone = 'Asia/Kathmandu'`)
  const elsewhere = openDatabase({ url: test.url, poolSize: 1, applicationName: 'entity-tables' })
  await ensureEntityTables(elsewhere, [quoted])
  expect(await ensureEntityTables(elsewhere, [quoted])).toEqual({ changed: [], notices: [] })
  await elsewhere.close()
  await db.query(`INSERT INTO ${targetTable(quoted)} ("ThingId") VALUES ('a')`)
  const [row] = await db.query(
    `SELECT "Text", "Price"::text AS price, "Wide"::text AS wide, "Moment" = '2026-01-01T00:00:00.12Z' AS moment
       FROM ${targetTable(quoted)}`,
  )
  expect(row).toEqual({
    Text: quoted.fields.Text!.default,
    price: '-0.0000000001',
    wide: '-9223372036854775808',
    moment: true,
  })
})

it('keeps the data when it adds and widens columns', async () => {
  const narrow = things('Growing', { Size: int32(), Price: decimal({ precision: 6, scale: 2 }) })
  await ensureEntityTables(db, [narrow])
  await db.query(
    `INSERT INTO ${targetTable(narrow)} ("dataAreaId", "ThingId", "Size", "Price") VALUES ('usmf', 'a', 5, 1.25)`,
  )
  const wide = things('Growing', {
    Size: int64(),
    Price: decimal({ precision: 12, scale: 4 }),
    Colour: string({ maxLength: 9, default: 'red' }),
  })
  expect((await ensureEntityTables(db, [wide])).changed).toEqual(['Growing'])
  expect((await ensureEntityTables(db, [wide])).changed).toEqual([])
  expect(await db.query(`SELECT "ThingId", "Size", "Price", "Colour" FROM ${targetTable(wide)}`)).toEqual([
    { ThingId: 'a', Size: 5, Price: '1.2500', Colour: 'red' },
  ])
})

it('changes nothing at all when one change could lose data, and names every such change', async () => {
  const before = [things('Staying', { Size: int64() }), things('Turning', { Size: int32() })]
  await ensureEntityTables(db, before)
  const after = [
    things('Coming', {}),
    things('Staying', { Size: int32(), Colour: string({ maxLength: 9 }) }),
    things('Turning', { Size: int32() }, 'Size'),
  ]
  await expect(ensureEntityTables(db, after)).rejects.toMatchObject({
    name: 'SetupFault',
    code: 'ES104',
    message: expect.stringMatching(
      /"Staying"\."Size" is bigint and would become integer.*the key of target\."Turning"/,
    ),
  })
  expect(await readExisting(db, [after[0]!])).toEqual([])
  expect(await ensureEntityTables(db, before)).toEqual({ changed: [], notices: [] })
})

it('lets several processes start at once', async () => {
  const many = ['One', 'Two', 'Three'].map((name) => things(`Racing${name}`, {}))
  const all = await Promise.all([1, 2, 3, 4].map(() => ensureEntityTables(db, many)))
  expect(all.map(({ changed }) => changed.length).sort()).toEqual([0, 0, 0, 3])
})

it('gives a large execution a staging table that is read through the shared one and gone at once', async () => {
  const entity = things('Large', { Size: int32() })
  await ensureEntityTables(db, [entity])
  await db.query(createExecutionStaging(entity, 7))
  await db.query(`INSERT INTO staging."Large_7" (_execution_entity, _record_number, "ThingId") VALUES (7, 1, 'a')`)
  const rows = () =>
    db.query(`SELECT _state, "ThingId", "Size" FROM ${stagingTable(entity)} WHERE _execution_entity = 7`)
  expect(await rows()).toEqual([{ _state: 'V', ThingId: 'a', Size: null }])
  await expect(
    db.query('INSERT INTO staging."Large_7" (_execution_entity, _record_number) VALUES (8, 1)'),
  ).rejects.toThrow('check constraint')
  await ensureEntityTables(db, [things('Large', { Size: int32(), Colour: string({ maxLength: 9 }) })])
  await db.query('UPDATE staging."Large_7" SET "Colour" = $1', ['red'])
  await db.query(dropExecutionStaging(entity, 7))
  await db.query(dropExecutionStaging(entity, 7))
  expect(await rows()).toEqual([])
})

it('orders keys by their bytes', async () => {
  const entity = things('Sorted', {})
  await ensureEntityTables(db, [entity])
  await db.query(`INSERT INTO ${targetTable(entity)} ("ThingId") VALUES ('a'), ('B'), ('Ä'), ('_')`)
  const rows = await db.query(`SELECT "ThingId" FROM ${targetTable(entity)} ORDER BY "ThingId"`)
  expect(rows.map(({ ThingId }) => ThingId)).toEqual(['B', '_', 'a', 'Ä'])
})
