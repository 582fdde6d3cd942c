import { RequestRefused } from '../errors'
import { listExecutions } from '../execution/report'
import type { Hub } from '../hub'
import {
  addProject,
  changeProject,
  type DataProject,
  getProject,
  type LineChange,
  listProjects,
  type ProjectCategory,
  projectCategories,
  removeProject,
  removeProjectEntity,
  setProjectEntity,
} from '../project/data-project'
import { findSourceFormat } from '../project/source-format-store'
import { exitCodes } from './failure'
import { quoted } from './quoted'
import { withHub } from './session'
import { count, moment, paint, print, printJson, table } from './terminal'

/** What the command line says of a project itself. */
export interface ProjectOptions {
  readonly category?: string
  readonly description?: string
  readonly export?: boolean
  readonly json?: boolean
}

/** Adds a data project. */
export function addOneProject(name: string, options: ProjectOptions): Promise<number> {
  return withHub('project', async (hub) => {
    const project = await addProject(hub.db, {
      name,
      operation: options.export ? 'Export' : 'Import',
      ...headerOf(options),
    })
    showOne(hub, project, options.json)
    return exitCodes.good
  })
}

/** Changes what is said of a project itself. */
export function changeOneProject(name: string, options: ProjectOptions): Promise<number> {
  return withHub('project', async (hub) => {
    showOne(hub, await changeProject(hub.db, name, headerOf(options)), options.json)
    return exitCodes.good
  })
}

function headerOf({ category, description }: ProjectOptions) {
  return {
    ...(category === undefined ? {} : { category: categoryNamed(category) }),
    ...(description === undefined ? {} : { description }),
  }
}

function categoryNamed(text: string): ProjectCategory {
  const found = projectCategories.find((category) => category.toLowerCase() === text.toLowerCase())
  if (found) return found
  throw new RequestRefused(400, 'EA109', `The category '${text}' is none of ${projectCategories.join(', ')}`)
}

/** Lists the data projects. */
export function listAllProjects({ json }: { json?: boolean }): Promise<number> {
  return withHub('project', async ({ db, registry }) => {
    const projects = await listProjects(db)
    if (json) printJson(projects)
    else if (projects.length === 0) print('There are no data projects yet. Add one with: entrepot project add NAME')
    else
      print(
        table(projects, [
          { title: 'Name', text: ({ name }) => name, style: () => 'bold' },
          { title: 'Operation', text: ({ operation }) => operation },
          { title: 'Category', text: ({ category }) => category },
          { title: 'Description', text: ({ description }) => description },
          {
            title: 'Entities',
            text: ({ entities }) => entities.map(({ entity }) => registry.labelOf(entity)).join(', '),
          },
        ]),
      )
    return exitCodes.good
  })
}

/** Shows a data project with its entities in the order that they are run in. */
export function showProject(name: string, { json }: { json?: boolean }): Promise<number> {
  return withHub('project', async (hub) => {
    showOne(hub, await getProject(hub.db, name), json)
    return exitCodes.good
  })
}

function showOne({ registry }: Hub, project: DataProject, json = false): void {
  if (json) {
    printJson(project)
    return
  }
  const { name, operation, category, description, entities } = project
  print(`${paint('bold', name)}  ${operation}, ${category}${description ? `: ${description}` : ''}`)
  if (entities.length === 0) {
    print(`  It has no entities yet: entrepot project set ${quoted(name)} ENTITY`)
    return
  }
  print(
    table(entities, [
      { title: 'Order', text: (line) => `${line.executionUnit}.${line.levelInExecutionUnit}.${line.sequenceInLevel}` },
      { title: 'Entity', text: ({ entity }) => registry.labelOf(entity), style: () => 'bold' },
      { title: 'Format', text: ({ sourceFormat }) => sourceFormat ?? 'detected' },
      { title: 'File', text: ({ file }) => file ?? '' },
      { title: 'Mapping', text: ({ mapping }) => (mapping === null ? 'by name' : `${mapping.length} fields`) },
      { title: 'Switches', text: switchesOf },
    ]),
  )
}

function switchesOf(line: DataProject['entities'][number]): string {
  return [
    ...(line.disabled ? ['disabled'] : []),
    ...(line.failLevelOnError ? ['fails its level'] : []),
    ...(line.failExecutionUnitOnError ? ['fails its unit'] : []),
    ...(line.truncateEntityData ? ['truncates'] : []),
    ...(line.runBusinessValidation ? [] : ['no business validation']),
    ...(line.taskCount === null ? [] : [`${line.taskCount} tasks from ${count(line.importThreshold ?? 0)} records`]),
  ].join(', ')
}

