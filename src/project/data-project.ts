import { RequestRefused } from '../errors'
import type { Database, Queryable, Transaction } from '../platform/database'
import type { EntitySettings, ExecutionOrder } from './entity-settings'
import type { FieldMap } from './mapping'
import { getNumberSequence } from './number-sequence'

/** Categories of a data project, in the order of the numbers that manifests give them (`ProjectCategory`). */
export const projectCategories = ['Project', 'Configuration', 'Integration', 'Other'] as const
export type ProjectCategory = (typeof projectCategories)[number]

/** A data project (definition group): which entities are imported or exported together, from which files, how, in which order. */
export interface DataProject {
  readonly name: string
  readonly operation: 'Import' | 'Export'
  readonly category: ProjectCategory
  readonly description: string
  /** In the order that they are run in. */
  readonly entities: readonly ProjectEntity[]
}

/** An entity of a data project. */
export interface ProjectEntity extends ExecutionOrder {
  /** Name of the entity. */
  readonly entity: string
  /** Name of a source data format; null: detected. */
  readonly sourceFormat: string | null
  /** Name of its file in a package; null: its label. */
  readonly file: string | null
  readonly truncateEntityData: boolean
  readonly runBusinessValidation: boolean
  /** Kept for packages; entities have no logic beside their rules so far. */
  readonly runBusinessLogic: boolean
  /** From so many records on, promotion is split over `taskCount` connections; null: the hub's own bounds. */
  readonly importThreshold: number | null
  readonly taskCount: number | null
  /** Export: the records it takes. */
  readonly filter: string | null
  readonly refreshType: 'FullPush' | 'IncrementalPush'
  readonly skipStaging: boolean
  /** Left out of runs. */
  readonly disabled: boolean
  /** Field by field; null: by name. */
  readonly mapping: readonly FieldMap[] | null
}

/** An entity of a project as it is when nothing more is said of it. */
export const defaultLine: Omit<ProjectEntity, 'entity'> = {
  sourceFormat: null,
  file: null,
  executionUnit: 1,
  levelInExecutionUnit: 1,
  sequenceInLevel: 1,
  failLevelOnError: false,
  failExecutionUnitOnError: false,
  truncateEntityData: false,
  runBusinessValidation: true,
  runBusinessLogic: true,
  importThreshold: null,
  taskCount: null,
  filter: null,
  refreshType: 'FullPush',
  skipStaging: true,
  disabled: false,
  mapping: null,
}

/** The columns of `data_project_entity` by the property that each holds. */
const lineColumns = {
  entity: 'entity',
  sourceFormat: 'source_format',
  file: 'file',
  executionUnit: 'execution_unit',
  levelInExecutionUnit: 'level_in_unit',
  sequenceInLevel: 'sequence_in_level',
  failLevelOnError: 'fail_level_on_error',
  failExecutionUnitOnError: 'fail_unit_on_error',
  truncateEntityData: 'truncate_entity_data',
  runBusinessValidation: 'run_business_validation',
  runBusinessLogic: 'run_business_logic',
  importThreshold: 'import_threshold',
  taskCount: 'task_count',
  filter: 'filter',
  refreshType: 'refresh_type',
  skipStaging: 'skip_staging',
  disabled: 'disabled',
  mapping: 'mapping',
} as const satisfies Record<keyof ProjectEntity, string>

/** SQL: the project's entities as a JSON array `entities` of `ProjectEntity`, for the project whose name is `p.name`. */
export const linesAsJson = `coalesce((
  SELECT jsonb_agg(jsonb_build_object(${Object.entries(lineColumns)
    .map(([property, column]) => `'${property}', l.${column}`)
    .join(', ')})
    ORDER BY l.execution_unit, l.level_in_unit, l.sequence_in_level, l.entity)
  FROM entrepot.data_project_entity l WHERE l.project = p.name), '[]') AS entities`

const selectProjects = `SELECT p.name, p.operation, p.category, p.description, ${linesAsJson} FROM entrepot.data_project p`

/** All data projects by name. */
export function listProjects(db: Queryable): Promise<DataProject[]> {
  return db.query<DataProject>(`${selectProjects} ORDER BY p.name`)
}

