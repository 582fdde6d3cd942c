import type { Context } from '../execution/context'
import { type ExecutionReport, listRecordErrors } from '../execution/report'

/** One error as `GetExecutionErrors` gives it. */
export interface ExecutionError {
  readonly RecordId: string
  readonly Field: string
  readonly ErrorMessage: string
}

/** More than anyone reads in a client; all of them are at /api/v1/executions/{id}/errors. */
const maxErrors = 10_000

/** What is wrong with an execution: its entities that failed as a whole, then its records. */
export async function executionErrors({ db }: Context, execution: ExecutionReport): Promise<ExecutionError[]> {
  const whole = execution.entities.flatMap(({ error }) =>
    error === null ? [] : [{ RecordId: '', Field: '', ErrorMessage: `${error.code}: ${error.message}` }],
  )
  const records = await listRecordErrors(db, execution.executionId, { limit: maxErrors })
  return [
    ...whole,
    ...records
      .filter(({ code }) => code !== 'EP102')
      .map(({ recordNumber, field, code, reason }) => ({
        RecordId: String(recordNumber),
        Field: field ?? '',
        ErrorMessage: `${code}: ${reason}`,
      })),
  ]
}
