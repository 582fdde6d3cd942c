import { type FinishedMessage, observeFinishedMessages } from '../execution/finish'
import type { Work } from '../execution/work'
import type { Queryable } from '../platform/database'
import { observe } from '../platform/observe'

/** Says what promotion did, once it is committed. */
export async function observeFinished(
  db: Queryable,
  works: readonly Work[],
  finished: readonly FinishedMessage[],
  startedAt: number,
): Promise<void> {
  const ms = Math.round(performance.now() - startedAt)
  const rows = await db.query<PromotedCounts>(
    `SELECT execution_id AS "executionId", entity, records_inserted AS inserted, records_updated AS updated,
       records_unchanged AS unchanged, records_superseded AS superseded, records_in_error AS errors
     FROM entrepot.execution_entity WHERE id = ANY($1)`,
    [works.map(({ id }) => id)],
  )
  for (const row of rows) observe({ at: 'promote.finished', ...row, ms })
  observeFinishedMessages(finished)
}

interface PromotedCounts {
  readonly executionId: string
  readonly entity: string
  readonly inserted: number
  readonly updated: number
  readonly unchanged: number
  readonly superseded: number
  readonly errors: number
}
