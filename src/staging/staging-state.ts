import { storableJson } from '../execution/storable'
import type { DueWork, Work } from '../execution/work'
import type { Queryable } from '../platform/database'
import type { OpenedMessage } from './open-message'

/** A message whose records are all staged. */
export interface StagedMessage {
  readonly work: Work
  readonly opened: OpenedMessage
  /** All records, those in error included. */
  readonly records: number
  readonly inError: number
}

/**
 * Moves staged work on to promotion and notes what was left out of the files. Call it behind `fence`.
 * Returns the work that is due now.
 */
export async function finishStaging(tx: Queryable, messages: readonly StagedMessage[]): Promise<DueWork[]> {
  const rows = messages.map(({ work, opened: { entity, encoder, map, source }, records, inError }) => ({
    id: work.id,
    records,
    in_error: inError,
    // A file without records gives no value, but it does have columns.
    columns: entity.columns.flatMap(({ name }, index) =>
      encoder.given[index] || (records === inError && map.sources[index] !== -1) ? [name] : [],
    ),
    source_columns: source.columns,
    sparse: encoder.isSparse,
    keys_are_unique: encoder.keysAreUnique,
    unknown: [...new Set([...map.unknown, ...source.unknownNames])],
    is_empty: records === 0,
  }))
  return tx.query<DueWork>(
    `WITH staged AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS s(id bigint, records bigint, in_error bigint, columns text[],
         source_columns text[], sparse boolean, keys_are_unique boolean, unknown text[], is_empty boolean)
     ), moved AS (
       UPDATE entrepot.execution_entity e SET state = 'Promoting', staged_records = s.records, records_read = s.records,
         records_in_error = s.in_error, columns = s.columns, source_columns = s.source_columns, sparse = s.sparse, keys_are_unique = s.keys_are_unique, staging_finished_at = now(),
         lease_until = NULL, attempts = 0, due_at = now()
       FROM staged s WHERE e.id = s.id RETURNING e.id, e.epoch, e.state, e.execution_id, s.unknown, s.is_empty
     ), noted AS (
       INSERT INTO entrepot.execution_log (execution_id, code, text)
       SELECT execution_id, 'EF108', 'Columns that the entity does not know were left out: ' || array_to_string(unknown, ', ')
       FROM moved WHERE cardinality(unknown) > 0
       UNION ALL SELECT execution_id, 'EF111', 'The file has no records' FROM moved WHERE is_empty
     )
     SELECT id, epoch, state FROM moved ORDER BY id`,
    [storableJson(rows)],
  )
}
