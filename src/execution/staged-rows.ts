import { dropExecutionStaging, stagingTable } from '../entity'
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
 * SQL: whether the texts of a record in error, a row `s` of a staging table, are as they came: those of a record that was
 * good when it was staged, and failed at promotion only, are canonical.
 */
export const isAsItCame = `EXISTS (SELECT FROM entrepot.record_error r
  WHERE r.execution_entity = s._execution_entity AND r.record_number = s._record_number AND r.step = 'stage')`

/** Removes the staged records of an execution's entity, and what is known of their errors. */
export async function forgetStaged(tx: Queryable, place: StagedPlace): Promise<void> {
  if (place.stagingTable !== null) await tx.query(dropExecutionStaging({ name: place.entity }, place.id))
  else await tx.query(`DELETE FROM ${tableOf(place)} WHERE _execution_entity = $1`, [place.id])
  await tx.query('DELETE FROM entrepot.record_error WHERE execution_entity = $1', [place.id])
}
