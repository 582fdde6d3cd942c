import { type EntrepotError, errorBody } from '../errors'
import type { ExecutionMode } from '../execution/mode'
import { type ExecutionReport, listRecordErrors, type MessageReport } from '../execution/report'
import type { RecordCounts } from '../execution/states'
import type { Hub } from '../hub'
import { correctionLine } from './correction'
import { recordErrorTable } from './errors'
import { exitCodes, tellProblem } from './failure'
import { count, counted, paint, print, table, tell } from './terminal'

/** What `--json` prints. */
export interface Outcome {
  readonly messageId: string | null
  readonly executionId: string | null
  readonly state: string | null
  /** Of all its entities together. */
  readonly records: RecordCounts
  readonly seconds: { readonly receive: number; readonly stage: number; readonly promote: number }
  /** In the order of the package. */
  readonly entities: readonly EntityOutcome[]
  readonly error?: object
}

/** How one entity of an execution ended. */
export interface EntityOutcome {
  readonly entity: string
  readonly file: string | null
  readonly stagingStatus: string
  readonly targetStatus: string
  readonly records: RecordCounts
  readonly error?: object
}

const noRecords: RecordCounts = { read: 0, inserted: 0, updated: 0, unchanged: 0, superseded: 0, error: 0 }

/** The outcome of a file that was refused before it became a message. */
export function refusal(error: EntrepotError): Outcome {
  const seconds = { receive: 0, stage: 0, promote: 0 }
  return {
    messageId: null,
    executionId: null,
    state: null,
    records: noRecords,
    seconds,
    entities: [],
    ...errorBody(error),
  }
}

/** How a message ended, for machines. */
export function outcomeOf(message: MessageReport, execution: ExecutionReport, receiveSeconds: number): Outcome {
  const { entities } = execution
  return {
    messageId: message.messageId,
    executionId: execution.executionId,
    state: message.status,
    records: sumOf(entities.map(({ records }) => records)),
    seconds: {
      receive: receiveSeconds,
      stage: secondsOf(entities, 'stagingStartedAt', 'stagingFinishedAt'),
      promote: secondsOf(entities, 'targetStartedAt', 'targetFinishedAt'),
    },
    entities: entities.map(({ entity, file, stagingStatus, targetStatus, records, error }) => ({
      entity,
      file,
      stagingStatus,
      targetStatus,
      records: sumOf([records]),
      ...(error ? { error } : {}),
    })),
    ...(message.error ? { error: message.error } : {}),
  }
}

/** Counts added up, in one order always, which that of the database is not. */
function sumOf(counts: readonly RecordCounts[]): RecordCounts {
  const names = Object.keys(noRecords) as (keyof RecordCounts)[] // Object.keys forgets the type of the keys
  const sums = names.map((name) => [name, counts.reduce((sum, each) => sum + each[name], 0)])
  return Object.fromEntries(sums) as Record<keyof RecordCounts, number>
}

type Moment = 'stagingStartedAt' | 'stagingFinishedAt' | 'targetStartedAt' | 'targetFinishedAt'

/** From the first start to the last end. */
function secondsOf(entities: ExecutionReport['entities'], start: Moment, end: Moment): number {
  const times = (name: Moment) => entities.flatMap((entity) => entity[name]?.getTime() ?? [])
  const [starts, ends] = [times(start), times(end)]
  return starts.length === 0 || ends.length === 0 ? 0 : Math.max(0, (Math.max(...ends) - Math.min(...starts)) / 1000)
}

/** The exit code that says how a message ended. */
export function exitCodeFor({ status, error }: MessageReport, records: RecordCounts): number {
  if (status === 'PreProcessingError' || status === 'PostProcessingError' || status === 'Canceled')
    return exitCodes.refused
  return records.error > 0 || error !== null ? exitCodes.inError : exitCodes.good
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
  const hasFailed = message.error !== null && message.status !== 'ProcessedWithErrors'
  if (message.error && hasFailed) {
    sayRejection(`${paint('red', message.status, process.stderr)}  ${name}`)
    const { hint, ...place } = message.error.innererror ?? {}
    tellProblem({ ...message.error, hint: hint === undefined ? undefined : String(hint), place }, sayRejection)
  } else {
    const isGood = message.status === 'Processed'
    print(`${paint(isGood ? 'green' : 'yellow', message.status)}  ${name} → ${messageLabel(hub, message)}`)
    print(`  ${countsLine(records, execution.mode)}`)
    const total = seconds.receive + seconds.stage + seconds.promote
    print(
      paint(
        'dim',
        `  receive ${seconds.receive} s, stage ${seconds.stage} s, promote ${seconds.promote} s${rate(records.read, total)}`,
      ),
    )
  }
  if (execution.entities.length > 1) print(entityTable(hub, execution))
  for (const { text } of execution.log) print(`  ${text}`)
  const say = hasFailed ? sayRejection : print
  say(paint('dim', `  message ${messageId}, execution ${executionId}`))
  if (records.error > 0) await printFirstErrors(hub, message, execution, records.error)
  if (execution.entities.some(({ targetStatus }) => targetStatus === 'NotStarted') && execution.finishedAt !== null) {
    print(
      `\n  See what is staged  entrepot staged ${executionId}\n  Promote it          entrepot promote ${executionId}`,
    )
  }
}

