import { EntrepotError, RequestRefused } from '../errors'
import { type ExecutionReport, findExecution, findMessage, newestExecution } from '../execution/report'
import type { Queryable } from '../platform/database'

/**
 * The execution of an id that a person copied from somewhere: its own, or its message's, of which it is the newest.
 * Throws  RequestRefused EA108 (404).
 */
export async function findRun(db: Queryable, id: string): Promise<ExecutionReport> {
  return (await ifFound(findExecution(db, id))) ?? (await ifFound(newestExecution(db, id))) ?? missing(id)
}

/** The id of a message, given as its own or as one of its executions'. Throws RequestRefused EA108 (404). */
export async function findMessageId(db: Queryable, id: string): Promise<string> {
  const message = await ifFound(findMessage(db, id))
  return message?.messageId ?? (await findRun(db, id)).messageId
}

async function ifFound<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof EntrepotError && error.code === 'EA108') return undefined
    throw error
  }
}

function missing(id: string): never {
  throw new RequestRefused(404, 'EA108', `There is no message or execution '${id.slice(0, 100)}'`)
}
