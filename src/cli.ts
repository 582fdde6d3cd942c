#!/usr/bin/env node
import { addActivities } from './cli/activity-commands'
import { Command, CommanderError } from './cli/command'
import { addEntities, addFormats } from './cli/entity-commands'
import { exitCodes } from './cli/failure'
import { addImport, addOperating } from './cli/message-commands'
import { addPackages, addProjects } from './cli/project-commands'
import { addRunning } from './cli/running-commands'
import { addStaged } from './cli/staged-commands'
import { version } from './cli/version'

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
  addStaged(entrepot)
  addActivities(entrepot)
  addProjects(entrepot)
  addPackages(entrepot)
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
