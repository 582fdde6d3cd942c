import {
  createExecutionStaging,
  decimal,
  defineEntity,
  dropExecutionStaging,
  type Entity,
  type ExistingColumn,
  type ExistingTable,
  type Field,
  int32,
  int64,
  noYes,
  planTables,
  quoteIdentifier,
  quoteLiteral,
  stagingTable,
  string,
  targetTable,
} from '../../src/entity'

function things(fields: Record<string, Field> = {}, key = ['ThingId']): Entity {
  return defineEntity({
    name: 'ThingEntity',
    label: 'Things',
    publicEntityName: 'Thing',
    publicCollectionName: 'Things',
    isPublic: true,
    dataManagementEnabled: true,
    category: 'Master',
    companySpecific: false,
    key: key as ['ThingId'],
    fields: { ThingId: string({ maxLength: 10 }), Size: int32(), ...fields },
  }) as unknown as Entity
}

const text = (name: string): ExistingColumn => ({ name, type: 'text', notNull: false })
const value = (name: string, type: string, expression: string): ExistingColumn => ({
  name,
  type,
  notNull: true,
  default: expression,
})
const system = [
  value('_execution_entity', 'bigint', ''),
  value('_record_number', 'bigint', ''),
  { name: '_line', type: 'bigint', notNull: false },
  value('_state', '"char"', `'V'::"char"`),
  text('_raw'),
  { name: '_document', type: 'bigint', notNull: false },
  { name: '_parent', type: 'bigint', notNull: false },
]
/** The tables of `things()`, with other columns in the target. */
function existing(...columns: ExistingColumn[]): ExistingTable[] {
  const own = [value('ThingId', 'text', "''::text"), value('Size', 'integer', '0')]
  const staged = [...system, ...[...own, ...columns].map(({ name }) => text(name))]
  const target = [
    ...own.filter(({ name }) => !columns.some((column) => column.name === name)),
    ...columns,
    value('_changed_xid', 'xid8', 'pg_current_xact_id()'),
  ]
  return [
    { schema: 'staging', name: 'ThingEntity', columns: staged, primaryKey: [] },
    { schema: 'target', name: 'ThingEntity', columns: target, primaryKey: ['ThingId'] },
  ]
}