/** What a message holds: the label of its entity, or the data project of a package. */
export function messageLabel(hub: Pick<Hub, 'registry'>, { entity, project, company }: MessageReport): string {
  const label = entity === null ? `project ${project ?? ''}` : entityLabel(hub, entity)
  return `${label}${company ? ` of ${company}` : ''}`
}

function entityLabel({ registry }: Pick<Hub, 'registry'>, entity: string): string {
  return registry.labelOf(entity)
}

/** From its first record to its last, waiting for others left out. */
function entitySeconds(entity: ExecutionReport['entities'][number]): number {
  const one = [entity]
  return secondsOf(one, 'stagingStartedAt', 'stagingFinishedAt') + secondsOf(one, 'targetStartedAt', 'targetFinishedAt')
}

/** The entities of an execution, a line each. */
export function entityTable(hub: Pick<Hub, 'registry'>, { entities }: ExecutionReport): string {
  const number = (title: string, text: (entity: ExecutionReport['entities'][number]) => number) => ({
    title,
    isNumber: true,
    text: (entity: ExecutionReport['entities'][number]) => count(text(entity)),
  })
  return table(entities, [
    { title: 'Entity', text: ({ entity }) => entityLabel(hub, entity), style: () => 'bold' },
    { title: 'Staging', text: ({ stagingStatus }) => stagingStatus },
    { title: 'Target', text: ({ targetStatus }) => targetStatus },
    number('Read', ({ records }) => records.read),
    number('Inserted', ({ records }) => records.inserted),
    number('Updated', ({ records }) => records.updated),
    number('Unchanged', ({ records }) => records.unchanged),
    number('Superseded', ({ records }) => records.superseded),
    number('In error', ({ records }) => records.error),
    { title: 'Seconds', isNumber: true, text: (entity) => entitySeconds(entity).toFixed(1) },
    { title: 'Trouble', text: ({ error }) => (error === null ? '' : `${error.code}: ${error.message}`) },
  ])
}

function countsLine(records: RecordCounts, mode: ExecutionMode): string {
  const { read, inserted, updated, unchanged, superseded, error } = records
  const waiting = read - inserted - updated - unchanged - superseded - error
  const parts = [
    ...(mode === 'stage' && waiting > 0 ? [`${count(waiting)} staged`] : []),
    `${count(inserted)} ${mode === 'validate' ? 'would be inserted' : 'inserted'}`,
    `${count(updated)} updated`,
    `${count(unchanged)} unchanged`,
    ...(superseded > 0 ? [`${count(superseded)} superseded`] : []),
    error > 0 ? paint('red', `${count(error)} in error`) : '0 in error',
  ]
  return `${mode === 'validate' ? 'Dry run: ' : ''}${counted(read, 'record')} read: ${parts.join(', ')}`
}

function rate(records: number, seconds: number): string {
  return records >= 1_000 && seconds > 0 ? `, ${count(Math.round(records / seconds))} records/s` : ''
}

async function printFirstErrors(
  hub: Hub,
  message: MessageReport,
  execution: ExecutionReport,
  inError: number,
): Promise<void> {
  const { executionId, mode } = execution
  const errors = await listRecordErrors(hub.db, executionId, { limit: shownErrors * 4 })
  const shown = errors.filter(({ code }) => code !== 'EP102').slice(0, shownErrors)
  print(`\n${recordErrorTable(hub, execution, shown, { withHints: true })}`)
  if (inError > shown.length) print(paint('dim', `… ${counted(inError, 'record')} in error in all`))
  print(`
  All of them        entrepot errors ${executionId}
${correctionLine(hub, message, execution)}${
  mode === 'import' ? `\n  To try them again  entrepot retry ${executionId}` : ''
}`)
}