/** The data project of this name, if there is one; names are compared without regard to letter case. */
export async function findProject(db: Queryable, name: string): Promise<DataProject | undefined> {
  // No text of Postgres has a NUL character, so no project has a name with one.
  if (name.includes('\0')) return undefined
  const [project] = await db.query<DataProject>(
    `${selectProjects} WHERE lower(p.name) = lower($1) ORDER BY p.name = $1 DESC LIMIT 1`,
    [name],
  )
  return project
}

/** The data project of this name. Throws RequestRefused EA118 (404). */
export async function getProject(db: Queryable, name: string): Promise<DataProject> {
  const project = await findProject(db, name)
  if (!project) throw new RequestRefused(404, 'EA118', `There is no data project '${name.slice(0, 100)}'`)
  return project
}

/** What a person says of a project itself. */
export type ProjectHeader = Pick<DataProject, 'name'> &
  Partial<Pick<DataProject, 'operation' | 'category' | 'description'>>

/** Names are keys of tables, whose entries have room for 2,700 bytes; 500 characters have at most 1,500. */
export const maxNameLength = 500

function checkHeader({ name, description = '' }: ProjectHeader): void {
  const isPrintable = !/\p{Cc}/u.test(name) && !description.includes('\0')
  if (name.trim() !== '' && name.length <= maxNameLength && isPrintable) return
  throw new RequestRefused(400, 'EA109', `A data project needs a name of at most ${maxNameLength} printable characters`)
}

/**
 * Adds a data project without entities.
 * Throws  RequestRefused EA110 (409) when the name is taken, EA109 (400) for a name or description that cannot be.
 */
export async function addProject(db: Database, header: ProjectHeader): Promise<DataProject> {
  const { name } = header
  checkHeader(header)
  return db.transaction(async (tx) => {
    if (await lockProject(tx, name)) throw new RequestRefused(409, 'EA110', `There is a data project '${name}' already`)
    await insertProject(tx, header)
    return getProject(tx, name)
  })
}

/** Stores a new data project; `lockProject` has said that its name is free. */
export async function insertProject(
  tx: Transaction,
  { name, operation = 'Import', category = 'Integration', description = '' }: ProjectHeader,
): Promise<void> {
  await tx.query('INSERT INTO entrepot.data_project (name, operation, category, description) VALUES ($1, $2, $3, $4)', [
    name,
    operation,
    category,
    description,
  ])
}

/** Changes what is said of a project itself; what is left out stays. Throws RequestRefused EA118 (404). */
export async function changeProject(
  db: Queryable,
  name: string,
  { category, description }: Partial<Pick<DataProject, 'category' | 'description'>>,
): Promise<DataProject> {
  const project = await getProject(db, name)
  await db.query(
    'UPDATE entrepot.data_project SET category = coalesce($2, category), description = coalesce($3, description) WHERE name = $1',
    [project.name, category ?? null, description ?? null],
  )
  return getProject(db, project.name)
}

/**
 * Removes a data project; executions of it stay as they are.
 * Throws  RequestRefused EA118 (404), EA110 (409) while an activity is a channel of it.
 */
export async function removeProject(db: Database, name: string): Promise<void> {
  const project = await getProject(db, name)
  const [activity] = await db.query<{ name: string }>('SELECT name FROM entrepot.activity WHERE project = $1 LIMIT 1', [
    project.name,
  ])
  if (activity) {
    throw new RequestRefused(409, 'EA110', `The activity ${activity.name} is a channel of the project ${project.name}`)
  }
  await db.query('DELETE FROM entrepot.data_project WHERE name = $1', [project.name])
}

/** A change of a project's entity: what is left out stays as it is, or has its default in a new one. */
export type LineChange = Pick<ProjectEntity, 'entity'> & Partial<ProjectEntity>

/**
 * Adds an entity to a project, or changes the one that is there.
 * Throws  RequestRefused EA118 (404), EA109 (400) for a number sequence that is not there.
 */
export async function setProjectEntity(db: Database, name: string, change: LineChange): Promise<DataProject> {
  return db.transaction(async (tx) => {
    const project = await getLocked(tx, name)
    for (const { numberSequence } of change.mapping ?? []) {
      if (numberSequence !== undefined) await getNumberSequence(tx, numberSequence)
    }
    const known = project.entities.find(({ entity }) => entity === change.entity)
    await putLine(tx, project.name, { ...defaultLine, ...known, ...change })
    return getProject(tx, project.name)
  })
}

