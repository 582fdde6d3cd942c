import { RequestRefused } from '../errors'
import { promoteStaged, validateStaged } from '../execution/actions'
import { correctStaged } from '../staging/correct-staged'
import { listStaged, type StagedRecord, type StagedStatus, stagedStatuses } from '../staging/staged-records'
import { exitCodes } from './failure'
import { findRun } from './find-run'
import { runAndTell } from './run-and-tell'
import { withHub } from './session'
import { count, paint, print, printJson, table, tell } from './terminal'

/** Which staged records are wanted. */
export interface StagedOptions {
  readonly entity?: string
  readonly status?: string
  readonly field?: string
  readonly contains?: string
  readonly after?: number
  readonly limit?: number
  readonly json?: boolean
}

const listedRecords = 50

/** Shows staged records of an execution, or of the newest one of a message. */
export function showStaged(id: string, options: StagedOptions): Promise<number> {
  return withHub('staged', async (hub) => {
    const { entity, status, field, contains, after, limit = listedRecords } = options
    if ((field === undefined) !== (contains === undefined)) {
      throw new RequestRefused(
        400,
        'EA109',
        '--field and --contains go together: the field, and what its text contains',
      )
    }
    const { executionId } = await findRun(hub.db, id)
    const records = await listStaged(hub, executionId, {
      limit,
      ...(entity === undefined ? {} : { entity }),
      ...(status === undefined ? {} : { status: statusNamed(status) }),
      ...(field === undefined ? {} : { field, contains: contains ?? '' }),
      ...(after === undefined ? {} : { afterRecord: after }),
    })
    if (options.json) printJson(records)
    else if (records.length === 0) tell('There are no such staged records.')
    else {
      print(stagedTable(records))
      const last = records.at(-1)!
      if (records.length === limit) tell(paint('dim', `More of them: --after ${last.recordNumber}`, process.stderr))
    }
    return exitCodes.good
  })
}

function statusNamed(text: string): StagedStatus {
  const found = stagedStatuses.find((status) => status.toLowerCase() === text.toLowerCase())
  if (found) return found
  throw new RequestRefused(400, 'EA109', `The status '${text}' is none of ${stagedStatuses.join(', ')}`)
}

/** Records with the fields that some of them give. */
function stagedTable(records: readonly StagedRecord[]): string {
  const names = Object.keys(records[0]!.values).filter((name) => records.some(({ values }) => values[name]))
  return table(records, [
    { title: 'Record', isNumber: true, text: ({ recordNumber }) => count(recordNumber) },
    {
      title: 'Status',
      text: ({ status }) => status,
      style: ({ status }) => (status === 'Error' ? 'yellow' : undefined),
    },
    ...names.map((name) => ({ title: name, text: ({ values }: StagedRecord) => values[name] ?? '' })),
    {
      title: 'Errors',
      text: ({ errors, raw }) => [...errors.map(({ reason }) => reason), ...(raw === null ? [] : [raw])].join('; '),
    },
  ])
}

/** Corrects fields of a staged record, given as FIELD=TEXT, and shows what became of it. */
export function correct(
  id: string,
  recordNumber: number,
  changes: readonly string[],
  { entity, json }: { entity?: string; json?: boolean },
): Promise<number> {
  return withHub('correct', async (hub) => {
    const { executionId } = await findRun(hub.db, id)
    const correction = Object.fromEntries(changes.map(changeOf))
    const place = { recordNumber, ...(entity === undefined ? {} : { entity }) }
    const record = await correctStaged(hub, executionId, place, correction)
    if (json) printJson(record)
    else print(stagedTable([record]))
    const isStillWrong = record.errors.some(({ code }) => code !== 'ER301')
    return isStillWrong ? exitCodes.inError : exitCodes.good
  })
}

function changeOf(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new RequestRefused(400, 'EA109', `'${text}' is not of the form FIELD=TEXT`)
}

/** Which staged records are to be promoted. */
export interface PromoteOptions {
  readonly entity?: string
  readonly records?: readonly number[]
  readonly errors?: boolean
  readonly json?: boolean
}

/** Promotes what an execution has staged, in this process. */
export function promote(id: string, { entity, records, errors, json }: PromoteOptions): Promise<number> {
  return withHub('promote', async (hub) => {
    if (records !== undefined && errors) {
      throw new RequestRefused(400, 'EA109', 'Either --records or --errors, not both')
    }
    const asked = await findRun(hub.db, id)
    const { executionId } = await promoteStaged(hub.db, asked.executionId, {
      ...(entity === undefined ? {} : { entity: hub.registry.get(entity).name }),
      ...(records === undefined ? {} : { records }),
      ...(errors ? { errors } : {}),
    })
    return runAndTell(hub, executionId, { json })
  })
}

/** Checks what an execution has staged as promotion would, in this process. */
export function validate(id: string, { entity, json }: { entity?: string; json?: boolean }): Promise<number> {
  return withHub('validate', async (hub) => {
    const asked = await findRun(hub.db, id)
    const chosen = entity === undefined ? {} : { entity: hub.registry.get(entity).name }
    const { executionId } = await validateStaged(hub.db, asked.executionId, chosen)
    return runAndTell(hub, executionId, { json })
  })
}
