/**
 * The way of one entity of an execution; see `pipeline.ts` for who moves it. Staged: it is to go no further until somebody
 * says so. NotRun: something before it has failed and stops it, or it has not been started.
 */
export type EntityState = 'Staging' | 'Promoting' | 'Staged' | 'Finished' | 'Failed' | 'Canceled' | 'NotRun'

/** Final states of a message; while work is under way the view `message_status` names the state. */
export type MessageState =
  | 'Enqueued'
  | 'PreProcessing'
  | 'Processing'
  | 'Processed'
  | 'ProcessedWithErrors'
  | 'PreProcessingError'
  | 'PostProcessingError'
  | 'Canceled'

/** `DMFExecutionSummaryStatus` of Dynamics 365, less Unknown. */
export type ExecutionState = 'NotRun' | 'Executing' | 'Succeeded' | 'PartiallySucceeded' | 'Failed' | 'Canceled'

/** What became of a message's records: read is the sum of the others. */
export interface RecordCounts {
  readonly read: number
  readonly inserted: number
  readonly updated: number
  readonly unchanged: number
  readonly superseded: number
  readonly error: number
}
