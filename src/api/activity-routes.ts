import type { CompositeEntity, Entity } from '../entity'
import type { Context } from '../execution/context'
import { sourceFormats } from '../format/registry'
import { type Route, route } from '../platform/http-route'
import { flag, guid, list, nullable, object, oneOf, text, type ValueOf, whole } from '../platform/schema'
import { addActivity, enableActivity, getActivity, listActivities } from '../project/activity'
import { findSourceFormat } from '../project/source-format-store'

/** Activities, and the entities that they can take. */
export function activityRoutes({ db, registry }: Context): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/v1/activities',
      operation: 'listActivities',
      tag: 'activities',
      summary: 'All activities, by name',
      answers: { 200: { description: 'The activities.', schema: object({ value: list(activitySchema) }) } },
      handle: async () => ({ body: { value: await listActivities(db) } }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/activities/:activityId',
      operation: 'getActivity',
      tag: 'activities',
      summary: 'One activity',
      params: activityParams,
      answers: { 200: { description: 'The activity.', schema: activitySchema } },
      handle: async ({ params }) => ({ body: await getActivity(db, params.activityId) }),
    }),
    route({
      method: 'POST',
      path: '/api/v1/activities',
      operation: 'addActivity',
      tag: 'activities',
      summary: 'Add an import activity',
      body: newActivity,
      answers: { 201: { description: 'The activity; producers send files to its id.', schema: activitySchema } },
      handle: async ({ body }) => {
        const entities = await Promise.all(
          (body.entities ?? []).map(async ({ entity, sourceFormat }) => ({
            entity: registry.getImportable(entity).name,
            sourceFormat: sourceFormat === undefined ? null : (await findSourceFormat(db, sourceFormat)).name,
          })),
        )
        return { status: 201, body: await addActivity(db, { ...body, entities }) }
      },
    }),
    ...(['enable', 'disable'] as const).map((verb) =>
      route({
        method: 'POST',
        path: `/api/v1/activities/:activityId/${verb}`,
        operation: `${verb}Activity`,
        tag: 'activities',
        summary: verb === 'enable' ? 'Take messages again' : 'Take no more messages; those that it has are finished',
        params: activityParams,
        answers: { 200: { description: 'The activity as it is now.', schema: activitySchema } },
        handle: async ({ params }) => ({ body: await enableActivity(db, params.activityId, verb === 'enable') }),
      }),
    ),
    route({
      method: 'GET',
      path: '/api/v1/entities',
      operation: 'listEntities',
      tag: 'entities',
      summary: 'The entities that this hub knows, in promotion order',
      answers: {
        200: {
          description: 'The entities, and the composites of them.',
          schema: object({ value: list(entitySchema), composites: list(compositeSchema) }),
        },
      },
      handle: () => ({
        body: { value: registry.all.map(entityView), composites: registry.composites.map(compositeView) },
      }),
    }),
  ]
}

const activityParams = object({ activityId: text() })

const activitySchema = object({
  id: guid(),
  name: text(),
  project: text(),
  ordered: flag({
    description: 'Messages are handled strictly one after another; a failed one holds up those behind it.',
  }),
  strict: flag({ description: 'Columns that the entity does not know are refused instead of ignored.' }),
  enabled: flag(),
  company: nullable(text({ description: 'Company of messages that name none.' })),
  entities: list(
    object({ entity: text(), sourceFormat: nullable(text({ description: 'null: the format is detected.' })) }),
  ),
})

const newActivity = object(
  {
    name: text({ minLength: 1, maxLength: 200 }),
  },
  {
    project: text({ description: 'A data project that is there, in place of entities.' }),
    entities: list(
      object(
        { entity: text({ description: 'Any name of the entity.' }) },
        {
          sourceFormat: text({
            description: `One of ${Object.keys(sourceFormats).join(', ')} or of your own formats; left out, it is detected.`,
          }),
        },
      ),
      { minItems: 1 },
    ),
    ordered: flag(),
    strict: flag(),
    company: text({ minLength: 1, maxLength: 4 }),
  },
)

const entitySchema = object({
  name: text(),
  label: text({ description: 'The name that producers send with ?entity=' }),
  publicEntityName: text(),
  publicCollectionName: text(),
  category: oneOf(['Parameter', 'Reference', 'Master', 'Document', 'Transaction']),
  companySpecific: flag(),
  key: list(text()),
  fields: list(
    object(
      { name: text(), type: text(), mandatory: flag(), isKey: flag() },
      {
        label: text(),
        maxLength: whole(),
        precision: whole(),
        scale: whole(),
        default: text(),
        members: list(text({ description: 'Names that an enumeration has.' })),
      },
    ),
  ),
})

const compositeSchema = object({
  name: text(),
  label: text({ description: 'The name that producers send with ?entity=' }),
  publicEntityName: text(),
  companySpecific: flag(),
  members: list(
    object({
      entity: text({ description: 'Name of the entity.' }),
      parent: nullable(
        text({ description: 'Name of the entity that its records stand in; null: they begin documents.' }),
      ),
    }),
  ),
})

function compositeView(composite: CompositeEntity): ValueOf<typeof compositeSchema> {
  const { name, label, publicEntityName, companySpecific, members } = composite
  return {
    name,
    label,
    publicEntityName,
    companySpecific,
    members: members.map(({ entity, parent }) => ({
      entity: entity.name,
      parent: members[parent]?.entity.name ?? null,
    })),
  }
}

function entityView(entity: Entity): ValueOf<typeof entitySchema> {
  const { name, label, publicEntityName, publicCollectionName, category, companySpecific, key, columns } = entity
  return {
    name,
    label,
    publicEntityName,
    publicCollectionName,
    category,
    companySpecific,
    key,
    fields: columns.map(({ name: fieldName, isKey, field }) => {
      const { type, mandatory, enumeration, letterCase: _, ...rest } = field
      return {
        name: fieldName,
        type,
        mandatory,
        isKey,
        ...rest,
        ...(enumeration ? { members: enumeration.members } : {}),
      }
    }),
  }
}
