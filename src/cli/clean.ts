import { RequestRefused } from '../errors'
import { type CleanPlan, clean, countCleanable, daysBefore, retentionPlan } from '../execution/clean'
import type { CleanScope } from '../execution/clean-scope'
import { listExecutions } from '../execution/report'
import type { Hub } from '../hub'
import type { Queryable } from '../platform/database'
import type { CleanCounts } from '../platform/observe'
import { findProject, getProject } from '../project/data-project'
import { exitCodes } from './failure'
import { findRun } from './find-run'
import { withHub } from './session'
import { count, print, printJson, size, table } from './terminal'

/** What the command line says of a clean-up. */
export interface CleanOptions {
  /** Days after the end of a message, in place of the settings. 0: whatever has ended. */
  readonly olderThan?: number
  readonly payloads?: boolean
  readonly staging?: boolean
  readonly history?: boolean
  readonly orphans?: boolean
  readonly entity?: string
  readonly project?: string
  /** Id of an execution, or of its message. */
  readonly execution?: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** Cleans up here and now, and says what it removed; with `dryRun`, what it would remove. */
export function cleanNow(options: CleanOptions): Promise<number> {
  return withHub('clean', async (hub) => {
    const plan = await planOf(hub, options)
    const { dryRun = false, json } = options
    const counts = dryRun ? await countCleanable(hub, plan) : await clean(hub, plan)
    if (json) printJson({ dryRun, ...counts })
    else print(countTable(counts, dryRun ? 'Would remove' : 'Removed'))
    return exitCodes.good
  })
}

const kinds = ['payloads', 'staging', 'history', 'orphans'] as const

async function planOf(hub: Hub, options: CleanOptions): Promise<CleanPlan> {
  const now = new Date()
  const chosen = kinds.filter((kind) => options[kind])
  const { entity, project, execution } = options
  const isScoped = [entity, project, execution].some((named) => named !== undefined)
  if (isScoped && options.orphans) {
    throw new RequestRefused(400, 'EA109', 'Orphans belong to no message: clean them up without naming which ones')
  }
  const scope = await scopeOf(hub, options)
  const bySettings = retentionPlan(hub.config, now)
  const byHand = options.olderThan === undefined ? undefined : daysBefore(now, options.olderThan)
  const before = (kind: (typeof kinds)[number], setting: Date | undefined) =>
    chosen.length === 0 || chosen.includes(kind) ? setting : undefined
  return {
    payloadsBefore: before('payloads', byHand ?? bySettings.payloadsBefore),
    stagingBefore: before('staging', byHand ?? bySettings.stagingBefore),
    historyBefore: before('history', byHand ?? bySettings.historyBefore),
    // Never by hand: a payload that is on its way to its message looks the same.
    orphansBefore: scope ? undefined : before('orphans', bySettings.orphansBefore),
    scope,
  }
}

/** Which messages are meant; undefined where none are named. Throws RequestRefused EA102 (400), EA108 and EA118 (404). */
async function scopeOf({ db, registry }: Hub, options: CleanOptions): Promise<CleanScope | undefined> {
  const { entity, project, execution } = options
  const scope: CleanScope = {
    ...(entity === undefined ? {} : { entity: registry.get(entity).name }),
    ...(project === undefined ? {} : { project: await projectName(db, project) }),
    ...(execution === undefined ? {} : { executionId: (await findRun(db, execution)).executionId }),
  }
  return Object.keys(scope).length === 0 ? undefined : scope
}

/** Executions outlive their project, so a name that only they have is known as well. Throws RequestRefused EA118 (404). */
async function projectName(db: Queryable, name: string): Promise<string> {
  const known = await findProject(db, name)
  if (known) return known.name
  const runs = await listExecutions(db, { project: name, limit: 1 })
  return runs.length > 0 ? name : (await getProject(db, name)).name
}

function countTable(counts: CleanCounts, title: string): string {
  const rows = [
    { what: 'Messages, with their executions and errors', number: counts.messages },
    { what: 'Bytes of messages', number: counts.payloads, bytes: counts.payloadBytes },
    { what: 'Staged records', number: counts.stagedRecords },
    { what: 'Payloads of no message', number: counts.orphans, bytes: counts.orphanBytes },
  ]
  return table(rows, [
    { title, text: ({ what }) => what },
    { title: 'Count', isNumber: true, text: ({ number }) => count(number) },
    { title: 'Size', isNumber: true, text: ({ bytes }) => (bytes === undefined ? '' : size(bytes)) },
  ])
}
