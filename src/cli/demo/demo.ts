import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { targetTable } from '../../entity'
import { retryExecution } from '../../execution/actions'
import { findExecution, listRecordErrors, newestExecution } from '../../execution/report'
import { ringFor } from '../../pipeline'
import { readConfig } from '../../platform/config'
import { endOnSignals, openLifecycle } from '../../platform/lifecycle'
import { logObservations } from '../../platform/log'
import { addActivity } from '../../project/activity'
import { exitCodes } from '../failure'
import { count, openProgress, paint, print, table } from '../terminal'
import { type RunningHub, startHub, urlLines } from '../up'
import { version } from '../version'
import { customerAccount, groupless } from './sample-customers'
import { orderFiles } from './sample-orders'
import { lateGroupFile, masterFiles, referenceFiles, type SampleFile, sampleActivities } from './samples'
import { type Pushed, push, waitForEnd } from './upstream'

/**
 * Shows a hub at work: starts one in a folder of its own, pushes files to it as the systems around it would, and shows
 * what became of their records. Nothing outside the folder is touched, and it is removed at the end.
 */
export async function demo({ keep }: { keep: boolean }): Promise<number | undefined> {
  const lifecycle = openLifecycle()
  endOnSignals(lifecycle)
  const home = mkdtempSync(path.join(tmpdir(), 'entrepot-demo-'))
  chmodSync(home, 0o755) // Postgres does not run as root: its own user must get in
  lifecycle.onShutdown('folder', () => rmSync(home, { recursive: true, force: true }))
  // Of the environment only this: a demonstration must not write to somebody's database.
  const logLevel = process.env.LOG_LEVEL ?? 'silent'
  const config = readConfig({ ENTREPOT_HOME: home, PORT: '0', SWEEP_SECONDS: '1', LOG_LEVEL: logLevel })
  logObservations(config.logLevel)
  try {
    print(`${paint('bold', `Entrepot ${version()}`)}, a demonstration in ${home}`)
    const running = await starting(() => startHub(config, lifecycle, { withWorkers: true }))
    await show(running)
    title(keep ? 'Look around' : 'Where to look around while it runs')
    print(urlLines(running.url))
    if (keep) {
      print(`\nCtrl-C stops it and removes ${home}.`)
      return undefined
    }
    print(`\nTo leave it up: ${paint('bold', 'npm run demo -- --keep')}`)
  } catch (error) {
    await lifecycle.shutdown('failed')
    throw error
  }
  await lifecycle.shutdown('done')
  return exitCodes.good
}

function title(text: string): void {
  print(`\n${paint('bold', text)}`)
}

function done(text: string): void {
  print(`  ${paint('green', '✓')} ${text}`)
}

async function starting(start: () => Promise<RunningHub>): Promise<RunningHub> {
  title('A hub starts')
  const startedAt = Date.now()
  const progress = openProgress()
  if (process.stderr.isTTY) progress.show('  Postgres is made ready …')
  const running = await start().finally(() => progress.clear())
  done(`Postgres, queues, server and workers, in ${seconds(startedAt)}: ${running.url}`)
  return running
}

function seconds(startedAt: number): string {
  return `${((Date.now() - startedAt) / 1000).toFixed(1)} s`
}

async function show(running: RunningHub): Promise<void> {
  const upstream = await openChannels(running)
  const pushed = [
    ...(await upstream('Reference data comes first, in order', referenceFiles)),
    ...(await upstream('Four systems push their records: CSV, tab-delimited, XML', masterFiles())),
    ...(await upstream('The web shop pushes its orders', orderFiles())),
  ]
  title('What became of them')
  await printCounts(running, pushed)
  const customers = pushed.find(({ file }) => file.fileName === 'customers.csv')!
  await printErrors(running, customers)
  await bringLateGroup(running, customers, upstream)
  await printCustomer(running)
}

type Upstream = (what: string, files: readonly SampleFile[]) => Promise<Pushed[]>

