import type { Hub } from '../hub'
import { type Activity, addActivity, enableActivity, listActivities } from '../project/activity'
import { findSourceFormat } from '../project/source-format-store'
import { exitCodes } from './failure'
import { withHub } from './session'
import { print, printJson, table } from './terminal'

/** What the command line says of a new activity. */
export interface AddActivityOptions {
  readonly entity?: readonly string[]
  /** Name of a data project that is there. */
  readonly project?: string
  readonly ordered?: boolean
  readonly strict?: boolean
  readonly company?: string
  readonly format?: string
  readonly json?: boolean
}

/** Adds an import activity and prints the GUID that producers send to. */
export function addOne(name: string, options: AddActivityOptions): Promise<number> {
  return withHub('activity', async ({ db, registry }) => {
    const sourceFormat = options.format === undefined ? null : (await findSourceFormat(db, options.format)).name
    const activity = await addActivity(db, {
      name,
      ...(options.project === undefined ? {} : { project: options.project }),
      entities: (options.entity ?? []).map((entity) => ({ entity: registry.getImportable(entity).name, sourceFormat })),
      ordered: options.ordered ?? false,
      strict: options.strict ?? false,
      ...(options.company === undefined ? {} : { company: options.company }),
    })
    if (options.json) printJson(activity)
    else print(activity.id)
    return exitCodes.good
  })
}

/** Lists the activities. */
export function listAll({ json }: { json?: boolean }): Promise<number> {
  return withHub('activity', async (hub) => {
    const activities = await listActivities(hub.db)
    if (json) printJson(activities)
    else if (activities.length === 0)
      print('There are no activities yet. Add one with: entrepot activity add NAME --entity NAME')
    else print(activityTable(hub, activities))
    return exitCodes.good
  })
}

function activityTable({ registry }: Hub, activities: readonly Activity[]): string {
  const labels = ({ entities }: Activity) => entities.map(({ entity }) => registry.labelOf(entity))
  const switches = ({ ordered, strict, enabled }: Activity) =>
    [enabled ? 'enabled' : 'disabled', ...(ordered ? ['ordered'] : []), ...(strict ? ['strict'] : [])].join(', ')
  return table(activities, [
    { title: 'Activity', text: ({ id }) => id },
    { title: 'Name', text: ({ name }) => name, style: () => 'bold' },
    { title: 'State', text: switches, style: ({ enabled }) => (enabled ? undefined : 'yellow') },
    { title: 'Company', text: ({ company }) => company ?? '' },
    { title: 'Format', text: ({ entities }) => entities[0]?.sourceFormat ?? 'detected' },
    { title: 'Entities', text: (activity) => labels(activity).join(', ') },
  ])
}

/** Turns an activity on or off. */
export function setEnabled(id: string, enabled: boolean): Promise<number> {
  return withHub('activity', async ({ db }) => {
    const { name } = await enableActivity(db, id, enabled)
    print(`The activity ${name} is ${enabled ? 'enabled' : 'disabled'}`)
    return exitCodes.good
  })
}
