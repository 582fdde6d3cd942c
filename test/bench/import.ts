import path from 'node:path'
import { type Bench, type BenchOptions, profiling } from './bench'
import { runChild } from './child'
import { type CustomersKind, company, faultsOf, seeds, writeCustomers } from './files'
import { createFloorTarget, type FloorRun, type FloorTarget, floorOutcome, runFloor } from './floor-import'
import { seedHub } from './seed'
import { type BenchDatabase, fileFolder, type Setting } from './setting'
import { median, ratio, seconds, whole } from './table'

/** Imports one large file of customers, next to a hand-written psql script that does the same job. */
export const importBench: Bench = {
  name: 'import',
  defaultRecords: 1_000_000,
  async run(setting, options) {
    const files = await writeFiles(setting, options)
    const rows: string[][] = []
    for (const scenario of scenarios.filter(({ name }) => !options.only || name.includes(options.only))) {
      const runs: ScenarioRun[] = []
      for (let run = 0; run < options.runs; run++) runs.push(await runScenario(setting, scenario, files, options))
      for (const [index, step] of scenario.steps.entries()) {
        rows.push(
          rowOf(
            step,
            runs.map((each) => each[index]!),
            options.records,
          ),
        )
      }
    }
    return {
      title: `import: ${whole(options.records)} customers of 11 columns, ${whole(files.bytes / 1e6)} MB as CSV`,
      headings: [
        '',
        'psql s',
        'stage',
        'check',
        'upsert',
        'ours s',
        'start, end',
        'receive',
        'stage',
        'promote',
        'ratio',
        'records/s',
        'MB peak',
      ],
      rows,
      notes: [
        'psql: one transaction of \\copy as text, set-based checks, INSERT … ON CONFLICT into a table with a primary key; it is measured from start to exit.',
        'ours: `entrepot import` from start to exit: keeps the file, stages, checks, promotes, accounts for every record. Peak memory is that of its process.',
        'Both are checked to leave the same number of customers and of bad records. psql reads the CSV file in the row of XML too, as it reads no XML.',
        ...(setting.hasPsql ? [] : ['There is no psql on this machine: the floor was not measured.']),
      ],
    }
  },
}

type FileName = CustomersKind | 'xml'
type Files = Record<FileName, string> & { bytes: number }

interface ScenarioStep {
  readonly title: string
  readonly file: FileName
}

/** Imports into one database, one after another. */
interface Scenario {
  readonly name: string
  readonly floor: FloorTarget
  readonly steps: readonly ScenarioStep[]
}

const scenarios: readonly Scenario[] = [
  {
    name: 'clean',
    floor: 'with a foreign key',
    steps: [
      { title: 'new customers', file: 'clean' },
      { title: 'the same file again', file: 'clean' },
      { title: 'all changed', file: 'changed' },
    ],
  },
  {
    name: 'bare',
    floor: 'without a foreign key',
    steps: [{ title: 'new customers; floor without its foreign key', file: 'clean' }],
  },
  {
    name: 'dirty',
    floor: 'with a foreign key',
    steps: [{ title: 'new customers, 1 % of the records bad', file: 'dirty' }],
  },
  { name: 'xml', floor: 'with a foreign key', steps: [{ title: 'new customers as XML-Element', file: 'xml' }] },
]

async function writeFiles(setting: Setting, { records, only }: BenchOptions): Promise<Files> {
  const folder = fileFolder(setting)
  const files = { clean: '', changed: '', dirty: '', xml: '', bytes: 0 }
  for (const kind of ['clean', 'changed', 'dirty'] as const) {
    files[kind] = path.join(folder, `customers-${kind}.csv`)
    const bytes = await writeCustomers(files[kind], records, kind)
    if (kind === 'clean') files.bytes = bytes
  }
  files.xml = path.join(folder, 'customers.xml')
  if (!only || 'xml'.includes(only)) await writeCustomers(files.xml, records, 'clean', 'xml')
  return files
}

interface StepRun {
  readonly floor: FloorRun | undefined
  readonly ours: ImportResult
  readonly oursMs: number
  readonly peakBytes: number | undefined
}
type ScenarioRun = StepRun[]

