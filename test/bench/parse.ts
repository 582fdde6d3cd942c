import { createReadStream, statSync } from 'node:fs'
import path from 'node:path'
import { openRecords, type SourceFormatName, sourceFormats } from '../../src/format/registry'
import { registry } from '../../src/hub'
import { mapColumns } from '../../src/staging/column-map'
import { RecordEncoder } from '../../src/staging/record-encoder'
import type { Bench } from './bench'
import { company, writeCustomers } from './files'
import { fileFolder } from './setting'
import { median, seconds, whole } from './table'

/** Reads files into rows for COPY, without a database: what Node itself costs of staging. */
export const parseBench: Bench = {
  name: 'parse',
  defaultRecords: 1_000_000,
  async run(setting, { records, runs, only }) {
    const rows: string[][] = []
    for (const { title, format, extension } of inputs.filter(({ extension }) => !only || extension.includes(only))) {
      const file = path.join(fileFolder(setting), `parse.${extension}`)
      await writeCustomers(file, records, 'clean', extension)
      for (const [depth, name] of ['records found', 'checked and encoded for COPY'].entries()) {
        const taken: number[] = []
        for (let run = 0; run < runs; run++) taken.push(await timed(() => read(file, format, records, depth === 1)))
        const ms = median(taken)
        const perSecond = (amount: number) => amount / (ms / 1_000)
        rows.push([
          `${title}, ${name}`,
          seconds(ms),
          whole(perSecond(statSync(file).size / 1e6)),
          whole(perSecond(records)),
        ])
      }
    }
    return {
      title: `parse: ${whole(records)} customers of 11 columns, in memory`,
      headings: ['', 'seconds', 'MB/s', 'records/s'],
      rows,
      notes: ['One Node process, no database: bytes of a file to records, and on to rows for COPY.'],
    }
  },
}

const inputs: readonly { title: string; format: SourceFormatName; extension: 'csv' | 'xml' }[] = [
  { title: 'CSV-Comma', format: 'CSV-Comma', extension: 'csv' },
  { title: 'XML-Element', format: 'XML-Element', extension: 'xml' },
]

async function timed(run: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await run()
  return performance.now() - startedAt
}

/** As staging hands rows to the connection. */
const takeBytes = 256 * 1024

async function read(file: string, format: SourceFormatName, records: number, encodes: boolean): Promise<void> {
  const entity = registry.get('CustCustomerV3Entity')
  const bytes = createReadStream(file, { highWaterMark: 512 * 1024 })
  const shape = { fieldNames: entity.columns.map(({ name }) => name), recordNames: [entity.name] }
  const source = await openRecords(bytes, sourceFormats[format], shape)
  const encoder = new RecordEncoder(entity, {
    executionEntityId: 1,
    width: source.columns.length,
    sources: mapColumns(entity, source.columns, { strict: false, company }).sources,
    company,
    sourceBytes: statSync(file).size,
  })
  let found = 0
  for await (const block of source.blocks) {
    found += block.count
    if (!encodes) continue
    encoder.encode(block)
    if (encoder.size >= takeBytes) encoder.take()
  }
  if (found !== records || encoder.recordsInError > 0) {
    throw new Error(`${found} records were found, ${encoder.recordsInError} of them in error, instead of ${records}`)
  }
}
