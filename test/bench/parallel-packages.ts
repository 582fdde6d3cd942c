import { setTimeout as sleep } from 'node:timers/promises'
import { packageOf } from '../helpers/package'
import { type Bench, profiling } from './bench'
import { csvLine } from './files'
import { packageSeeds } from './package-set'
import { startProcess } from './processes'
import { seedHub } from './seed'
import type { BenchDatabase, Setting } from './setting'
import { median, whole } from './table'

/** Sends many small packages for one project at the same time, by the package API. */
export const parallelPackagesBench: Bench = {
  name: 'parallel',
  defaultRecords: 100,
  async run(setting, { records: packages, runs, profileFolder }) {
    const found: ParallelRun[] = []
    for (let run = 0; run < runs; run++) found.push(await runOnce(setting, packages, profileFolder))
    const of = (value: (run: ParallelRun) => number) => median(found.map(value))
    const records = packages * recordsPerPackage
    return {
      title: `parallel: ${whole(packages)} packages of ${entitiesPerPackage} entities, ${recordsPerPackage} records each, on one project at the same time`,
      headings: ['packages', 'seconds', 'packages/s', 'records/s', 'not Succeeded', 'refused'],
      rows: [
        [
          whole(packages),
          (of(({ ms }) => ms) / 1_000).toFixed(2),
          (packages / (of(({ ms }) => ms) / 1_000)).toFixed(1),
          whole(records / (of(({ ms }) => ms) / 1_000)),
          whole(of(({ failed }) => failed)),
          whole(of(({ refused }) => refused)),
        ],
      ],
      notes: [
        'GetAzureWriteUrl, PUT and ImportFromPackage with overwrite for each package, all at once, to the last record promoted.',
        'The client, the process with the door and one worker process run beside Postgres on the same machine.',
      ],
    }
  },
}

interface ParallelRun {
  readonly ms: number
  /** Executions that ended otherwise than Succeeded. */
  readonly failed: number
  /** Calls that were answered with an error. */
  readonly refused: number
}

const entitiesPerPackage = 3
const recordsPerEntity = 100
const recordsPerPackage = entitiesPerPackage * recordsPerEntity

/** Terms, then groups that refer to them, then customers that refer to both: each package has keys of its own. */
function packageNumber(number: number): Promise<Buffer> {
  const keys = Array.from({ length: recordsPerEntity }, (_, i) => `${number}-${i}`)
  const table = (columns: string[], cells: (key: string) => string[]) =>
    [columns, ...keys.map(cells)].map(csvLine).join('')
  return packageOf('Parallel', [
    { entityName: 'Terms of payment', text: table(['Name', 'NumberOfDays'], (key) => [`T${key}`, '30']) },
    {
      entityName: 'Customer groups',
      text: table(['CustomerGroupId', 'PaymentTermId'], (key) => [`G${key}`, `T${key}`]),
    },
    {
      entityName: 'Customers V3',
      text: table(['CustomerAccount', 'CustomerGroupId', 'PaymentTerms'], (key) => [`C${key}`, `G${key}`, `T${key}`]),
    },
  ])
}

async function runOnce(setting: Setting, count: number, profileFolder: string | undefined): Promise<ParallelRun> {
  const files = await Promise.all(Array.from({ length: count }, (_, number) => packageNumber(number)))
  return setting.inDatabase(async (database) => {
    await seedHub(setting, database.url, packageSeeds)
    await database.settle()
    const env = setting.environment(database.url)
    const door = await startProcess<string>('serve-process.js', { ...env, PORT: '0' }, profiling(profileFolder))
    const worker = await startProcess<string>('work-process.js', env, profiling(profileFolder)).catch(async (error) => {
      await door.stop()
      throw error
    })
    try {
      const startedAt = Date.now()
      const answers = await Promise.all(files.map((file) => importPackage(door.told, file)))
      const accepted = answers.filter((isAccepted) => isAccepted).length
      const { endedAt, failed } = await untilEnded(database, accepted)
      return { ms: endedAt - startedAt, failed, refused: count - accepted }
    } finally {
      await worker.stop()
      await door.stop()
    }
  })
}

/** Returns whether all of the calls were answered well. */
async function importPackage(url: string, file: Buffer): Promise<boolean> {
  const write = await call(url, 'GetAzureWriteUrl', { uniqueFileName: 'package.zip' })
  if (write === undefined) return false
  const { BlobUrl } = JSON.parse(write) as { BlobUrl: string } // as the package API promises
  const put = await fetch(BlobUrl, {
    method: 'PUT',
    headers: { 'x-ms-blob-type': 'BlockBlob' },
    body: new Uint8Array(file),
  })
  if (!put.ok) return false
  const parameters = { packageUrl: BlobUrl, definitionGroupId: 'Parallel', executionId: '', execute: true }
  const answer = await call(url, 'ImportFromPackage', { ...parameters, overwrite: true, legalEntityId: 'USMF' })
  return answer !== undefined
}

async function call(url: string, action: string, parameters: object): Promise<string | undefined> {
  const address = `${url}/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.${action}`
  const answer = await fetch(address, { method: 'POST', body: JSON.stringify(parameters) })
  const body = (await answer.json()) as { value?: string } // as the package API promises
  return answer.ok ? body.value : undefined
}

async function untilEnded({ db }: BenchDatabase, count: number): Promise<{ endedAt: number; failed: number }> {
  for (;;) {
    const [{ ended = 0, failed = 0 } = {}] = await db.query<{ ended: number; failed: number }>(
      `SELECT count(*) FILTER (WHERE x.state <> 'NotRun') AS ended,
         count(*) FILTER (WHERE x.state NOT IN ('NotRun', 'Succeeded')) AS failed
       FROM entrepot.execution x WHERE x.project = 'Parallel'`,
    )
    if (ended >= count) return { endedAt: Date.now(), failed }
    await sleep(50)
  }
}
