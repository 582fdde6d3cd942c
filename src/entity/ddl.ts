import { type Column, companyColumn, type Entity } from './define-entity'
import type { Field } from './field'
import { fieldTypes } from './field-types'
import {
  executionStagingTable,
  quoteIdentifier,
  quoteLiteral,
  stagingSchema,
  stagingTable,
  targetSchema,
  targetTable,
} from './names'

/** A column as the database has it. */
export interface ExistingColumn {
  readonly name: string
  /** As Postgres's `format_type` writes it, e.g. `numeric(32,6)`. */
  readonly type: string
  readonly notNull: boolean
  /** The default's expression as Postgres writes it in UTC; none when absent. */
  readonly default?: string
}

/** A table as the database has it. */
export interface ExistingTable {
  readonly schema: string
  readonly name: string
  readonly columns: readonly ExistingColumn[]
  /** Column names of the primary key in its order; empty without one. */
  readonly primaryKey: readonly string[]
}

/** What it takes to bring an entity's tables in line with its declaration. */
export interface TablePlan {
  /** SQL to run in this order; none when the tables are right already. */
  readonly statements: readonly string[]
  /** Changes that could lose data, in sentences; with one of these nothing should be run (ES104). */
  readonly refusals: readonly string[]
  /** What an operator may want to know, and need not act on. */
  readonly notices: readonly string[]
}

/** A column that a table must have. */
interface WantedColumn {
  readonly name: string
  /** As `format_type` writes it. */
  readonly type: string
  /** What follows the type in a definition. */
  readonly rest: string
  /** Canonical text of the default, where the entity decides it. */
  readonly default?: string
}

interface WantedTable {
  readonly schema: string
  readonly name: string
  readonly sqlName: string
  readonly columns: readonly WantedColumn[]
  readonly primaryKey: readonly string[]
  readonly indexes: readonly string[]
}

/**
 * Compares an entity's staging and target table with what the database has.
 * Input   the tables that exist; those of other entities are passed over.
 * Returns statements that create what is missing and widen what is too narrow, and what it refuses to do.
 */
export function planTables(entity: Entity, existing: readonly ExistingTable[]): TablePlan {
  const plans = [wantedStaging(entity), wantedTarget(entity)].map((wanted) => {
    const table = existing.find(({ schema, name }) => schema === wanted.schema && name === wanted.name)
    return table ? changesOf(wanted, table) : { statements: creationOf(wanted), refusals: [], notices: [] }
  })
  return {
    statements: plans.flatMap(({ statements }) => statements),
    refusals: plans.flatMap(({ refusals }) => refusals),
    notices: plans.flatMap(({ notices }) => notices),
  }
}

/**
 * SQL that gives one large execution a staging table of its own, read through the shared one and dropped at once.
 * It is not vacuumed: its records are written once and read once or twice.
 */
export function createExecutionStaging(entity: Entity, executionEntityId: bigint | number | string): string {
  const id = BigInt(executionEntityId)
  return (
    `CREATE TABLE ${executionStagingTable(entity, id)} (CHECK (_execution_entity = ${id})) ` +
    `INHERITS (${stagingTable(entity)}) WITH (autovacuum_enabled = false)`
  )
}

/** SQL that drops the staging table of one large execution, if it is there. */
export function dropExecutionStaging(
  entity: Pick<Entity, 'name'>,
  executionEntityId: bigint | number | string,
): string {
  return `DROP TABLE IF EXISTS ${executionStagingTable(entity, executionEntityId)}`
}

/**
 * Columns of a staging table before those of the entity: which run the record came with, its number and line in the
 * source, its state (V valid, E in error, S superseded by a later record of its key) and, when its shape is wrong, its text.
 * Records of a composite also have the numbers of their document's first record and of the record that they stand in.
 */
const stagingColumns: readonly WantedColumn[] = [
  { name: '_execution_entity', type: 'bigint', rest: ' NOT NULL' },
  { name: '_record_number', type: 'bigint', rest: ' NOT NULL' },
  { name: '_line', type: 'bigint', rest: '' },
  { name: '_state', type: '"char"', rest: ` NOT NULL DEFAULT 'V'` },
  { name: '_raw', type: 'text', rest: '' },
  { name: '_document', type: 'bigint', rest: '' },
  { name: '_parent', type: 'bigint', rest: '' },
]

/** The transaction that last changed a target record: what incremental exports and ETags are read from. */
const changedColumn: WantedColumn = {
  name: '_changed_xid',
  type: 'xid8',
  rest: ' NOT NULL DEFAULT pg_current_xact_id()',
}

/** Every value is staged as text; null is "not given". */
function wantedStaging(entity: Entity): WantedTable {
  const columns = entity.columns.map(({ name }) => ({ name, type: 'text', rest: '' }))
  const sqlName = stagingTable(entity)
  return {
    schema: stagingSchema,
    name: entity.name,
    sqlName,
    columns: [...stagingColumns, ...columns],
    primaryKey: [],
    // No primary key: an index costs a fifth less to fill, and record numbers are ours.
    indexes: [`CREATE INDEX ON ${sqlName} (_execution_entity, _record_number)`],
  }
}

/** No foreign keys: relations are checked set-based when records are promoted, six seconds a million records cheaper. */
function wantedTarget(entity: Entity): WantedTable {
  return {
    schema: targetSchema,
    name: entity.name,
    sqlName: targetTable(entity),
    columns: [...entity.columns.map(targetColumn), changedColumn],
    primaryKey: entity.key,
    indexes: [],
  }
}

