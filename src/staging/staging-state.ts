import { storableJson } from '../execution/storable'
import type { DueWork, Work } from '../execution/work'
import type { Queryable } from '../platform/database'
import { reasonColumn } from './column-map'
import type { OpenedMessage } from './open-message'

/** A message whose records are all staged. */
export interface StagedMessage {
  readonly work: Work
  readonly opened: OpenedMessage
  /** All records, those in error included. */
  readonly records: number
  readonly inError: number
}

/** Names of the entity's columns that a message gives. A file without good records gives no value, but has columns. */
export function givenColumns({ opened: { entity, encoder, map }, records, inError }: StagedMessage): string[] {
  return entity.columns
    .filter((_, index) => encoder.given[index] || (records === inError && map.sources[index] !== -1))
    .map(({ name }) => name)
}

/**
 * Moves staged work on to promotion, or to its end where it is to be staged only, and notes what was left out of the
 * files. Call it behind `fence`.
 * Input   `claims`: whether whoever staged it goes on with it, or its bell is rung.
 * Returns the work that was moved on to promotion.
 */
export async function finishStaging(
  tx: Queryable,
  messages: readonly StagedMessage[],
  claims: 'held' | 'released',
): Promise<DueWork[]> {
  return moveOn(tx, messages.map(factsOf), claims)
}

/** What is kept of staged work, by the names of its columns. */
export interface StagedFacts {
  readonly id: number
  readonly records: number
  readonly in_error: number
  /** Names of the columns that it gives: of the entity, or of a composite's members as `Member.Field`. */
  readonly columns: readonly string[]
  readonly source_columns: readonly string[] | null
  readonly sparse: boolean
  readonly repeats: readonly number[] | null
  /** Names of what was left out. */
  readonly unknown: readonly string[]
  /** Names of columns that the mapping has and the file has not. */
  readonly lacking: readonly string[]
  readonly is_empty: boolean
}

/** As `finishStaging`, told in facts. */
export function moveOn(tx: Queryable, facts: readonly StagedFacts[], claims: 'held' | 'released'): Promise<DueWork[]> {
  return tx.query<DueWork>(
    `WITH staged AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS s(id bigint, records bigint, in_error bigint, columns text[],
         source_columns text[], sparse boolean, repeats bigint[], unknown text[], lacking text[], is_empty boolean)
     ), moved AS (
       UPDATE entrepot.execution_entity e SET state = CASE WHEN e.mode = 'stage' THEN 'Staged' ELSE 'Promoting' END, staged_records = s.records, records_read = s.records,
         records_in_error = s.in_error, columns = s.columns, source_columns = s.source_columns, sparse = s.sparse,
         repeats = s.repeats, staging_finished_at = now(), attempts = 0, due_at = now(),
         lease_until = CASE WHEN $2 AND e.execution_unit IS NULL THEN e.lease_until END,
         target_started_at = CASE WHEN $2 AND e.execution_unit IS NULL THEN now() END
       FROM staged s WHERE e.id = s.id RETURNING e.id, e.epoch, e.state, e.execution_id, coalesce(e.settings ? 'mapping', false) AS is_mapped, s.unknown, s.lacking, s.is_empty
     ), noted AS (
       INSERT INTO entrepot.execution_log (execution_id, code, text)
       SELECT execution_id, 'EF108', 
         'Columns that the ' || CASE WHEN is_mapped THEN 'mapping does not name' ELSE 'entity does not know' END
         || ' were left out: ' || array_to_string(unknown, ', ')
       FROM moved WHERE cardinality(unknown) > 0
       UNION ALL SELECT execution_id, 'EF113', 'Columns that the mapping names are not in the file: ' || array_to_string(lacking, ', ')
       FROM moved WHERE cardinality(lacking) > 0
       UNION ALL SELECT execution_id, 'EF111', 'The file has no records' FROM moved WHERE is_empty
     )
     SELECT id, epoch, state FROM moved WHERE state = 'Promoting' ORDER BY id`,
    [storableJson(facts), claims === 'held'],
  )
}

function factsOf(message: StagedMessage): StagedFacts {
  const { work, opened, records, inError } = message
  const { encoder, map, source } = opened
  return {
    id: work.id,
    records,
    in_error: inError,
    columns: givenColumns(message),
    source_columns: source.columns,
    sparse: encoder.isSparse,
    repeats: encoder.repeats,
    lacking: map.lacking,
    unknown: [...new Set([...map.unknown, ...source.unknownNames])].filter((name) => name !== reasonColumn),
    is_empty: records === 0,
  }
}