/** Adds the activities, and gives what pushes files to them and waits for their end. */
async function openChannels({ hub, url }: RunningHub): Promise<Upstream> {
  const ids = new Map<string, string>()
  for (const { name, entities, ordered = false } of sampleActivities) {
    const taken = entities.map((entity) => ({ entity: hub.registry.get(entity).name, sourceFormat: null }))
    const { id } = await addActivity(hub.db, { name, ordered, entities: taken })
    ids.set(name, id)
  }
  return async (what, files) => {
    title(what)
    const startedAt = Date.now()
    const pushed: Pushed[] = []
    for (const file of files) pushed.push(await push(url, ids.get(file.activity)!, file))
    await waitForEnd(url, pushed)
    done(`${files.map(({ fileName }) => fileName).join(', ')}, in ${seconds(startedAt)}`)
    return pushed
  }
}

async function printCounts({ hub }: RunningHub, pushed: readonly Pushed[]): Promise<void> {
  const rows = await Promise.all(
    pushed.map(async ({ file, messageId }) => {
      const { entities } = await newestExecution(hub.db, messageId)
      return { ...file, ...entities[0]!.records }
    }),
  )
  const number = (name: 'read' | 'inserted' | 'updated' | 'unchanged', text: string) => ({
    title: text,
    isNumber: true,
    text: (row: (typeof rows)[number]) => count(row[name]),
  })
  const lines = table(rows, [
    { title: 'File', text: ({ fileName }) => fileName },
    { title: 'Entity', text: ({ entity }) => entity },
    number('read', 'Read'),
    number('inserted', 'Inserted'),
    number('updated', 'Updated'),
    number('unchanged', 'Unchanged'),
    {
      title: 'In error',
      isNumber: true,
      text: ({ error }) => count(error),
      style: ({ error }) => (error > 0 ? 'yellow' : undefined),
    },
  ])
  print(indented(lines))
}

async function printErrors({ hub }: RunningHub, { messageId, file }: Pushed): Promise<void> {
  const { executionId } = await newestExecution(hub.db, messageId)
  title(`Two records of ${file.fileName} that were kept back, and why`)
  const errors = await listRecordErrors(hub.db, executionId, { limit: 2 })
  for (const { recordNumber, line, code, field, value, reason } of errors) {
    print(`  ${paint('yellow', code)}  record ${count(recordNumber)}, line ${line}, ${field} = ${value}`)
    print(`         ${reason}`)
  }
}

async function bringLateGroup(running: RunningHub, customers: Pushed, upstream: Upstream): Promise<void> {
  const { hub, url } = running
  await upstream('The missing customer group arrives, and the customers are tried again', [lateGroupFile])
  const before = await newestExecution(hub.db, customers.messageId)
  const { executionId, due } = await retryExecution(hub.db, before.executionId)
  await ringFor(await hub.openQueues('producer'), due)
  await waitForEnd(url, [customers])
  const { entities } = await findExecution(hub.db, executionId)
  const [was, is] = [before.entities[0]!.records, entities[0]!.records]
  done(`${is.inserted - was.inserted} more inserted, ${is.error} still wait to be corrected`)
}

/** Shows where the records are: rows of typed tables, to be read by anything that speaks SQL. */
async function printCustomer({ hub }: RunningHub): Promise<void> {
  const entity = hub.registry.get('Customers V3')
  const account = customerAccount(groupless)
  title(`Its record is there now: ${account} in target."${entity.name}"`)
  const [row] = await hub.db.query(`SELECT * FROM ${targetTable(entity)} WHERE "CustomerAccount" = $1`, [account])
  const fields = entity.columns
    .map(({ name }) => ({ name, value: fieldText(row?.[name]) }))
    .filter(({ value }) => value !== '' && !value.startsWith('1900-01-01')) // the date that stands for none
  for (let at = 0; at < fields.length; at += 2) {
    print(
      `  ${fields
        .slice(at, at + 2)
        .map(({ name, value }) => `${paint('dim', name.padEnd(24))}${value.padEnd(28)}`)
        .join('')
        .trimEnd()}`,
    )
  }
}

function fieldText(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value ?? '')
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ')
}