function targetColumn({ name, field, isKey }: Column): WantedColumn {
  const type = formatType(field)
  const value = field.default ?? fieldTypes[field.type].empty(field)
  // Keys are compared byte by byte, which is the same on every machine and faster than a language's order.
  const collation = isKey && type === 'text' ? ' COLLATE "C"' : ''
  return { name, type, rest: `${collation} NOT NULL DEFAULT ${quoteLiteral(value)}`, default: value }
}

/** The field's type as `format_type` would write it. */
function formatType(field: Field): string {
  const type = fieldTypes[field.type].postgres(field).replace(/\s*([(),])\s*/g, '$1')
  return type === 'timestamptz' ? 'timestamp with time zone' : type
}

function definitionOf({ name, type, rest }: WantedColumn): string {
  return `${quoteIdentifier(name)} ${type}${rest}`
}

function creationOf({ schema, sqlName, columns, primaryKey, indexes }: WantedTable): string[] {
  const lines = columns.map(definitionOf)
  if (primaryKey.length > 0) lines.push(`PRIMARY KEY (${primaryKey.map(quoteIdentifier).join(', ')})`)
  return [
    `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`,
    `CREATE TABLE ${sqlName} (\n  ${lines.join(',\n  ')}\n)`,
    ...indexes,
  ]
}

function changesOf(wanted: WantedTable, table: ExistingTable): TablePlan {
  const statements: string[] = []
  const refusals: string[] = []
  const alter = `ALTER TABLE ${wanted.sqlName}`
  const keyRefusal = keyChange(wanted, table)
  if (keyRefusal) refusals.push(keyRefusal)
  for (const column of wanted.columns) {
    const quoted = quoteIdentifier(column.name)
    const there = table.columns.find(({ name }) => name === column.name)
    const place = `${wanted.sqlName}.${quoted}`
    if (!there) {
      const twin = table.columns.find(({ name }) => name.toLowerCase() === column.name.toLowerCase())
      if (twin)
        refusals.push(`${place} is new, and the table has a column ${quoteIdentifier(twin.name)}: rename that one`)
      else statements.push(`${alter} ADD COLUMN ${definitionOf(column)}`)
    } else if (there.type !== column.type && !isWider(column.type, there.type)) {
      refusals.push(`${place} is ${there.type} and would become ${column.type}, which may not hold every stored value`)
    } else {
      if (there.type !== column.type) statements.push(`${alter} ALTER COLUMN ${quoted} TYPE ${column.type}`)
      if (column.default !== undefined && defaultText(there.default) !== column.default) {
        statements.push(`${alter} ALTER COLUMN ${quoted} SET DEFAULT ${quoteLiteral(column.default)}`)
      }
    }
  }
  return { statements, refusals, ...leftoversOf(wanted, table, refusals) }
}

function keyChange({ sqlName, primaryKey }: WantedTable, table: ExistingTable): string | undefined {
  const [now, then] = [primaryKey, table.primaryKey].map((key) => key.join(', '))
  if (now === then) return undefined
  const company = primaryKey.includes(companyColumn) !== table.primaryKey.includes(companyColumn)
  const why = company
    ? 'records with and without a company cannot be told apart'
    : 'stored records may share the new one'
  return `the key of ${sqlName} is (${then}) and would become (${now}): ${why}`
}

/** Columns that the entity no longer declares stay with their data; only one that must be given stands in the way. */
function leftoversOf(
  { sqlName, columns }: WantedTable,
  table: ExistingTable,
  refusals: string[],
): Pick<TablePlan, 'notices'> {
  const notices: string[] = []
  for (const { name, notNull, default: expression } of table.columns) {
    if (columns.some((column) => column.name.toLowerCase() === name.toLowerCase())) continue
    const place = `${sqlName}.${quoteIdentifier(name)}`
    if (notNull && expression === undefined) {
      refusals.push(`${place} is not declared, must have a value and has no default: no record could be added`)
    } else {
      notices.push(`${place} is no longer declared; the column and its data are left alone`)
    }
  }
  return { notices }
}

/** Digits before the dot that whole numbers need. */
const wholeDigits: Readonly<Record<string, number>> = { integer: 10, bigint: 19 }

/** Whether every value of type `from` is one of type `to`, unchanged. */
function isWider(to: string, from: string): boolean {
  if (to === 'bigint') return from === 'integer'
  const wide = numericShape(to)
  const narrow = numericShape(from) ?? (from in wholeDigits ? { whole: wholeDigits[from]!, scale: 0 } : undefined)
  return wide !== undefined && narrow !== undefined && wide.whole >= narrow.whole && wide.scale >= narrow.scale
}

function numericShape(type: string): { whole: number; scale: number } | undefined {
  const match = /^numeric\((\d+),(\d+)\)$/.exec(type)
  return match ? { whole: Number(match[1]) - Number(match[2]), scale: Number(match[2]) } : undefined
}

/** The canonical text in a default's expression, e.g. `0.01` in `'0.01'::numeric`. */
function defaultText(expression: string | undefined): string | undefined {
  const quoted = /^(E?)'((?:[^']|'')*)'::(.*)$/s.exec(expression ?? '')
  if (!quoted) return expression
  const unquoted = quoted[2]!.replaceAll("''", "'")
  const text = quoted[1] ? unquoted.replaceAll('\\\\', '\\') : unquoted
  return quoted[3]!.startsWith('timestamp') ? text.replace(' ', 'T').replace(/\+00$/, 'Z') : text
}
