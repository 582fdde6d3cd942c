import { type WorkerRole, workerRoles } from '../work'
import { type Command, InvalidArgumentError, start } from './command'
import { demo } from './demo/demo'
import { migrateNow } from './migrate'
import { serve, up, work } from './up'

/** Commands that run the hub. */
export function addRunning(entrepot: Command): void {
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

function parseRoles(text: string): WorkerRole[] {
  return text.split(',').map((word) => {
    const role = workerRoles.find((known) => known === word.trim())
    if (role === undefined) throw new InvalidArgumentError(`'${word}' is none of ${workerRoles.join(', ')}.`)
    return role
  })
}
