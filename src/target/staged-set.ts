import { type Column, type Entity, fieldTypes, findColumn } from '../entity'
import { executionStagingTable, quoteIdentifier, quoteLiteral, stagingTable } from '../entity/names'
import type { Work } from '../execution/work'
import type { Queryable } from '../platform/database'

/** Staged records that are promoted by the same statements: of one entity, giving the same columns. */
export interface StagedSet {
  readonly entity: Entity
  /** SQL name of the staging table that holds them. */
  readonly table: string
  /** Ids of the execution's entities that they belong to; parameter $1 of every statement. */
  readonly ids: readonly number[]
  /** Columns that are promoted: those the source gives, and the key. */
  readonly columns: readonly Column[]
  /** Whether a record may leave out some of the columns. */
  readonly sparse: boolean
  /** Numbers of the records whose key may have occurred before in their message; null when any may. */
  readonly repeats: readonly number[] | null
  /** Names of the columns whose staged texts, in records that were found wrong, are not yet what they become. */
  readonly rewritten: ReadonlySet<string>
  /** Whether some of its records were in error when they were staged. */
  readonly hasErrors: boolean
  /** V: staged well; R: to be promoted in this run, others are not. */
  readonly state: 'V' | 'R'
  /** SQL list of the states of records that win over earlier ones of their key. */
  readonly winners: string
}

/** The set of one or more works that have entity, table, columns and state in common. */
export function stagedSet(entity: Entity, works: readonly Work[]): StagedSet {
  const first = works[0]!
  const given = new Set(first.columns)
  return {
    entity,
    table: first.stagingTable === null ? `ONLY ${stagingTable(entity)}` : executionStagingTable(entity, first.id),
    ids: works.map(({ id }) => id),
    columns: entity.columns.filter(({ name, isKey }) => isKey || given.has(name)),
    sparse: works.some(({ sparse }) => sparse),
    repeats:
      first.scope === 'all' && works.every(({ repeats }) => repeats)
        ? works.flatMap(({ repeats }) => repeats ?? [])
        : null,
    rewritten: new Set(
      (first.settings.mapping ?? [])
        .filter(
          ({ conversions, defaultValue, useTextQualifier }) =>
            conversions || defaultValue !== undefined || useTextQualifier,
        )
        .flatMap(({ field }) => findColumn(entity, field)?.name ?? []),
    ),
    hasErrors: works.some(({ recordsInError }) => recordsInError > 0),
    state: first.scope === 'all' ? 'V' : 'R',
    winners: winnersOf(first),
  }
}

/**
 * Records that are promoted now, or were before: P where an execution is promoted piece by piece, V as well where it was
 * promoted as a whole.
 */
function winnersOf({ scope, mode }: Work): string {
  if (scope === 'all') return `'V', 'P'`
  return mode === 'stage' ? `'R', 'P'` : `'R', 'V', 'P'`
}

/** Whether nothing of the set was promoted in an earlier run: then a truncating import empties the target. */
export async function isFirstRound(
  tx: Queryable,
  { scope, mode, executionMode }: Work,
  set: StagedSet,
): Promise<boolean> {
  if (executionMode !== 'stage') return scope === 'all'
  if (mode === 'import') return false // it came to its end before
  const promoted = await tx.query(
    `SELECT FROM ${set.table} WHERE _execution_entity = ANY($1) AND _state = 'P' LIMIT 1`,
    [set.ids],
  )
  return promoted.length === 0
}

/** What two works must have in common to be promoted by the same statements. */
export function setKey({ entity, stagingTable: table, columns, sparse, scope, settings }: Work): string {
  return JSON.stringify([entity, table, columns, sparse, scope, settings.mapping])
}

/** SQL: the staged records `s` of the set that are good so far, as `FROM … WHERE …`. */
export function fromStaged({ table, state }: StagedSet): string {
  return `FROM ${table} s WHERE s._execution_entity = ANY($1) AND s._state = '${state}'`
}

/** SQL: the staged records of the set that are in error but have their fields, unless they were checked before. */
export function fromInError({ table }: StagedSet): string {
  return `FROM ${table} s WHERE s._execution_entity = ANY($1) AND s._state = 'E' AND s._raw IS NULL AND NOT EXISTS (
    SELECT FROM entrepot.record_error r WHERE r.execution_entity = s._execution_entity
      AND r.record_number = s._record_number AND r.step = 'promote')`
}

/** SQL: a staged text as the type of its target column. */
export function typed({ name, field }: Column, alias = 's'): string {
  const text = `${alias}.${quoteIdentifier(name)}`
  const type = fieldTypes[field.type].postgres(field)
  return type === 'text' ? text : `${text}::${type}`
}

/** SQL: the value that a new record gets where its source does not give one. */
export function defaultOf({ field }: Column): string {
  const type = fieldTypes[field.type]
  return `${quoteLiteral(field.default ?? type.empty(field))}::${type.postgres(field)}`
}

/** SQL: the key columns of the entity, each with an alias in front. */
export function keyList({ key }: Entity, alias: string): string {
  return key.map((name) => `${alias}.${quoteIdentifier(name)}`).join(', ')
}

/** SQL: that `t` (target) and `s` (staged) are the same record; `s` is typed already when `isTyped`. */
export function sameKey(entity: Entity, isTyped = false): string {
  return entity.columns
    .filter(({ isKey }) => isKey)
    .map((column) => {
      const name = quoteIdentifier(column.name)
      return `t.${name} = ${isTyped ? `s.${name}` : typed(column)}`
    })
    .join(' AND ')
}
