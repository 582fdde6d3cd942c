import { createWriteStream, mkdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { registry } from '../../src/hub'
import { type DataProject, defaultLine } from '../../src/project/data-project'
import { buildPackage } from '../../src/source/package-build'
import { type Bench, type BenchOptions, profiling } from './bench'
import { runChild } from './child'
import type { PackageResult } from './package-process'
import { packageFiles, packageSeeds, textOf } from './package-set'
import { seedHub } from './seed'
import { fileFolder, type Setting } from './setting'
import { median, ratio, seconds, whole } from './table'

/** Imports a package of ten entities, next to importing its files one by one. */
export const packagesBench: Bench = {
  name: 'packages',
  defaultRecords: 1_000_000,
  async run(setting, options) {
    const rows: string[][] = []
    const folders = await writeAll(setting, options.records)
    const runs = new Map<string, PackageRun[]>()
    for (let run = 0; run < options.runs; run++) {
      for (const { title, how, folder } of folders) {
        runs.set(title, [...(runs.get(title) ?? []), await runOne(setting, how, folder, options)])
      }
    }
    const floorMs = median(runs.get(floorTitle)!.map(({ ms }) => ms))
    for (const { title } of folders) {
      const of = (value: (run: PackageRun) => number) => median(runs.get(title)!.map(value))
      const ms = of((run) => run.ms)
      rows.push([
        title,
        seconds(ms),
        ratio(ms, floorMs),
        whole(of(({ records }) => records) / (ms / 1_000)),
        whole(of(({ peakBytes }) => peakBytes ?? Number.NaN) / 2 ** 20),
      ])
    }
    const bytes = statSync(path.join(folders[1]!.folder, 'package.zip')).size
    return {
      title: `packages: ${whole(options.records)} records of ten entities, a package of ${whole(bytes / 1e6)} MB`,
      headings: ['', 'seconds', 'ratio', 'records/s', 'MB peak'],
      rows,
      notes: [
        'From the first byte read to the last record promoted, in one process that is up already. Ratio: by the files one by one, below 1 the package is faster.',
        'In order: the entities of the package are promoted one after another. Independent: each is an execution unit of its own.',
      ],
    }
  },
}

const floorTitle = 'the files one by one'

interface PackageRun extends PackageResult {
  readonly peakBytes: number | undefined
}

interface Measured {
  readonly title: string
  readonly how: 'files' | 'package'
  readonly folder: string
}

async function writeAll(setting: Setting, records: number): Promise<Measured[]> {
  const files = path.join(fileFolder(setting), 'ten')
  mkdirSync(files, { recursive: true })
  const set = packageFiles(records)
  for (const file of set) {
    await pipeline(Readable.from(textOf(file)), createWriteStream(path.join(files, file.name)))
  }
  const measured: Measured[] = [{ title: floorTitle, how: 'files', folder: files }]
  for (const [title, unitOf] of [
    ['a package, in order', () => 1],
    ['a package, independent', (index: number) => index + 1],
  ] as const) {
    const folder = path.join(fileFolder(setting), title)
    mkdirSync(folder, { recursive: true })
    const entities = set.map(({ entity }, index) => ({
      ...defaultLine,
      entity: entity.name,
      executionUnit: unitOf(index),
      sequenceInLevel: index + 1,
    }))
    const project: DataProject = {
      name: 'Ten',
      operation: 'Import',
      category: 'Integration',
      description: '',
      entities,
    }
    const packed = set.map((file, index) => ({
      line: entities[index]!,
      name: file.name,
      header: file.columns,
      bytes: Readable.from(textOf(file)),
    }))
    const zip = path.join(folder, 'package.zip')
    await pipeline(Readable.from(buildPackage(registry, project, packed)), createWriteStream(zip))
    measured.push({ title, how: 'package', folder })
  }
  return measured
}

async function runOne(
  setting: Setting,
  how: string,
  folder: string,
  { profileFolder }: BenchOptions,
): Promise<PackageRun> {
  return setting.inDatabase(async (database) => {
    await seedHub(setting, database.url, packageSeeds)
    await database.settle()
    const args = [...profiling(profileFolder), path.join(__dirname, 'package-process.js'), how, folder]
    const { stdout, peakBytes } = await runChild(process.execPath, args, setting.environment(database.url))
    return { ...(JSON.parse(stdout) as PackageResult), peakBytes } // the shape is the one that the process prints
  })
}
