import { parseArgs } from 'node:util'
import type { Bench } from './bench'
import { importBench } from './import'
import { messagesBench } from './messages'
import { packagesBench } from './packages'
import { parallelPackagesBench } from './parallel-packages'
import { parseBench } from './parse'
import { openSetting } from './setting'
import { asMarkdown, asText } from './table'

/** All benches; a new one is a line here. */
const benches: readonly Bench[] = [importBench, messagesBench, packagesBench, parallelPackagesBench, parseBench]

const usage = `npm run bench -- [name…] [options]

Measures Entrepot next to a floor: what the same Postgres does by hand, in the same run. Without DATABASE_URL an
embedded Postgres is started. Names: ${benches.map(({ name }) => name).join(', ')}; all without one.

  --records N    records (import, parse) or messages (messages) instead of the default
  --quick        a tenth of the default
  --runs N       runs of which the median is shown (1)
  --only TEXT    only the parts of a bench whose name contains it, such as clean or dirty
  --markdown     tables as Markdown
  --cpu-prof DIR measured Node processes leave a CPU profile there
`

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      records: { type: 'string' },
      quick: { type: 'boolean' },
      runs: { type: 'string', default: '1' },
      only: { type: 'string' },
      markdown: { type: 'boolean' },
      'cpu-prof': { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  const unknown = positionals.find((name) => !benches.some((bench) => bench.name === name))
  if (values.help || unknown !== undefined) {
    process.stdout.write(unknown === undefined ? usage : `There is no bench '${unknown}'.\n\n${usage}`)
    process.exitCode = unknown === undefined ? 0 : 1
    return
  }
  const show = values.markdown ? asMarkdown : asText
  const setting = await openSetting()
  try {
    process.stdout.write(`${setting.facts}\n`)
    for (const bench of benches.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
      const records = Number(values.records ?? bench.defaultRecords / (values.quick ? 10 : 1))
      const runs = Number(values.runs)
      const table = await bench.run(setting, { records, runs, only: values.only, profileFolder: values['cpu-prof'] })
      process.stdout.write(`\n${show(table)}\n`)
    }
  } finally {
    await setting.close()
  }
}

void main()
