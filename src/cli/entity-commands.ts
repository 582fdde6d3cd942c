import { sourceFormats } from '../format/registry'
import { asJson, type Command, run } from './command'
import { type InferOptions, inferFromFile, listEntities, showEntity } from './entity'
import { formatOptions, listFormats, removeFormat, type SetFormatOptions, setFormat, showFormat } from './format'

/** Inference asks no database, so it knows no formats of the user's own. */
const builtInFormats = `source data format, else it is detected: ${Object.keys(sourceFormats).join(', ')}`

/** The shapes of records. */
export function addEntities(entrepot: Command): void {
  const entity = entrepot.command('entity').description('the shapes of records that this hub knows')
  entity
    .command('list')
    .description('lists the entities')
    .option(...asJson)
    .action(run((options: { json?: boolean }) => listEntities(options)))
  entity
    .command('show')
    .description('shows the fields of an entity')
    .argument('<name>', 'its label, name or collection')
    .option(...asJson)
    .action(run((name: string, options: { json?: boolean }) => showEntity(name, options)))
  entity
    .command('infer')
    .description('writes the declaration of a new entity from the records of a file')
    .argument('<file>', "a sample, or '-' for standard input")
    .option('-f, --format <name>', builtInFormats)
    .option('-o, --out <file>', 'where to write it, instead of standard output')
    .action(run((file: string, options: InferOptions) => inferFromFile(file, options)))
}

/** How files are written. */
export function addFormats(entrepot: Command): void {
  const format = entrepot.command('format').description('how files are written: delimiters, encodings, numbers, dates')
  format
    .command('list')
    .description('lists the source data formats')
    .option(...asJson)
    .action(run((options: { json?: boolean }) => listFormats(options)))
  format
    .command('show')
    .description('shows a format')
    .argument('<name>')
    .option(...asJson)
    .action(run((name: string, options: { json?: boolean }) => showFormat(name, options)))
  const set = format
    .command('set')
    .description('adds a format of your own, or replaces its definition; \\t, \\n and \\r may be written so')
    .argument('<name>')
  for (const [flags, description] of formatOptions) set.option(flags, description)
  set.option(...asJson).action(run((name: string, options: SetFormatOptions) => setFormat(name, options)))
  format
    .command('remove')
    .description('removes a format that no activity uses')
    .argument('<name>')
    .action(run((name: string) => removeFormat(name)))
}
