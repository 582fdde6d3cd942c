import { Argument, asJson, type Command, collect, Option, run, whole } from './command'
import { modeOptions } from './import-mode'
import { formats } from './message-commands'
import { listNumbers, type NumberOptions, setNumbers } from './number'
import { type BuildOptions, buildPackageFile, inspectPackage, type RunOptions, runProject } from './package'
import {
  addOneProject,
  changeOneProject,
  type LineOptions,
  listAllProjects,
  type ProjectOptions,
  removeEntityOfProject,
  removeOneProject,
  setEntityOfProject,
  showHistory,
  showProject,
} from './project'
import { type MapOptions, mapEntity } from './project-map'

/** Data projects: what is imported together, from which files, mapped how, in which order. */
export function addProjects(entrepot: Command): void {
  const project = entrepot.command('project').description('what is imported together, mapped how, in which order')
  addHeaders(project)
  addLines(project)
  addMapping(project)
  const runs = project
    .command('run')
    .description('runs a project with a package of its files, or with the files themselves')
    .argument('<project>')
    .argument('<files...>', 'a package (.zip), or files named after their entities, or ENTITY=FILE')
    .option('-c, --company <id>', 'company of records that name none')
  for (const [flags, description] of modeOptions) runs.option(flags, description)
  runs
    .option(...asJson)
    .action(run((name: string, files: string[], options: RunOptions) => runProject(name, files, options)))
  project
    .command('history')
    .description('lists the runs of a project')
    .argument('<project>')
    .option(...asJson)
    .action(run((name: string, options: { json?: boolean }) => showHistory(name, options)))
}

function addHeaders(project: Command): void {
  const category = ['--category <name>', 'Project, Configuration, Integration or Other'] as const
  const description = ['--description <text>', 'at most 60 characters'] as const
  project
    .command('add')
    .description('adds a data project')
    .argument('<project>')
    .option('--export', 'it exports')
    .option(...category)
    .option(...description)
    .option(...asJson)
    .action(run((name: string, options: ProjectOptions) => addOneProject(name, options)))
  project
    .command('change')
    .description('changes what is said of a project itself')
    .argument('<project>')
    .option(...category)
    .option(...description)
    .option(...asJson)
    .action(run((name: string, options: ProjectOptions) => changeOneProject(name, options)))
  project
    .command('list')
    .description('lists the data projects')
    .option(...asJson)
    .action(run((options: { json?: boolean }) => listAllProjects(options)))
  project
    .command('show')
    .description('shows a project with its entities in their order')
    .argument('<project>')
    .option(...asJson)
    .action(run((name: string, options: { json?: boolean }) => showProject(name, options)))
  project
    .command('remove')
    .description('removes a project; its executions stay')
    .argument('<project>')
    .action(run((name: string) => removeOneProject(name)))
}

function addLines(project: Command): void {
  const entity = new Argument('<entity>', 'any name of the entity')
  project
    .command('set')
    .description('adds an entity to a project, or changes the one that is there')
    .argument('<project>')
    .addArgument(entity)
    .option('-f, --format <name>', formats)
    .option('--file <name>', 'its file in a package')
    .option('--unit <n>', 'execution unit: units run in parallel', whole(0))
    .option('--level <n>', 'level in its unit: levels run one after another', whole(0))
    .option('--sequence <n>', 'sequence in its level: one after another, equal ones in parallel', whole(0))
    .option('--fail-level', 'where it has errors, the following levels of its unit are not run')
    .option('--no-fail-level', 'they are')
    .option('--fail-unit', 'where it has errors, nothing that follows in its unit is run')
    .option('--no-fail-unit', 'it is')
    .option('--truncate', 'its records of the companies at hand are removed before the import')
    .option('--no-truncate', 'they stay')
    .option('--validation', "the entity's rules over whole records are asked")
    .option('--no-validation', 'they are not')
    .option('--threshold <records>', 'from so many on, promotion is split over --tasks', whole(0))
    .option('--tasks <n>', 'how many connections share the promotion', whole(1, 32))
    .option('--filter <filter>', 'export: the records it takes')
    .addOption(new Option('--refresh <type>', 'export').choices(['FullPush', 'IncrementalPush']))
    .option('--disable', 'leaves it out of runs')
    .option('--enable', 'puts it back')
    .option(...asJson)
    .action(run((name: string, of: string, options: LineOptions) => setEntityOfProject(name, of, options)))
  project
    .command('unset')
    .description('takes an entity out of a project')
    .argument('<project>')
    .addArgument(entity)
    .option(...asJson)
    .action(run((name: string, of: string, options: { json?: boolean }) => removeEntityOfProject(name, of, options)))
}

function addMapping(project: Command): void {
  project
    .command('map')
    .description('shows and checks the mapping of an entity, makes it from a file, changes it')
    .argument('<project>')
    .argument('<entity>', 'any name of the entity')
    .option('--from-file <file>', 'makes it from the header of this file')
    .option('-f, --format <name>', formats)
    .option('--map <column=field>', 'fills a field from a column', collect)
    .option('--default <field=value>', 'a value in place of an empty or missing one', collect)
    .option('--convert <field:from=to>', 'a text of the source and what it becomes', collect)
    .option('--number <field=sequence>', 'a number sequence fills it where the source does not', collect)
    .option('--ignore-blank <field>', "an empty text leaves the target's value as it is", collect)
    .option('--text-qualifier <field>', 'it is in quotes even in a format without text qualifier', collect)
    .option('--unmap <field>', 'leaves a field out', collect)
    .option('--definition <file>', 'takes it from a file of JSON, as --json prints it')
    .option('--clear', 'back to mapping by name')
    .option(...asJson)
    .action(run((name: string, entity: string, options: MapOptions) => mapEntity(name, entity, options)))
}

/** Data packages, and the number sequences that mappings name. */
export function addPackages(entrepot: Command): void {
  const packages = entrepot.command('package').description('data packages: zips of the files of many entities')
  packages
    .command('inspect')
    .description('shows what a package holds, and what is wrong with it')
    .argument('<file>')
    .option(...asJson)
    .action(run((file: string, options: { json?: boolean }) => inspectPackage(file, options)))
  packages
    .command('build')
    .description('builds a package of a project from the files in a folder')
    .argument('<project>')
    .argument('<folder>', 'with a file for each entity, named after it')
    .option('-o, --out <file>', 'where to write it')
    .option(...asJson)
    .action(run((name: string, folder: string, options: BuildOptions) => buildPackageFile(name, folder, options)))
  const number = entrepot.command('number').description('number sequences, which give values that files do not have')
  number
    .command('set')
    .description('adds a number sequence, or changes the one that is there')
    .argument('<name>')
    .option('--format <text>', "with # for the digits, e.g. 'CUST-######'; a new one needs it")
    .option('--next <n>', 'the next number', whole(0))
    .option('--gapless', 'no number is lost; executions that need some follow one another')
    .option('--no-gapless', 'fast: executions take numbers side by side, and those of a crash are lost')
    .option(...asJson)
    .action(run((name: string, options: NumberOptions) => setNumbers(name, options)))
  number
    .command('list')
    .description('lists the number sequences')
    .option(...asJson)
    .action(run((options: { json?: boolean }) => listNumbers(options)))
}
