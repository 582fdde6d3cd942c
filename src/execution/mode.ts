/** What an execution does with the records: all of it, up to the staging tables, or everything but writing (a dry run). */
export type ExecutionMode = 'import' | 'stage' | 'validate'
