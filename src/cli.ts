#!/usr/bin/env node
import { Argument, Command, CommanderError, InvalidArgumentError } from 'commander'
import { cancel, type RetryOptions, retry, skip } from './cli/act'
import { type AddActivityOptions, addOne, listAll, setEnabled } from './cli/activity'
import { type CleanOptions, cleanNow } from './cli/clean'
import { demo } from './cli/demo/demo'
import { type InferOptions, inferFromFile, listEntities, showEntity } from './cli/entity'
import { type ErrorsOptions, showErrors } from './cli/errors'
import { exitCodeOf, exitCodes, tellError } from './cli/failure'
import { formatOptions, listFormats, removeFormat, type SetFormatOptions, setFormat, showFormat } from './cli/format'
import { type ImportOptions, importFile } from './cli/import'
import { migrateNow } from './cli/migrate'
import { showStatus } from './cli/status'
import { serve, up, work } from './cli/up'
import { version } from './cli/version'
import { sourceFormats } from './format/registry'
import { type WorkerRole, workerRoles } from './work'

/** The program `entrepot`: what there is to say on its command line, and which function each word leads to. */
export function program(): Command {
  const entrepot = new Command('entrepot')
    .description('An integration hub: takes files in, stages and validates their records, and keeps the good ones.')
    .version(version(), '-V, --version', 'prints the version')
    .helpOption('-h, --help', 'prints help for a command')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: false })
    .exitOverride()
    .showHelpAfterError('See: entrepot --help, or entrepot COMMAND --help')
    .addHelpText('after', `\n${examples}`)
  addRunning(entrepot)
  addImport(entrepot)
  addOperating(entrepot)
  addActivities(entrepot)
  addEntities(entrepot)
  addFormats(entrepot)
  return entrepot
}

const examples = `Examples:
  entrepot demo                                    shows it at work, with sample files
  entrepot up                                      runs everything on this machine
  entrepot import customers.csv --entity "Customers V3" --company usmf
  entrepot errors 5f2c… --csv > correct-me.csv     the failed records, in their own format
  entrepot activity add CRM --entity "Customers V3"   a channel to push files to

Exit codes: 0 all is well; 1 some records are in error, or it could not start; 2 the command or the file is wrong;
3 the database or the set-up stood in the way. Settings are environment variables: see the README.`

function addRunning(entrepot: Command): void {
  entrepot
    .command('up')
    .description('runs everything on this machine: server, workers, and Postgres if none is set')
    .action(start(up))
  entrepot.command('serve').description('runs the HTTP server only').action(start(serve))
  entrepot
    .command('work')
    .description('runs workers only')
    .option('--only <roles>', `which of ${workerRoles.join(', ')}, with commas between`, parseRoles)
    .action(start(({ only }: { only?: WorkerRole[] }) => work(only)))
  entrepot
    .command('migrate')
    .description('brings the database up to date and says what changed')
    .action(start(migrateNow))
  entrepot
    .command('demo')
    .description('shows a hub at work in a folder of its own')
    .option('--keep', 'leaves it up until Ctrl-C')
    .action(start(({ keep }: { keep?: boolean }) => demo({ keep: keep ?? false })))
}

const formats = 'source data format, else it is detected: see entrepot format list'
const builtInFormats = `source data format, else it is detected: ${Object.keys(sourceFormats).join(', ')}`
const asJson = ['--json', 'prints JSON for machines'] as const

function addImport(entrepot: Command): void {
  entrepot
    .command('import')
    .description('imports a file here and now, and waits for its end')
    .argument('<file>', "the file, or '-' for standard input")
    .requiredOption('-e, --entity <name>', 'what its records are: see entrepot entity list')
    .option('-c, --company <id>', 'company of records that name none')
    .option('-f, --format <name>', formats)
    .option(...asJson)
    .action(run((file: string, options: ImportOptions) => importFile(file, options)))
}

