import { type ActionResult, cancelExecution, retryExecution, skipMessage } from '../execution/actions'
import type { Hub } from '../hub'
import { ringFor } from '../pipeline'
import { exitCodes } from './failure'
import { findMessageId, findRun } from './find-run'
import { runAndTell } from './run-and-tell'
import { withHub } from './session'
import { print, printJson } from './terminal'

/** How a retry is wanted. */
export interface RetryOptions {
  /** False leaves the work to the workers. */
  readonly wait: boolean
  /** The whole message in a new execution. */
  readonly anew?: boolean
  readonly json?: boolean
}

/** Runs an execution again, given by its id or its message's: in this process, as an import does, unless told not to wait. */
export function retry(id: string, { wait, anew = false, json }: RetryOptions): Promise<number> {
  return withHub('retry', async (hub) => {
    const asked = await findRun(hub.db, id)
    const { executionId, due } = await retryExecution(hub.db, asked.executionId, { anew })
    if (!wait) {
      await ringForAction(hub, due)
      if (json) printJson({ executionId })
      else print(`Execution ${executionId} is due: see entrepot status ${executionId}`)
      return exitCodes.good
    }
    return runAndTell(hub, executionId, { json })
  })
}

/** Cancels an execution, given by its id or its message's. */
export function cancel(id: string): Promise<number> {
  return withHub('cancel', async (hub) => {
    const { executionId } = await findRun(hub.db, id)
    const { due } = await cancelExecution(hub.db, executionId)
    await ringForAction(hub, due)
    print(`Execution ${executionId} is cancelled`)
    return exitCodes.good
  })
}

/** Leaves a failed message of an ordered activity behind, so that those after it go on. */
export function skip(id: string): Promise<number> {
  return withHub('skip', async (hub) => {
    const messageId = await findMessageId(hub.db, id)
    const { due } = await skipMessage(hub.db, messageId)
    await ringForAction(hub, due)
    print(
      `Message ${messageId} is skipped: ${due.length > 0 ? 'the next one of its activity is due' : 'none waits behind it'}`,
    )
    return exitCodes.good
  })
}

/** Wakes the workers, where there are any; where there are none, the next ones find the work by themselves. */
async function ringForAction(hub: Hub, due: ActionResult['due']): Promise<void> {
  if (due.length > 0) await ringFor(await hub.openQueues('producer'), due)
}