describe('planTables', () => {
  it('creates a staging table of text and a target table of types', () => {
    const { statements, refusals } = planTables(things({ Sold: noYes({ default: 'yes' }) }), [])
    expect(refusals).toEqual([])
    expect(statements).toEqual([
      'CREATE SCHEMA IF NOT EXISTS "staging"',
      `CREATE TABLE staging."ThingEntity" (
  "_execution_entity" bigint NOT NULL,
  "_record_number" bigint NOT NULL,
  "_line" bigint,
  "_state" "char" NOT NULL DEFAULT 'V',
  "_raw" text,
  "_document" bigint,
  "_parent" bigint,
  "ThingId" text,
  "Size" text,
  "Sold" text
)`,
      'CREATE INDEX ON staging."ThingEntity" (_execution_entity, _record_number)',
      'CREATE SCHEMA IF NOT EXISTS "target"',
      `CREATE TABLE target."ThingEntity" (
  "ThingId" text COLLATE "C" NOT NULL DEFAULT '',
  "Size" integer NOT NULL DEFAULT '0',
  "Sold" text NOT NULL DEFAULT 'Yes',
  "_changed_xid" xid8 NOT NULL DEFAULT pg_current_xact_id(),
  PRIMARY KEY ("ThingId")
)`,
    ])
  })

  it('plans nothing when the tables are right', () => {
    expect(planTables(things(), existing())).toEqual({ statements: [], refusals: [], notices: [] })
  })

  it('adds a new column to both tables', () => {
    expect(planTables(things({ Colour: string({ maxLength: 5 }) }), existing()).statements).toEqual([
      'ALTER TABLE staging."ThingEntity" ADD COLUMN "Colour" text',
      `ALTER TABLE target."ThingEntity" ADD COLUMN "Colour" text NOT NULL DEFAULT ''`,
    ])
  })

  it.each<[from: string, to: Field, type: string]>([
    ['integer', int64(), 'bigint'],
    ['integer', decimal({ precision: 12, scale: 2 }), 'numeric(12,2)'],
    ['bigint', decimal({ precision: 19, scale: 0 }), 'numeric(19,0)'],
    ['numeric(10,2)', decimal({ precision: 12, scale: 4 }), 'numeric(12,4)'],
  ])('widens %s', (from, field, type) => {
    expect(planTables(things({ Amount: field }), existing(value('Amount', from, '0')))).toEqual({
      statements: [`ALTER TABLE target."ThingEntity" ALTER COLUMN "Amount" TYPE ${type}`],
      refusals: [],
      notices: [],
    })
  })

  it.each<[from: string, to: Field]>([
    ['bigint', int32()],
    ['integer', decimal({ precision: 11, scale: 2 })],
    ['bigint', decimal({ precision: 18, scale: 0 })],
    ['numeric(10,2)', decimal({ precision: 12, scale: 5 })],
    ['numeric(10,2)', decimal({ precision: 12, scale: 1 })],
    ['numeric(10,0)', int64()],
    ['text', int32()],
    ['numeric', decimal()],
    ['integer', string({ maxLength: 20 })],
  ])('refuses to make %s narrower or something else', (from, field) => {
    const { statements, refusals } = planTables(things({ Amount: field }), existing(value('Amount', from, '0')))
    expect(statements).toEqual([])
    expect(refusals).toEqual([expect.stringContaining(`target."ThingEntity"."Amount" is ${from} and would become`)])
  })

  it('refuses another key', () => {
    expect(planTables(things({}, ['ThingId', 'Size']), existing()).refusals).toEqual([
      'the key of target."ThingEntity" is (ThingId) and would become (ThingId, Size): stored records may share the new one',
    ])
  })

  it('refuses a column that differs from another in letter case only', () => {
    const { refusals } = planTables(things({ Colour: int32() }), existing(value('COLOUR', 'integer', '0')))
    expect(refusals).toHaveLength(2)
    expect(refusals[1]).toContain('the table has a column "COLOUR"')
  })

  it('leaves a column alone that is no longer declared, and says so', () => {
    const { statements, refusals, notices } = planTables(things(), existing(value('Old', 'text', "''::text")))
    expect([statements, refusals]).toEqual([[], []])
    expect(notices).toContain(
      'target."ThingEntity"."Old" is no longer declared; the column and its data are left alone',
    )
  })

  it('refuses a column that must be given but is not declared', () => {
    const { refusals } = planTables(things(), existing({ name: 'Old', type: 'text', notNull: true }))
    expect(refusals).toEqual([expect.stringContaining('target."ThingEntity"."Old" is not declared, must have a value')])
  })

  it('brings a changed default in line', () => {
    const { statements } = planTables(things({ Size: int32({ default: '7' }) }), existing())
    expect(statements).toEqual([`ALTER TABLE target."ThingEntity" ALTER COLUMN "Size" SET DEFAULT '7'`])
  })
})

describe('the staging table of one execution', () => {
  it('inherits the shared one and takes no other execution', () => {
    expect(createExecutionStaging(things(), 12)).toBe(
      'CREATE TABLE staging."ThingEntity_12" (CHECK (_execution_entity = 12)) ' +
        'INHERITS (staging."ThingEntity") WITH (autovacuum_enabled = false)',
    )
    expect(dropExecutionStaging(things(), '12')).toBe('DROP TABLE IF EXISTS staging."ThingEntity_12"')
    expect(() => createExecutionStaging(things(), '1); DROP TABLE x')).toThrow(SyntaxError)
  })
})

describe('names in SQL', () => {
  it('are quoted, and texts too', () => {
    expect(stagingTable({ name: 'A"b' })).toBe('staging."A""b"')
    expect(targetTable({ name: 'Ab' })).toBe('target."Ab"')
    expect(quoteLiteral("it's")).toBe("'it''s'")
    expect(quoteLiteral('a\\b')).toBe("E'a\\\\b'")
    expect(() => quoteIdentifier('a\0b')).toThrow('NUL')
  })
})
