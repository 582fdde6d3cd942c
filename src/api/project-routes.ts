import type { Context } from '../execution/context'
import { listExecutions } from '../execution/report'
import { type Route, route } from '../platform/http-route'
import { flag, list, nullable, object, oneOf, text, whole } from '../platform/schema'
import { checkedLine } from '../project/checked-line'
import {
  addProject,
  changeProject,
  getProject,
  listProjects,
  projectCategories,
  removeProject,
  removeProjectEntity,
  setProjectEntity,
} from '../project/data-project'
import type { FieldMap } from '../project/mapping'
import type { StoredMessage } from '../source/message-insert'
import { receive } from '../source/receive'
import { executionSummarySchema, executionSummaryView } from './report-schema'

/** Rings for a message that is kept, without waiting and without throwing. */
type Ring = (received: StoredMessage) => void

/** Data projects: what an operator sets up, and runs. */
export function projectRoutes(context: Context, ring: Ring): readonly Route[] {
  const { db, registry } = context
  return [
    route({
      method: 'GET',
      path: '/api/v1/projects',
      operation: 'listProjects',
      tag: 'projects',
      summary: 'All data projects, by name',
      answers: { 200: { description: 'The projects.', schema: object({ value: list(projectSchema) }) } },
      handle: async () => ({ body: { value: await listProjects(db) } }),
    }),
    route({
      method: 'POST',
      path: '/api/v1/projects',
      operation: 'addProject',
      tag: 'projects',
      summary: 'Add a data project',
      body: object(
        { name: text({ minLength: 1, maxLength: 200 }) },
        { operation: oneOf(['Import', 'Export']), ...headerSchemas },
      ),
      answers: { 201: { description: 'The project.', schema: projectSchema } },
      handle: async ({ body }) => ({ status: 201, body: await addProject(db, body) }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/projects/:project',
      operation: 'getProject',
      tag: 'projects',
      summary: 'One data project',
      params: projectParams,
      answers: { 200: { description: 'The project.', schema: projectSchema } },
      handle: async ({ params }) => ({ body: await getProject(db, params.project) }),
    }),
    route({
      method: 'PATCH',
      path: '/api/v1/projects/:project',
      operation: 'changeProject',
      tag: 'projects',
      summary: 'Change what is said of a project itself',
      params: projectParams,
      body: object({}, headerSchemas),
      answers: { 200: { description: 'The project as it is now.', schema: projectSchema } },
      handle: async ({ params, body }) => ({ body: await changeProject(db, params.project, body) }),
    }),
    route({
      method: 'DELETE',
      path: '/api/v1/projects/:project',
      operation: 'removeProject',
      tag: 'projects',
      summary: 'Remove a data project; its executions stay',
      params: projectParams,
      answers: { 204: { description: 'It is removed.' } },
      handle: async ({ params }) => {
        await removeProject(db, params.project)
        return { status: 204 }
      },
    }),
    route({
      method: 'PUT',
      path: '/api/v1/projects/:project/entities/:entity',
      operation: 'setProjectEntity',
      tag: 'projects',
      summary: 'Add an entity to a project, or change the one that is there',
      description: 'What is left out stays as it is, or has its default in a new one.',
      params: lineParams,
      body: object({}, lineSchemas),
      answers: { 200: { description: 'The project as it is now.', schema: projectSchema } },
      handle: async ({ params, body }) => {
        const change = checkedLine(registry, params.entity, body)
        return { body: await setProjectEntity(db, params.project, change) }
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/v1/projects/:project/entities/:entity',
      operation: 'removeProjectEntity',
      tag: 'projects',
      summary: 'Take an entity out of a project',
      params: lineParams,
      answers: { 200: { description: 'The project as it is now.', schema: projectSchema } },
      handle: async ({ params }) => {
        const { name } = registry.getImportable(params.entity)
        return { body: await removeProjectEntity(db, params.project, name) }
      },
    }),
    route({
      method: 'POST',
      path: '/api/v1/projects/:project/run',
      operation: 'runProject',
      tag: 'projects',
      summary: 'Run a project with a data package of its files',
      description: 'The body is the package: a zip with a manifest. The project itself stays as it is.',
      takesBytes: true,
      params: projectParams,
      query: object(
        {},
        {
          company: text({ maxLength: 20, description: 'Company of records that name none.' }),
          mode: oneOf(['import', 'stage', 'validate'], {
            description: 'stage: no further than staging; validate: a dry run.',
          }),
          name: text({ maxLength: 500, description: "The sender's own name for it." }),
        },
      ),
      answers: {
        202: { description: 'It is under way.', schema: object({ messageId: text(), executionId: text() }) },
      },
      handle: async ({ params, query: { company, mode = 'import', name }, bytes }) => {
        const delivery = { origin: 'http', project: (await getProject(db, params.project)).name, mode } as const
        const received = await receive(
          context,
          {
            ...delivery,
            ...(company === undefined ? {} : { company }),
            ...(name === undefined ? {} : { externalId: name }),
          },
          bytes,
        )
        ring(received)
        return { status: 202, body: { messageId: received.messageId, executionId: received.executionId } }
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/projects/:project/executions',
      operation: 'listProjectExecutions',
      tag: 'projects',
      summary: 'The runs of a project, the newest first',
      params: projectParams,
      query: object({}, { limit: whole({ minimum: 1, maximum: 1_000, default: 100 }) }),
      answers: {
        200: { description: 'The executions.', schema: object({ value: list(executionSummarySchema) }) },
      },
      handle: async ({ params, query: { limit = 100 } }) => {
        const { name } = await getProject(db, params.project)
        return { body: { value: (await listExecutions(db, { project: name, limit })).map(executionSummaryView) } }
      },
    }),
  ]
}

const projectParams = object({ project: text() })
const lineParams = object({ project: text(), entity: text({ description: 'Any name of the entity.' }) })

const headerSchemas = {
  category: oneOf(projectCategories),
  description: text({ maxLength: 60 }),
}

const fieldMapSchema = object(
  {
    field: text(),
    source: nullable(text({ description: "The source's name for it; null where it comes from elsewhere." })),
  },
  {
    defaultValue: text({ description: 'Value in place of an empty or missing one.' }),
    conversions: list(object({ from: text(), to: text() }), { maxItems: 10_000 }),
    numberSequence: text({
      description: 'Name of the number sequence that gives a value where the source gives none.',
    }),
    isOptional: flag({ description: 'Files may lack the column, and nothing is said of it.' }),
    ignoreBlankValues: flag({ description: "An empty text leaves the target's value as it is." }),
    useTextQualifier: flag(),
  },
)

const lineSchemas = {
  sourceFormat: nullable(text({ description: 'null: the format is detected.' })),
  file: nullable(text({ description: 'Name of its file in a package; null: its label.' })),
  executionUnit: whole({ minimum: 0, maximum: 1_000_000 }),
  levelInExecutionUnit: whole({ minimum: 0, maximum: 1_000_000 }),
  sequenceInLevel: whole({ minimum: 0, maximum: 1_000_000 }),
  failLevelOnError: flag({ description: 'Where it has errors, the following levels of its unit are not run.' }),
  failExecutionUnitOnError: flag({ description: 'Where it has errors, nothing that follows in its unit is run.' }),
  truncateEntityData: flag({ description: 'Its records of the companies at hand are removed first.' }),
  runBusinessValidation: flag({ description: "false: the entity's rules over whole records are not asked." }),
  runBusinessLogic: flag(),
  importThreshold: nullable(whole({ minimum: 0 })),
  taskCount: nullable(whole({ minimum: 1, maximum: 32 })),
  filter: nullable(text()),
  refreshType: oneOf(['FullPush', 'IncrementalPush']),
  skipStaging: flag(),
  disabled: flag(),
  mapping: nullable(list<FieldMap>(fieldMapSchema, { maxItems: 2_000 })),
}

export const projectSchema = object({
  name: text(),
  operation: oneOf(['Import', 'Export']),
  category: oneOf(projectCategories),
  description: text(),
  entities: list(object({ entity: text(), ...lineSchemas })),
})
