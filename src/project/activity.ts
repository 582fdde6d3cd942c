import { randomUUID } from 'node:crypto'
import { isGuid } from '../entity/guid'
import { RequestRefused } from '../errors'
import type { Database, Queryable, Transaction } from '../platform/database'
import { getProject, insertProject, linesAsJson, lockProject, type ProjectEntity } from './data-project'

/** A recurring channel of a data project, named by a GUID, with the entities that it takes. */
export interface Activity {
  readonly id: string
  readonly name: string
  /** Name of its data project. */
  readonly project: string
  /** Messages are handled strictly one after another; a failed one holds up its successors. */
  readonly ordered: boolean
  /** Columns that the entity does not know are refused instead of ignored. */
  readonly strict: boolean
  readonly enabled: boolean
  /** Company of messages that name none. */
  readonly company: string | null
  /** Those of its project. */
  readonly entities: readonly ProjectEntity[]
}

const selectActivities = `
  SELECT a.id, a.name, a.project, a.ordered, a.strict, a.enabled, a.company, ${linesAsJson}
  FROM entrepot.activity a JOIN entrepot.data_project p ON p.name = a.project`

/** All activities by name. */
export function listActivities(db: Queryable): Promise<Activity[]> {
  return db.query<Activity>(`${selectActivities} ORDER BY a.name`)
}

/** The activity with this id. Throws RequestRefused EA101 (404). */
export async function getActivity(db: Queryable, id: string): Promise<Activity> {
  const [activity] = isGuid(id) ? await db.query<Activity>(`${selectActivities} WHERE a.id = $1`, [id]) : []
  if (!activity) throw new RequestRefused(404, 'EA101', `There is no activity '${id.slice(0, 60)}'`)
  return activity
}

/**
 * What a person says of a new activity. It is a channel of the data project that it names; without one a project of its
 * entities is made along with it, under the same name.
 */
export interface NewActivity {
  readonly name: string
  readonly project?: string
  readonly entities?: readonly Pick<ProjectEntity, 'entity' | 'sourceFormat'>[]
  readonly ordered?: boolean
  readonly strict?: boolean
  readonly company?: string
}

/**
 * Adds an import activity.
 * Throws  RequestRefused EA110 (409) when the name is taken, EA109 (400) without name or entities, EA118 (404).
 */
export async function addActivity(db: Database, activity: NewActivity): Promise<Activity> {
  if (activity.name.trim() === '') throw new RequestRefused(400, 'EA109', 'An activity needs a name')
  return db.transaction(async (tx) => {
    const project =
      activity.project === undefined ? await addOwnProject(tx, activity) : (await getProject(tx, activity.project)).name
    const id = randomUUID()
    const made = await tx.count(
      `INSERT INTO entrepot.activity (id, name, project, ordered, strict, company) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (name) DO NOTHING`,
      [
        id,
        activity.name,
        project,
        activity.ordered ?? false,
        activity.strict ?? false,
        activity.company?.toLowerCase() ?? null,
      ],
    )
    if (made === 0) throw nameTaken(activity.name)
    return getActivity(tx, id)
  })
}

async function addOwnProject(tx: Transaction, { name, entities = [] }: NewActivity): Promise<string> {
  if (entities.length === 0)
    throw new RequestRefused(400, 'EA109', 'An activity needs a data project or at least one entity')
  if (await lockProject(tx, name)) throw nameTaken(name)
  await insertProject(tx, { name })
  for (const { entity, sourceFormat } of entities) {
    await tx.query(
      `INSERT INTO entrepot.data_project_entity (project, entity, source_format) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
      [name, entity, sourceFormat],
    )
  }
  return name
}

function nameTaken(name: string): RequestRefused {
  return new RequestRefused(409, 'EA110', `There is an activity or project '${name}' already`)
}

/** Turns an activity on or off: a disabled one takes no messages, those it has are finished. */
export async function enableActivity(db: Queryable, id: string, enabled: boolean): Promise<Activity> {
  await getActivity(db, id)
  await db.query('UPDATE entrepot.activity SET enabled = $2 WHERE id = $1', [id, enabled])
  return getActivity(db, id)
}
