import type { Context } from '../execution/context'
import { finishExecutions, lockExecutions, observeFinishedMessages } from '../execution/finish'
import { type DueWork, fence, type Work } from '../execution/work'
import type { Transaction } from '../platform/database'
import { faultPoint } from '../platform/faults'
import { observe } from '../platform/observe'

/**
 * Ends the staging of work that was staged by itself: it goes on to promotion, or has come to its end where it is to be
 * staged only.
 * Input   `moveOn`: keeps what is known of it; `done`: what is said of it, `startedAt` by `performance.now()`.
 * Throws  Conflict.
 */
export async function endStaging(
  { db }: Context,
  work: Work,
  moveOn: (tx: Transaction) => Promise<DueWork[]>,
  { records, errors, startedAt }: { records: number; errors: number; startedAt: number },
): Promise<DueWork[]> {
  const { due, finished } = await db.transaction(async (tx) => {
    await lockExecutions(tx, [work.executionId])
    await fence(tx, [work])
    const moved = await moveOn(tx)
    return { due: moved, finished: work.mode === 'stage' ? await finishExecutions(tx, [work.executionId]) : [] }
  })
  faultPoint('stage.afterFinish')
  observe({
    at: 'stage.finished',
    executionId: work.executionId,
    entity: work.entity,
    records,
    errors,
    ms: Math.round(performance.now() - startedAt),
  })
  observeFinishedMessages(finished)
  return due
}