/** Takes an entity out of a project. Throws RequestRefused EA118 (404), EA105 (404) when it is not there. */
export async function removeProjectEntity(db: Database, name: string, entity: string): Promise<DataProject> {
  return db.transaction(async (tx) => {
    const project = await getLocked(tx, name)
    const removed = await tx.count('DELETE FROM entrepot.data_project_entity WHERE project = $1 AND entity = $2', [
      project.name,
      entity,
    ])
    if (removed === 0) throw new RequestRefused(404, 'EA105', `The project ${project.name} has no entity ${entity}`)
    return getProject(tx, project.name)
  })
}

/**
 * Makes a project have just these entities, as a package's manifest says; it is added where it is not there.
 * Packages for one project that come together follow one another here, and nowhere else.
 * Throws  RequestRefused EA116 (400) when it is there and may not be overwritten.
 */
export async function overwriteProject(
  tx: Transaction,
  project: Pick<DataProject, 'name' | 'description'> & Partial<Pick<DataProject, 'category'>>,
  lines: readonly ProjectEntity[],
  { overwrite }: { overwrite: boolean },
): Promise<void> {
  const { category = 'Integration', description } = project
  const known = await lockProject(tx, project.name)
  if (known && !overwrite) {
    throw new RequestRefused(
      400,
      'EA116',
      `The data project '${known.name}' exists and overwrite has not been specified`,
    )
  }
  if (known) {
    await tx.query('UPDATE entrepot.data_project SET category = $2, description = $3 WHERE name = $1', [
      known.name,
      category,
      description,
    ])
    await tx.query('DELETE FROM entrepot.data_project_entity WHERE project = $1', [known.name])
  } else {
    await insertProject(tx, { name: project.name, category, description })
  }
  for (const line of lines) await putLine(tx, known?.name ?? project.name, line)
}

/**
 * Whoever adds or changes a data project of this name follows after the others that do, whatever the letter case.
 * Returns  the project, if there is one.
 */
export async function lockProject(tx: Transaction, name: string): Promise<DataProject | undefined> {
  if (name.includes('\0')) return undefined
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended(lower($1), 4))', [name])
  return findProject(tx, name)
}

async function getLocked(tx: Transaction, name: string): Promise<DataProject> {
  return (await lockProject(tx, name)) ?? getProject(tx, name)
}

async function putLine(tx: Queryable, project: string, line: ProjectEntity): Promise<void> {
  const properties = Object.keys(lineColumns) as (keyof ProjectEntity)[] // Object.keys forgets the type of the keys
  const columns = properties.map((property) => lineColumns[property])
  const values = properties.map((property) =>
    property === 'mapping' && line.mapping !== null ? JSON.stringify(line.mapping) : line[property],
  )
  await tx.query(
    `INSERT INTO entrepot.data_project_entity (project, ${columns.join(', ')})
     VALUES ($1, ${columns.map((_, index) => `$${index + 2}`).join(', ')})
     ON CONFLICT (project, entity) DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`,
    [project, ...values],
  )
}

/** What an execution takes over of a project's entity; null where all is as it is without a project. */
export function settingsOf(line: ProjectEntity): EntitySettings | null {
  const settings: EntitySettings = {
    ...(line.mapping === null ? {} : { mapping: line.mapping }),
    ...(line.truncateEntityData ? { truncateEntityData: true } : {}),
    ...(line.runBusinessValidation ? {} : { runBusinessValidation: false }),
    ...(line.importThreshold === null ? {} : { importThreshold: line.importThreshold }),
    ...(line.taskCount === null ? {} : { taskCount: line.taskCount }),
  }
  return Object.keys(settings).length === 0 ? null : settings
}

/** An entity's place in the order of its execution. */
export function orderOf(line: ExecutionOrder): ExecutionOrder {
  const { executionUnit, levelInExecutionUnit, sequenceInLevel, failLevelOnError, failExecutionUnitOnError } = line
  return { executionUnit, levelInExecutionUnit, sequenceInLevel, failLevelOnError, failExecutionUnitOnError }
}
