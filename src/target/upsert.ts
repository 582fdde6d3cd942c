import type { Column } from '../entity'
import { quoteIdentifier, targetTable } from '../entity/names'
import type { Queryable } from '../platform/database'
import { defaultOf, fromStaged, type StagedSet, sameKey, typed } from './staged-set'

/** How staged records changed the target. */
export interface UpsertCounts {
  readonly inserted: number
  readonly updated: number
  readonly unchanged: number
}

/**
 * Promotes one part of a large set, each key of which occurs once: inserts what is new, then updates what differs.
 * Two statements with joins of their own measured a third faster than one that sorts records into new, changed and
 * unchanged first, and twice as fast as ON CONFLICT where most are new.
 * Input   `part`: SQL condition on `s` that picks the part; '' for all.
 */
export async function upsertPart(tx: Queryable, set: StagedSet, part: string): Promise<UpsertCounts> {
  const target = targetTable(set.entity)
  const from = `${fromStaged(set)} ${part}`
  const [{ records = 0 } = {}] = await tx.query<{ records: number }>(`SELECT count(*) AS records ${from}`, [set.ids])
  const values = set.columns.filter(({ isKey }) => !isKey)
  const inserted = await tx.count(
    `INSERT INTO ${target} (${names(set.columns)}) SELECT ${newValues(set).join(', ')}
     ${from} AND NOT EXISTS (SELECT FROM ${target} t WHERE ${sameKey(set.entity)})`,
    [set.ids],
  )
  // What was inserted just now equals what is staged, so that it is not taken for changed.
  const updated =
    inserted === records || values.length === 0
      ? 0
      : await tx.count(
          `UPDATE ${target} t SET ${assignments(set, values)}
           ${from} AND ${sameKey(set.entity)} AND ${differs(set, values)}`,
          [set.ids],
        )
  return { inserted, updated, unchanged: records - inserted - updated }
}

/**
 * Promotes a set of many small messages in one statement.
 * Returns  the counts by id of the execution's entity; one that has no good records is not among them.
 */
export async function upsertTogether(tx: Queryable, set: StagedSet): Promise<Map<number, UpsertCounts>> {
  const target = targetTable(set.entity)
  const values = set.columns.filter(({ isKey }) => !isKey)
  const rows = await tx.query<OutcomeRow>(
    `WITH ${sorted(set, target)}, inserted AS (
       INSERT INTO ${target} (${names(set.columns)}) SELECT ${newValues(set, true).join(', ')} FROM sorted s WHERE outcome = 'inserted'
     )${
       values.length === 0
         ? ''
         : `, updated AS (
       UPDATE ${target} t SET ${assignments(set, values, true)} FROM sorted s WHERE outcome = 'updated' AND ${sameKey(set.entity, true)}
     )`
     }
     ${countSorted}`,
    [set.ids],
  )
  return countsOf(rows)
}

/**
 * Counts what promoting a set would do, and does nothing.
 * Input   `place`: SQL, the target table or a sub-query in its place.
 */
export async function countUpsert(tx: Queryable, set: StagedSet, place: string): Promise<Map<number, UpsertCounts>> {
  return countsOf(await tx.query<OutcomeRow>(`WITH ${sorted(set, place)} ${countSorted}`, [set.ids]))
}

interface OutcomeRow {
  readonly id: number
  readonly outcome: keyof UpsertCounts
  readonly records: number
}

/** SQL: the set's records, typed, each with what promoting it does, as the common table expression `sorted`. */
function sorted(set: StagedSet, place: string): string {
  const values = set.columns.filter(({ isKey }) => !isKey)
  const firstKey = `t.${quoteIdentifier(set.entity.key[0]!)}`
  const staged = set.columns.map((column) => `${typed(column)} AS ${quoteIdentifier(column.name)}`)
  const isChanged = values.length === 0 ? 'false' : differs(set, values, true)
  return `s AS MATERIALIZED (SELECT s._execution_entity, ${staged.join(', ')} ${fromStaged(set)}),
     sorted AS MATERIALIZED (
       SELECT s.*, CASE WHEN ${firstKey} IS NULL THEN 'inserted' WHEN ${isChanged} THEN 'updated' ELSE 'unchanged' END AS outcome
       FROM s LEFT JOIN ${place} t ON ${sameKey(set.entity, true)}
     )`
}

const countSorted = 'SELECT _execution_entity AS id, outcome, count(*) AS records FROM sorted GROUP BY 1, 2'

function countsOf(rows: readonly OutcomeRow[]): Map<number, UpsertCounts> {
  const counts = new Map<number, UpsertCounts>()
  for (const { id, outcome, records } of rows) {
    const known = counts.get(id) ?? { inserted: 0, updated: 0, unchanged: 0 }
    counts.set(id, { ...known, [outcome]: records })
  }
  return counts
}

function names(columns: readonly Column[]): string {
  return columns.map(({ name }) => quoteIdentifier(name)).join(', ')
}

/** SQL: the staged value; where a record may leave it out, what is there already. */
function newValue(column: Column, { sparse }: StagedSet, isTyped: boolean): string {
  const name = quoteIdentifier(column.name)
  const value = isTyped ? `s.${name}` : typed(column)
  return sparse ? `coalesce(${value}, t.${name})` : value
}

function assignments(set: StagedSet, values: readonly Column[], isTyped = false): string {
  const changes = values.map((column) => `${quoteIdentifier(column.name)} = ${newValue(column, set, isTyped)}`)
  return [...changes, '_changed_xid = pg_current_xact_id()'].join(', ')
}

function differs(set: StagedSet, values: readonly Column[], isTyped = false): string {
  const now = values.map(({ name }) => `t.${quoteIdentifier(name)}`).join(', ')
  const then = values.map((column) => newValue(column, set, isTyped)).join(', ')
  return `(${now}) IS DISTINCT FROM (${then})`
}

function newValues({ columns, sparse }: StagedSet, isTyped = false): string[] {
  return columns.map((column) => {
    const value = isTyped ? `s.${quoteIdentifier(column.name)}` : typed(column)
    return sparse && !column.isKey ? `coalesce(${value}, ${defaultOf(column)})` : value
  })
}
