import { cancel, type RetryOptions, retry, skip } from './act'
import { type CleanOptions, cleanNow } from './clean'
import { Argument, asJson, type Command, InvalidArgumentError, run } from './command'
import { type ErrorsOptions, showErrors } from './errors'
import { type ImportOptions, importFile } from './import'
import { modeOptions } from './import-mode'
import { refusal } from './outcome'
import { showStatus } from './status'

/** Names of formats in the help of an option. */
export const formats = 'source data format, else it is detected: see entrepot format list'

/** Importing a file or a package. */
export function addImport(entrepot: Command): void {
  const command = entrepot
    .command('import')
    .description('imports a file or a data package here and now, and waits for its end')
    .argument('<file>', "the file, or '-' for standard input")
    .option('-e, --entity <name>', 'what its records are: see entrepot entity list; a package says so itself')
    .option('-c, --company <id>', 'company of records that name none')
    .option('-f, --format <name>', formats)
  for (const [flags, description] of modeOptions) command.option(flags, description)
  command.option(...asJson).action(run((file: string, options: ImportOptions) => importFile(file, options), refusal))
}

/** Looking after messages and executions. */
export function addOperating(entrepot: Command): void {
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
    .option('-e, --entity <name>', 'the entity that is meant, where several have errors')
    .option('--csv', 'writes the failed records as a file in their original format, ready to correct')
    .option('--reasons', 'the file says in a last column what is wrong')
    .option(...asJson)
    .action(run((id: string, options: ErrorsOptions) => showErrors(id, options)))
  entrepot
    .command('retry')
    .description('runs the records in error again; a message that failed as a whole, from its start')
    .addArgument(execution)
    .option('--anew', 'the whole message in a new execution, however it ended')
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

function days(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError(`'${text}' is no whole number of days.`)
  return Number(text)
}
