import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../execution/context'
import { type ExecutionReport, findExecution, findMessage } from '../execution/report'
import { answerBell, type Bells, steps, sweep } from '../pipeline'
import { onObservation } from '../platform/observe'
import { count, openProgress } from './terminal'

/** How often progress is looked at, and whether another process has ended the work. */
const pollMs = 250

/** Work that becomes due on the way is found by whoever sweeps; here the steps are gone through anyway. */
const noBells: Bells = { ringAll: async () => undefined }

/**
 * Runs the steps of an execution in this process until it has ended, showing progress. Where another process was faster
 * with the work, its end is waited for.
 * Returns  the execution as it ended; or as it is, when its message waits for an earlier one of an ordered activity.
 */
export async function runToEnd(context: Context, executionId: string): Promise<ExecutionReport> {
  const progress = watchProgress(context, executionId)
  try {
    for (;;) {
      const { entities } = await findExecution(context.db, executionId)
      // Entities of one execution do not wait for one another, but where their order says so.
      let done = 0
      for (const step of steps) {
        const counts = await Promise.all(
          entities.map(({ workId }) => answerBell(context, noBells, step, String(workId))),
        )
        done += counts.reduce((sum, each) => sum + each, 0)
      }
      const execution = await findExecution(context.db, executionId)
      if (execution.finishedAt !== null) return execution
      const { waitsFor } = await findMessage(context.db, execution.messageId)
      if (waitsFor !== null) return execution
      // Ends work that was tried too often: there may be no other process to do so.
      await sweep(context, noBells)
      if (done === 0) await sleep(pollMs)
    }
  } finally {
    await progress.stop()
  }
}

/** Shows how far the execution is, until it is stopped. */
function watchProgress(context: Context, executionId: string): { stop(): Promise<void> } {
  const progress = openProgress()
  let looking: Promise<void> | undefined
  const look = async () => {
    const { entities } = await findExecution(context.db, executionId)
    const text = entities.map(progressOf).join('; ')
    if (text !== '') progress.show(text)
  }
  const timer = setInterval(() => {
    // Trouble with the database is the steps' to tell of.
    looking ??= look()
      .catch(() => undefined)
      .finally(() => {
        looking = undefined
      })
  }, pollMs)
  const stopListening = onObservation((event) => {
    if (event.at === 'step.retried') progress.show(`Trying again soon: ${event.reason}`)
  })
  return {
    async stop() {
      clearInterval(timer)
      stopListening()
      await looking
      progress.clear()
    },
  }
}

function progressOf({ stagingFinishedAt, records }: ExecutionReport['entities'][number]): string {
  if (stagingFinishedAt === null) return `Staging: ${count(records.read)} records`
  const promoted = records.inserted + records.updated + records.unchanged
  return `Promoting: ${count(promoted)} of ${count(records.read)} records`
}