/** Removes a data project. */
export function removeOneProject(name: string): Promise<number> {
  return withHub('project', async ({ db }) => {
    await removeProject(db, name)
    print(`The project ${name} is removed; its executions stay`)
    return exitCodes.good
  })
}

/** What the command line says of an entity of a project; what is left out stays as it is. */
export interface LineOptions {
  readonly format?: string
  readonly file?: string
  readonly unit?: number
  readonly level?: number
  readonly sequence?: number
  readonly failLevel?: boolean
  readonly failUnit?: boolean
  readonly truncate?: boolean
  readonly validation?: boolean
  readonly logic?: boolean
  readonly threshold?: number
  readonly tasks?: number
  readonly filter?: string
  readonly refresh?: LineChange['refreshType']
  readonly skipStaging?: boolean
  readonly disable?: boolean
  readonly enable?: boolean
  readonly json?: boolean
}

/** Adds an entity to a project, or changes the one that is there. */
export function setEntityOfProject(name: string, entity: string, options: LineOptions): Promise<number> {
  return withHub('project', async (hub) => {
    const change = { entity: hub.registry.getImportable(entity).name, ...(await changeOf(hub, options)) }
    showOne(hub, await setProjectEntity(hub.db, name, change), options.json)
    return exitCodes.good
  })
}

/** Takes an entity out of a project. */
export function removeEntityOfProject(name: string, entity: string, { json }: { json?: boolean }): Promise<number> {
  return withHub('project', async (hub) => {
    showOne(hub, await removeProjectEntity(hub.db, name, hub.registry.getImportable(entity).name), json)
    return exitCodes.good
  })
}

async function changeOf({ db }: Hub, options: LineOptions): Promise<Partial<LineChange>> {
  const { format, file, unit, level, sequence, threshold, tasks, filter, refresh } = options
  const given: Partial<LineChange> = {
    ...(format === undefined ? {} : { sourceFormat: (await findSourceFormat(db, format)).name }),
    ...(file === undefined ? {} : { file }),
    ...(unit === undefined ? {} : { executionUnit: unit }),
    ...(level === undefined ? {} : { levelInExecutionUnit: level }),
    ...(sequence === undefined ? {} : { sequenceInLevel: sequence }),
    ...(options.failLevel === undefined ? {} : { failLevelOnError: options.failLevel }),
    ...(options.failUnit === undefined ? {} : { failExecutionUnitOnError: options.failUnit }),
    ...(options.truncate === undefined ? {} : { truncateEntityData: options.truncate }),
    ...(options.validation === undefined ? {} : { runBusinessValidation: options.validation }),
    ...(options.logic === undefined ? {} : { runBusinessLogic: options.logic }),
    ...(threshold === undefined ? {} : { importThreshold: threshold }),
    ...(tasks === undefined ? {} : { taskCount: tasks }),
    ...(filter === undefined ? {} : { filter }),
    ...(refresh === undefined ? {} : { refreshType: refresh }),
    ...(options.skipStaging === undefined ? {} : { skipStaging: options.skipStaging }),
    ...(options.disable ? { disabled: true } : options.enable ? { disabled: false } : {}),
  }
  return given
}

/** How many runs are listed. */
const listedRuns = 20

/** Lists the runs of a project, the newest first. */
export function showHistory(name: string, { json }: { json?: boolean }): Promise<number> {
  return withHub('project', async ({ db }) => {
    const project = await getProject(db, name)
    const executions = await listExecutions(db, { project: project.name, limit: listedRuns })
    if (json) printJson(executions)
    else if (executions.length === 0) print(`The project ${project.name} has not been run yet`)
    else
      print(
        table(executions, [
          { title: 'Started (UTC)', text: ({ createdAt }) => moment(createdAt) },
          { title: 'Status', text: ({ status }) => status },
          { title: 'Mode', text: ({ mode }) => mode },
          { title: 'Entities', isNumber: true, text: ({ entities }) => count(entities) },
          { title: 'Read', isNumber: true, text: ({ records }) => count(records.read) },
          { title: 'Inserted', isNumber: true, text: ({ records }) => count(records.inserted) },
          { title: 'Updated', isNumber: true, text: ({ records }) => count(records.updated) },
          { title: 'In error', isNumber: true, text: ({ records }) => count(records.error) },
          { title: 'Execution', text: ({ executionId }) => executionId },
        ]),
      )
    return exitCodes.good
  })
}
