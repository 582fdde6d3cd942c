import { findMessage } from '../execution/report'
import type { Hub } from '../hub'
import { exitCodeFor, outcomeOf, printOutcome } from './outcome'
import { runToEnd } from './run-to-end'
import { printJson, tell } from './terminal'

/**
 * Runs an execution to its end in this process, and says how it went.
 * Input   `receiveSeconds`: how long it took to keep its file.
 * Returns the exit code that says so too.
 */
export async function runAndTell(
  hub: Hub,
  executionId: string,
  { json = false, receiveSeconds = 0 }: { json?: boolean | undefined; receiveSeconds?: number } = {},
): Promise<number> {
  const execution = await runToEnd(hub, executionId)
  const message = await findMessage(hub.db, execution.messageId)
  const outcome = outcomeOf(message, execution, receiveSeconds)
  if (json) printJson(outcome)
  else if (execution.finishedAt === null)
    tell(`It waits for message ${message.waitsFor}, which failed before it in its activity`)
  else await printOutcome(hub, message, execution, outcome)
  return exitCodeFor(message, outcome.records)
}
