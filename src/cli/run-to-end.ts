import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../execution/context'
import { type ExecutionReport, findExecution, findMessage } from '../execution/report'
import { answerBell, type Bells, type Step, steps, sweep } from '../pipeline'
import { onObservation } from '../platform/observe'
import { count, openProgress } from './terminal'

/** How often progress is looked at, and whether another process has ended the work. */
const pollMs = 250

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
      const done = await runSteps(
        context,
        entities.map(({ workId }) => String(workId)),
      )
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

/** What the sweeper rings for is tried again anyway. */
const noBells: Bells = { ringAll: async () => undefined }

/** How many pieces of work of a step are done at a time, as in a worker process. */
const lanesPerStep = 2

/**
 * Does all that is due of these works, and what becomes due by it: an entity is promoted while others are still staged.
 * Returns  how many pieces of work it did.
 */
async function runSteps(context: Context, workIds: readonly string[]): Promise<number> {
  const own = new Set(workIds)
  const waiting = new Map<Step['name'], string[]>(steps.map(({ name }) => [name, [...workIds]]))
  let done = 0
  let wake: (() => void)[] = []
  const bells: Bells = {
    // The bells of this process are its own list; what else becomes due is for others.
    async ringAll(step, jobs) {
      waiting.get(step as Step['name'])?.push(...jobs.map(({ id }) => id).filter((id) => own.has(id)))
      for (const resolve of wake.splice(0)) resolve()
    },
  }
  let busy = 0
  const lane = async (step: Step) => {
    for (;;) {
      const id = waiting.get(step.name)!.shift()
      if (id !== undefined) {
        busy++
        done += await answerBell(context, bells, step, id)
        busy--
        if (busy === 0) for (const resolve of wake.splice(0)) resolve()
      } else if (busy === 0) return
      else {
        await new Promise<void>((resolve) => {
          wake = [...wake, resolve]
        })
      }
    }
  }
  await Promise.all(steps.flatMap((step) => Array.from({ length: lanesPerStep }, () => lane(step))))
  return done
}

/** Shows how far the execution is, until it is stopped. */
function watchProgress(context: Context, executionId: string): { stop(): Promise<void> } {
  const progress = openProgress()
  let looking: Promise<void> | undefined
  const look = async () => {
    const { entities } = await findExecution(context.db, executionId)
    const text = entities
      .filter(({ targetFinishedAt }) => targetFinishedAt === null)
      .map(progressOf)
      .join('; ')
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
