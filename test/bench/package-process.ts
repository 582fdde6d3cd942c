import { createReadStream } from 'node:fs'
import path from 'node:path'
import { runToEnd } from '../../src/cli/run-to-end'
import { openHub } from '../../src/hub'
import { readConfig } from '../../src/platform/config'
import { openLifecycle } from '../../src/platform/lifecycle'
import { receive } from '../../src/source/receive'
import { company } from './files'
import { packageFiles } from './package-set'

/** What the process prints: how long it took from the first byte to the last record promoted. */
export interface PackageResult {
  readonly ms: number
  readonly records: number
}

/**
 * Imports the files of a folder one by one, or the package in it: `node package-process.js files|package FOLDER`. Both in
 * one process that is warm, so that no starts are counted.
 */
async function importAll(how: string, folder: string): Promise<PackageResult> {
  const lifecycle = openLifecycle()
  const hub = await openHub(readConfig(), lifecycle, 'bench package')
  const deliveries =
    how === 'package'
      ? [{ file: `${how}.zip` }]
      : packageFiles(0).map(({ entity, name }) => ({ file: name, entity: entity.name }))
  const startedAt = performance.now()
  let records = 0
  for (const { file, ...what } of deliveries) {
    const bytes = createReadStream(path.join(folder, file), { highWaterMark: 512 * 1024 })
    const { executionId } = await receive(hub, { origin: 'cli', company, ...what }, bytes)
    const { status, entities } = await runToEnd(hub, executionId)
    if (status !== 'Succeeded') throw new Error(`${file} ended as ${status}: ${JSON.stringify(entities)}`)
    records += entities.reduce((sum, each) => sum + each.records.read, 0)
  }
  const ms = performance.now() - startedAt
  await lifecycle.shutdown('measured')
  return { ms, records }
}

if (require.main === module) {
  const [how = '', folder = ''] = process.argv.slice(2)
  void importAll(how, folder).then((result) => process.stdout.write(JSON.stringify(result)))
}
