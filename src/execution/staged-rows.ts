import { dropExecutionStaging, stagingSchema, stagingTable } from '../entity'
import type { Queryable } from '../platform/database'

/** An entity of an execution, and where its staged records are. */
export interface StagedPlace {
  readonly id: number
  readonly entity: string
  /** SQL name of a staging table of its own; null: the entity's shared one. */
  readonly stagingTable: string | null
}

/** SQL name of the table that holds the staged records, with nothing of other executions' own tables. */
export function tableOf({ entity, stagingTable: own }: StagedPlace): string {
  return own ?? `ONLY ${stagingTable({ name: entity })}`
}

/**
 * SQL names of the shared staging tables that may hold records of an entity's executions: its own one, or, of a composite,
 * which has none, and of an entity that has left the hub, any.
 */
async function sharedTables(db: Queryable, entity: string): Promise<string[]> {
  const own = stagingTable({ name: entity })
  const tables = await db.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $2 AND c.relkind = 'r' AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid)
       AND (to_regclass($1) IS NULL OR c.oid = to_regclass($1)) ORDER BY 1`,
    [own, stagingSchema],
  )
  return tables.map(({ name }) => name)
}

/** Removes records of an entity's executions from the shared staging tables. */
export async function deleteShared(tx: Queryable, entity: string, workIds: readonly number[]): Promise<void> {
  for (const table of await sharedTables(tx, entity)) {
    await tx.query(`DELETE FROM ONLY ${table} WHERE _execution_entity = ANY($1)`, [workIds])
  }
}

/**
 * SQL: whether the texts of a record in error, a row `s` of a staging table, are as they came: those of a record that was
 * good when it was staged, and failed at promotion only, are canonical.
 */
export const isAsItCame = `EXISTS (SELECT FROM entrepot.record_error r
  WHERE r.execution_entity = s._execution_entity AND r.record_number = s._record_number AND r.step = 'stage')`

/** Removes the staged records of an execution's entity, and what is known of their errors. */
export async function forgetStaged(tx: Queryable, place: StagedPlace): Promise<void> {
  if (place.stagingTable !== null) await tx.query(dropExecutionStaging({ name: place.entity }, place.id))
  else await deleteShared(tx, place.entity, [place.id])
  await tx.query('DELETE FROM entrepot.record_error WHERE execution_entity = $1', [place.id])
}
