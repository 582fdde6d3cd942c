import type { CompositeEntity } from '../entity'
import { quoteLiteral, stagingTable } from '../entity/names'
import type { Queryable } from '../platform/database'

/** Staged records of one execution of a composite. */
export interface DocumentRange {
  readonly executionEntityId: number
  /** Numbers of the first and the last record; whole documents. */
  readonly first: number
  readonly last: number
}

/**
 * Puts the records of documents of which a record is in error into state E (code EP106), so that no part of a document is
 * promoted. A record in error is one with a row in `record_error`; superseded ones (EP102) are none.
 * Input   `state`: that of the records that are good so far.
 * Returns how many records it put into error.
 */
export async function spreadErrors(
  tx: Queryable,
  { members }: Pick<CompositeEntity, 'members'>,
  { executionEntityId, first, last }: DocumentRange,
  { step, state }: { step: 'stage' | 'promote'; state: 'V' | 'R' },
): Promise<number> {
  const tables = members.map(({ entity }) => ({ entity, table: `ONLY ${stagingTable(entity)}` }))
  const inRange = 's._execution_entity = $1 AND s._record_number BETWEEN $2 AND $3'
  const isInError = `r.execution_entity = $1 AND r.record_number BETWEEN $2 AND $3 AND r.code <> 'EP102'`
  const wrong = tables.map(
    ({ table }) => `SELECT s._document, s._record_number FROM ${table} s
       JOIN entrepot.record_error r ON r.record_number = s._record_number WHERE ${inRange} AND ${isInError}`,
  )
  const changed = tables.map(
    ({ table }, index) => `changed${index} AS (
       UPDATE ${table} s SET _state = 'E' FROM bad WHERE ${inRange} AND s._state = '${state}' AND s._document = bad._document
       RETURNING s._record_number, s._line, bad.cause)`,
  )
  const rows = tables.map(
    ({ entity }, index) => `SELECT $1::bigint, c._record_number, c._line, '${step}', 'EP106',
       'Record ' || c.cause || ' of the same document is in error', ${quoteLiteral(entity.name)} FROM changed${index} c
     WHERE NOT EXISTS (SELECT FROM entrepot.record_error r WHERE r.record_number = c._record_number AND ${isInError})`,
  )
  // The planner cannot know how many records are in error: a loop over all of them for each would be quadratic.
  await tx.query('SET LOCAL enable_nestloop = off')
  return tx.count(
    `WITH bad AS MATERIALIZED (
       SELECT _document, min(_record_number) AS cause FROM (${wrong.join(' UNION ALL ')}) wrong GROUP BY _document
     ), ${changed.join(', ')}
     INSERT INTO entrepot.record_error (execution_entity, record_number, line, step, code, reason, entity)
     ${rows.join(' UNION ALL ')}`,
    [executionEntityId, first, last],
  )
}
