import { type AddActivityOptions, addOne, listAll, setEnabled } from './activity'
import { asJson, type Command, collect, run } from './command'
import { formats } from './message-commands'

/** The channels that producers push files to. */
export function addActivities(entrepot: Command): void {
  const activity = entrepot.command('activity').description('the channels that producers push files to')
  activity
    .command('add')
    .description('adds an activity and prints its GUID')
    .argument('<name>')
    .option('-e, --entity <name>', 'an entity that it takes; may be given several times', collect)
    .option('-p, --project <name>', 'the data project that it is a channel of, in place of --entity')
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
