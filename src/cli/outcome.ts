import { type EntrepotError, errorBody } from '../errors'
import { type ExecutionReport, listRecordErrors, type MessageReport } from '../execution/report'
import type { RecordCounts } from '../execution/states'
import type { Hub } from '../hub'
import { recordErrorTable } from './errors'
import { exitCodes, tellProblem } from './failure'
import { count, counted, paint, print, tell } from './terminal'

/** What `--json` prints. */
export interface Outcome {
  readonly messageId: string | null
  readonly executionId: string | null
  readonly state: string | null
  readonly records: RecordCounts
  readonly seconds: { readonly receive: number; readonly stage: number; readonly promote: number }
  readonly error?: object
}

const noRecords: RecordCounts = { read: 0, inserted: 0, updated: 0, unchanged: 0, superseded: 0, error: 0 }

/** The outcome of a file that was refused before it became a message. */
export function refusal(error: EntrepotError): Outcome {
  const seconds = { receive: 0, stage: 0, promote: 0 }
  return { messageId: null, executionId: null, state: null, records: noRecords, seconds, ...errorBody(error) }
}

/** How a message ended, for machines. */
export function outcomeOf(message: MessageReport, execution: ExecutionReport, receiveSeconds: number): Outcome {
  const [entity] = execution.entities
  return {
    messageId: message.messageId,
    executionId: execution.executionId,
    state: message.status,
    // In one order always, which that of the database is not.
    records: { ...noRecords, ...entity?.records },
    seconds: {
      receive: receiveSeconds,
      stage: secondsBetween(entity?.stagingStartedAt, entity?.stagingFinishedAt),
      promote: secondsBetween(entity?.targetStartedAt, entity?.targetFinishedAt),
    },
    ...(message.error ? { error: message.error } : {}),
  }
}

/** The exit code that says how a message ended. */
export function exitCodeFor({ status, error }: MessageReport, records: RecordCounts): number {
  if (error !== null || status === 'Canceled') return exitCodes.refused
  return records.error > 0 ? exitCodes.inError : exitCodes.good
}

/** How many errors are shown; `entrepot errors` shows them all. */
const shownErrors = 5

/**
 * Says how a message ended: its counts, or why it was rejected, and the first errors with what to do about them.
 * A rejection goes to standard error, unless it is what was asked for.
 */
export async function printOutcome(
  hub: Hub,
  message: MessageReport,
  execution: ExecutionReport,
  { records, seconds }: Pick<Outcome, 'records' | 'seconds'>,
  sayRejection = tell,
): Promise<void> {
  const { messageId } = message
  const { executionId } = execution
  const name = message.externalId ?? messageId
  if (message.error) {
    sayRejection(`${paint('red', message.status, process.stderr)}  ${name}`)
    const { hint, ...place } = message.error.innererror ?? {}
    tellProblem({ ...message.error, hint: hint === undefined ? undefined : String(hint), place }, sayRejection)
  } else {
    print(`${paint(records.error > 0 ? 'yellow' : 'green', message.status)}  ${name} → ${entityLabel(hub, message)}`)
    print(`  ${countsLine(records)}`)
    const total = seconds.receive + seconds.stage + seconds.promote
    print(
      paint(
        'dim',
        `  receive ${seconds.receive} s, stage ${seconds.stage} s, promote ${seconds.promote} s${rate(records.read, total)}`,
      ),
    )
  }
  for (const { text } of execution.log) print(`  ${text}`)
  const say = message.error ? sayRejection : print
  say(paint('dim', `  message ${messageId}, execution ${executionId}`))
  if (records.error > 0) await printFirstErrors(hub, executionId, records.error)
}

function entityLabel({ registry }: Hub, { entity, company }: MessageReport): string {
  return `${registry.find(entity)?.label ?? entity}${company ? ` of ${company}` : ''}`
}

function countsLine({ read, inserted, updated, unchanged, superseded, error }: RecordCounts): string {
  const parts = [
    `${count(inserted)} inserted`,
    `${count(updated)} updated`,
    `${count(unchanged)} unchanged`,
    ...(superseded > 0 ? [`${count(superseded)} superseded`] : []),
    error > 0 ? paint('red', `${count(error)} in error`) : '0 in error',
  ]
  return `${counted(read, 'record')} read: ${parts.join(', ')}`
}

function rate(records: number, seconds: number): string {
  return records >= 1_000 && seconds > 0 ? `, ${count(Math.round(records / seconds))} records/s` : ''
}

async function printFirstErrors({ db }: Hub, executionId: string, inError: number): Promise<void> {
  const errors = await listRecordErrors(db, executionId, { limit: shownErrors * 4 })
  const shown = errors.filter(({ code }) => code !== 'EP102').slice(0, shownErrors)
  print(`\n${recordErrorTable(shown, { withHints: true })}`)
  if (inError > shown.length) print(paint('dim', `… ${counted(inError, 'record')} in error in all`))
  print(`
  All of them        entrepot errors ${executionId}
  To correct them    entrepot errors ${executionId} --csv > errors.csv, then import errors.csv
  To try them again  entrepot retry ${executionId}`)
}

function secondsBetween(from: Date | null | undefined, to: Date | null | undefined): number {
  return from && to ? Math.max(0, (to.getTime() - from.getTime()) / 1000) : 0
}