function addOperating(entrepot: Command): void {
  const execution = new Argument('<id>', 'id of an execution, or of its message')
  entrepot
    .command('status')
    .description('shows a message; without an id, the newest ones')
    .argument('[id]', 'id of a message, or of one of its executions')
    .option(...asJson)
    .action(run((id: string | undefined, options: { json?: boolean }) => showStatus(id, options)))
  entrepot
    .command('errors')
    .description('shows what is wrong with the records of an execution')
    .addArgument(execution)
    .option('--csv', 'writes the failed records as a file in their original format, ready to correct')
    .option(...asJson)
    .action(run((id: string, options: ErrorsOptions) => showErrors(id, options)))
  entrepot
    .command('retry')
    .description('runs the records in error again; a message that failed as a whole, from its start')
    .addArgument(execution)
    .option('--no-wait', 'leaves the work to the workers')
    .option(...asJson)
    .action(run((id: string, options: RetryOptions) => retry(id, options)))
  entrepot
    .command('cancel')
    .description('stops an execution')
    .addArgument(execution)
    .action(run((id: string) => cancel(id)))
  entrepot
    .command('skip')
    .description('lets the messages behind a failed one of an ordered activity go on')
    .argument('<message>', 'id of the failed message')
    .action(run((id: string) => skip(id)))
  addCleaning(entrepot)
}

function addCleaning(entrepot: Command): void {
  entrepot
    .command('clean')
    .description('removes what is old: bytes of messages, staged records, history and left behind payloads')
    .option(
      '--older-than <days>',
      'days since the end of a message, instead of the settings; 0: all that have ended',
      days,
    )
    .option('--payloads', 'only bytes of messages')
    .option('--staging', 'only staged records')
    .option('--history', 'only messages, with all that is left of them')
    .option('--orphans', 'only payloads that no message has, written more than a day ago')
    .option('-e, --entity <name>', 'staged records of this entity, and messages that hold nothing else')
    .option('--execution <id>', 'the message of this execution')
    .option('--project <name>', 'messages of this data project')
    .option('--dry-run', 'says what it would remove')
    .option(...asJson)
    .action(run((options: CleanOptions) => cleanNow(options)))
}

function addActivities(entrepot: Command): void {
  const activity = entrepot.command('activity').description('the channels that producers push files to')
  activity
    .command('add')
    .description('adds an activity and prints its GUID')
    .argument('<name>')
    .requiredOption('-e, --entity <name>', 'an entity that it takes; may be given several times', collect)
    .option('--ordered', 'handles messages strictly one after another; a failed one holds up the others')
    .option('--strict', 'refuses files with columns that the entity does not know')
    .option('-c, --company <id>', 'company of messages that name none')
    .option('-f, --format <name>', formats)
    .option(...asJson)
    .action(run((name: string, options: AddActivityOptions) => addOne(name, options)))
  activity
    .command('list')
    .description('lists the activities')
    .option(...asJson)
    .action(run((options: { json?: boolean }) => listAll(options)))
  activity
    .command('enable')
    .description('lets it take messages')
    .argument('<id>')
    .action(run((id: string) => setEnabled(id, true)))
  activity
    .command('disable')
    .description('refuses new messages; those that are there are finished')
    .argument('<id>')
    .action(run((id: string) => setEnabled(id, false)))
}

function addEntities(entrepot: Command): void {
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

function addFormats(entrepot: Command): void {
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

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value]
}

function days(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError(`'${text}' is no whole number of days.`)
  return Number(text)
}

function parseRoles(text: string): WorkerRole[] {
  return text.split(',').map((word) => {
    const role = workerRoles.find((known) => known === word.trim())
    if (role === undefined) throw new InvalidArgumentError(`'${word}' is none of ${workerRoles.join(', ')}.`)
    return role
  })
}

type Action<A extends unknown[]> = (...args: A) => Promise<unknown>

/** An action whose exit code is what it returns, or goes with what it throws. */
function run<A extends unknown[]>(action: Action<A>): (...args: A) => Promise<void> {
  return ended(action, exitCodeOf)
}

/** As `run`, for what cannot start: the exit code that supervisors expect. */
function start<A extends unknown[]>(action: Action<A>): (...args: A) => Promise<void> {
  return ended(action, () => exitCodes.inError)
}

function ended<A extends unknown[]>(
  action: Action<A>,
  codeOf: (error: unknown) => number,
): (...args: A) => Promise<void> {
  return async (...args) => {
    try {
      const code = await action(...args)
      if (typeof code === 'number') process.exitCode = code
    } catch (error) {
      tellError(error)
      process.exitCode = codeOf(error)
    }
  }
}

async function main(): Promise<void> {
  // A reader that has seen enough (`| head`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  try {
    await program().parseAsync()
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Commander has said what is wrong; help and version are no mistake.
    process.exitCode = error.exitCode === 0 ? exitCodes.good : exitCodes.refused
  }
}

if (require.main === module) void main()
