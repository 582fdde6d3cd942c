import { errorCodes } from '../errors'
import {
  type ExecutionReport,
  isSameRecord,
  listRecordErrors,
  type RecordErrorReport,
  type RecordPlace,
} from '../execution/report'
import type { Hub } from '../hub'
import { errorsFile } from '../staging/errors-file'
import { exitCodes } from './failure'
import { findRun } from './find-run'
import { withHub } from './session'
import { count, paint, print, table, tell } from './terminal'

/** How the errors are wanted. */
export interface ErrorsOptions {
  /** Any name of the one entity that is meant. */
  readonly entity?: string
  readonly csv?: boolean
  /** The file says in a last column what is wrong. */
  readonly reasons?: boolean
  readonly json?: boolean
}

/** Records asked for at a time: memory stays small, however many are in error. */
const pageErrors = 1_000

/**
 * Prints the errors of an execution, or of the newest one of a message: as a table, as a JSON array, or as a file in
 * the original format that holds the failed records, ready to be corrected and imported again.
 */
export function showErrors(id: string, options: ErrorsOptions): Promise<number> {
  return withHub('errors', async (hub) => {
    const execution = await findRun(hub.db, id)
    const { executionId } = execution
    const entity = options.entity === undefined ? undefined : hub.registry.getImportable(options.entity).name
    const chosen = { executionId, entity }
    if (options.csv) await writeFile(hub, chosen, options.reasons ?? false)
    else if (options.json) await printAsJson(hub, chosen)
    else await printAsTable(hub, chosen, execution)
    return exitCodes.good
  })
}

interface ChosenErrors {
  readonly executionId: string
  /** Name of the entity. */
  readonly entity: string | undefined
}

async function writeFile(hub: Hub, { executionId, entity }: ChosenErrors, withReason: boolean): Promise<void> {
  let isEmpty = true
  for await (const text of errorsFile(hub, executionId, { withReason, ...(entity === undefined ? {} : { entity }) })) {
    isEmpty = false
    await write(text)
  }
  if (isEmpty) tell('No records are in error.')
}

/** Waits for a slow reader, so that a file of any size takes little memory. */
async function write(text: string): Promise<void> {
  if (process.stdout.write(text)) return
  await new Promise((resolve) => process.stdout.once('drain', resolve))
}

async function printAsJson(hub: Hub, chosen: ChosenErrors): Promise<void> {
  let separator = '['
  for await (const errors of errorPages(hub, chosen)) {
    for (const error of errors) {
      await write(`${separator}\n${JSON.stringify(error)}`)
      separator = ','
    }
  }
  await write(separator === '[' ? '[]\n' : '\n]\n')
}

async function printAsTable(hub: Hub, chosen: ChosenErrors, execution: ExecutionReport): Promise<void> {
  let total = 0
  for await (const errors of errorPages(hub, chosen)) {
    total += errors.length
    print(recordErrorTable(hub, execution, errors))
  }
  if (total === 0) tell('No records are in error.')
  else tell(paint('dim', `${count(total)} errors. Those of a table that is too wide: --json`, process.stderr))
}

/** Pages that end between records: a record with several errors is never cut in two. */
async function* errorPages({ db }: Hub, { executionId, entity }: ChosenErrors): AsyncGenerator<RecordErrorReport[]> {
  let after: RecordPlace | undefined
  for (let limit = pageErrors; ; ) {
    const page = await listRecordErrors(db, executionId, { limit, after, entity })
    const isLast = page.length < limit
    const cut = page.at(-1)
    const whole = isLast ? page : page.filter((error) => cut === undefined || !isSameRecord(error, cut))
    if (whole.length > 0) yield whole
    if (isLast) return
    after = whole.at(-1) ?? after
    // A single record with more errors than a page holds: only a larger page gets past it.
    limit = whole.length > 0 ? pageErrors : limit * 2
  }
}

/**
 * Errors of records of an execution as a table, which names their entities where the execution has several; with hints,
 * what to do about each kind follows below it.
 */
export function recordErrorTable(
  { registry }: Pick<Hub, 'registry'>,
  { entities }: Pick<ExecutionReport, 'entities'>,
  errors: readonly RecordErrorReport[],
  { withHints = false } = {},
): string {
  const entityColumn = { title: 'Entity', text: ({ entity }: RecordErrorReport) => registry.labelOf(entity) }
  const lines = table(errors, [
    ...(entities.length > 1 ? [entityColumn] : []),
    { title: 'Record', isNumber: true, text: ({ recordNumber }) => count(recordNumber) },
    { title: 'Line', isNumber: true, text: ({ line }) => (line === null ? '' : count(line)) },
    { title: 'Code', text: ({ code }) => code, style: () => 'yellow' },
    { title: 'Field', text: ({ field }) => field ?? '' },
    { title: 'Value', text: ({ value }) => shortened(value ?? '') },
    { title: 'Reason', text: ({ reason }) => reason },
  ])
  if (!withHints) return lines
  const codes = [...new Set(errors.map(({ code }) => code))]
  return [lines, '', ...codes.map((code) => `  ${code}  ${hintFor(code)}`)].join('\n')
}

/** As much of a value as its column shows; the reason has the rest. */
function shortened(value: string): string {
  return value.length > 30 ? `${value.slice(0, 29)}…` : value
}

/** What to do about a code; one that a newer version wrote is not known here. */
function hintFor(code: string): string {
  const known: Readonly<Record<string, { readonly hint: string }>> = errorCodes
  return known[code]?.hint ?? ''
}
