import { asJson, type Command, InvalidArgumentError, run, whole } from './command'
import { correct, type PromoteOptions, promote, type StagedOptions, showStaged, validate } from './staged'

const ofEntity = ['-e, --entity <name>', 'the entity that is meant, where the execution has several'] as const

/** Staged records: seeing, correcting, validating and promoting them. */
export function addStaged(entrepot: Command): void {
  entrepot
    .command('staged')
    .description('shows staged records of an execution')
    .argument('<id>', 'id of an execution, or of its message')
    .option(...ofEntity)
    .option('--status <status>', 'NotStarted, Completed, Error, Superseded or Selected')
    .option('--field <name>', 'a field whose text contains what --contains says')
    .option('--contains <text>', 'in any letter case')
    .option('--after <record>', 'only records behind this number', whole(0))
    .option('--limit <n>', 'how many are shown', whole(1, 10_000))
    .option(...asJson)
    .action(run((id: string, options: StagedOptions) => showStaged(id, options)))
  entrepot
    .command('correct')
    .description('corrects a staged record, and checks it again')
    .argument('<id>', 'id of an execution, or of its message')
    .argument('<record>', 'its number', whole(1))
    .argument('<changes...>', 'FIELD=TEXT, as the file would have it')
    .option(...ofEntity)
    .option(...asJson)
    .action(
      run((id: string, record: number, changes: string[], options: { entity?: string; json?: boolean }) =>
        correct(id, record, changes, options),
      ),
    )
  entrepot
    .command('validate')
    .description('checks what an execution has staged as promotion would, and promotes nothing')
    .argument('<id>', 'id of an execution, or of its message')
    .option(...ofEntity)
    .option(...asJson)
    .action(run((id: string, options: { entity?: string; json?: boolean }) => validate(id, options)))
  entrepot
    .command('promote')
    .description('promotes what an execution has staged: all good records, chosen ones, or those in error')
    .argument('<id>', 'id of an execution, or of its message')
    .option(...ofEntity)
    .option('--records <numbers>', 'such as 1,2,5-9', parseRecords)
    .option('--errors', 'those in error, from their staged texts')
    .option(...asJson)
    .action(run((id: string, options: PromoteOptions) => promote(id, options)))
}

/** As many as one statement takes without trouble. */
const maxRecords = 100_000

function parseRecords(text: string): number[] {
  const numbers = text.split(',').flatMap((part) => {
    const [, from, to = from] = /^\s*(\d{1,15})(?:-(\d{1,15}))?\s*$/.exec(part) ?? []
    const [first, last] = [Number(from), Number(to)]
    if (from === undefined || last < first || last - first > maxRecords) {
      throw new InvalidArgumentError(`'${part}' is no number and no range of at most ${maxRecords}.`)
    }
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
  if (numbers.length > maxRecords) throw new InvalidArgumentError(`These are more than ${maxRecords} records.`)
  return numbers
}