async function runScenario(
  setting: Setting,
  scenario: Scenario,
  files: Files,
  { records, profileFolder }: BenchOptions,
): Promise<ScenarioRun> {
  return setting.inDatabase(async (database) => {
    await seedHub(setting, database.url, seeds)
    await createFloorTarget(database, scenario.floor)
    const runs: StepRun[] = []
    for (const { file } of scenario.steps) {
      await database.settle()
      const csv = file === 'xml' ? files.clean : files[file]
      const floor = setting.hasPsql ? await runFloor(setting, database, csv) : undefined
      await database.settle()
      const run = await runOurs(setting, database, files[file], profileFolder)
      await compareOutcomes(database, run.ours, file, records, floor !== undefined)
      runs.push({ floor, ...run })
    }
    return runs
  })
}

/** What an import says of itself: `entrepot import --json`. */
interface ImportResult {
  readonly records: { readonly read: number; readonly error: number; readonly superseded: number }
  readonly seconds: { readonly receive: number; readonly stage: number; readonly promote: number }
}

const cli = path.join(__dirname, '../../src/cli.js')

async function runOurs(setting: Setting, { url }: BenchDatabase, file: string, profileFolder: string | undefined) {
  const args = [
    ...profiling(profileFolder),
    cli,
    'import',
    file,
    '--entity',
    'CustCustomerV3Entity',
    '--company',
    company,
    '--json',
  ]
  // 1 says that some records are in error.
  const { stdout, ms, peakBytes } = await runChild(process.execPath, args, setting.environment(url), [0, 1])
  const ours = JSON.parse(stdout) as ImportResult // the shape is the one that --json promises
  return { ours, oursMs: ms, peakBytes }
}

/** A fast import that loses records is no import. */
async function compareOutcomes(
  database: BenchDatabase,
  ours: ImportResult,
  file: FileName,
  records: number,
  hasFloor: boolean,
): Promise<void> {
  const expected = file === 'dirty' ? faultsOf(records) : { inError: 0, superseded: 0 }
  const [{ count = 0 } = {}] = await database.db.query<{ count: number }>(
    'SELECT count(*) FROM target."CustCustomerV3Entity"',
  )
  const { read, error: inError, superseded } = ours.records
  const got = { records: read, inError, superseded, target: count }
  const want = { records, ...expected, target: records - expected.inError - expected.superseded }
  if (JSON.stringify(got) !== JSON.stringify(want)) {
    throw new Error(`The import left ${JSON.stringify(got)} instead of ${JSON.stringify(want)}`)
  }
  if (!hasFloor) return
  const floor = { records, ...(await floorOutcome(database)) }
  if (JSON.stringify(floor) !== JSON.stringify(want)) {
    throw new Error(`The floor left ${JSON.stringify(floor)} instead of ${JSON.stringify(want)}`)
  }
}

function rowOf({ title }: ScenarioStep, runs: readonly StepRun[], records: number): string[] {
  const of = (value: (run: StepRun) => number) => median(runs.map(value))
  const floorMs = of(({ floor }) => floor?.ms ?? Number.NaN)
  const oursMs = of((run) => run.oursMs)
  const part = (name: keyof ImportResult['seconds']) => of(({ ours }) => ours.seconds[name]).toFixed(2)
  const floorPart = (name: 'stageMs' | 'checkMs' | 'upsertMs') =>
    seconds(of(({ floor }) => floor?.[name] ?? Number.NaN))
  const peak = of(({ peakBytes }) => peakBytes ?? Number.NaN)
  const cells = [
    title,
    seconds(floorMs),
    floorPart('stageMs'),
    floorPart('checkMs'),
    floorPart('upsertMs'),
    seconds(oursMs),
    ((oursMs - 1_000 * of(({ ours: { seconds: s } }) => s.receive + s.stage + s.promote)) / 1_000).toFixed(2),
    part('receive'),
    part('stage'),
    part('promote'),
    ratio(oursMs, floorMs),
    whole(records / (oursMs / 1_000)),
    whole(peak / 2 ** 20),
  ]
  return cells.map((cell) => (cell === 'NaN' ? '' : cell))
}
