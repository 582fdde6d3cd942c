import { type ActionResult, promoteStaged, validateStaged } from '../execution/actions'
import type { Context } from '../execution/context'
import { listExecutions } from '../execution/report'
import { type Bells, ringFor } from '../pipeline'
import { type Route, route } from '../platform/http-route'
import { flag, list, mapOf, nullable, object, oneOf, text, whole } from '../platform/schema'
import { correctStaged } from '../staging/correct-staged'
import { listStaged, stagedStatuses } from '../staging/staged-records'
import { executionIdSchema, executionParams, started } from './message-routes'
import { executionSummarySchema, executionSummaryView, nextPage, pageOf } from './report-schema'

/** Staged records: seeing, correcting, validating and promoting them. */
export function stagedRoutes(context: Context, bells: Bells): readonly Route[] {
  const { db, registry } = context
  const answer = ({ executionId, due }: ActionResult) => {
    void ringFor(bells, due) // not waited for: the state is committed, and a bell that is lost is rung again
    return { status: 202, body: { executionId } }
  }
  const entityNamed = (name: string | undefined) => (name === undefined ? {} : { entity: registry.get(name).name })
  return [
    route({
      method: 'GET',
      path: '/api/v1/executions',
      operation: 'listExecutions',
      tag: 'executions',
      summary: 'Executions, the newest first',
      query: object({}, { project: text(), limit: whole({ minimum: 1, maximum: 1_000, default: 100 }) }),
      answers: { 200: { description: 'The executions.', schema: object({ value: list(executionSummarySchema) }) } },
      handle: async ({ query: { limit = 100, ...filter } }) => ({
        body: { value: (await listExecutions(db, { ...filter, limit })).map(executionSummaryView) },
      }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/executions/:executionId/staged',
      operation: 'listStaged',
      tag: 'staged records',
      summary: 'Staged records of an entity, by their numbers',
      params: executionParams,
      query: object(
        {},
        {
          entity: text({ description: 'Any name of the entity; needed where the execution has several.' }),
          status: oneOf(stagedStatuses),
          field: text({ description: 'A field whose text contains what `contains` says.' }),
          contains: text(),
          afterRecord: whole({ minimum: 0 }),
          limit: whole({ minimum: 1, maximum: 1_000, default: defaultLimit }),
        },
      ),
      answers: { 200: { description: 'A page of records.', schema: pageOf(stagedSchema) } },
      handle: async ({ params: { executionId }, query }) => {
        const { limit = defaultLimit } = query
        const value = await listStaged(context, executionId, { ...query, limit })
        const last = value.length < limit ? undefined : value.at(-1)
        const path = `/api/v1/executions/${encodeURIComponent(executionId)}/staged`
        return { body: { value, nextLink: last ? nextPage(path, { ...query, afterRecord: last.recordNumber }) : null } }
      },
    }),
    route({
      method: 'PATCH',
      path: '/api/v1/executions/:executionId/staged/:recordNumber',
      operation: 'correctStaged',
      tag: 'staged records',
      summary: 'Correct a staged record, and check it again',
      description:
        'The body has the new texts by field, as the source would write them; null takes a field away. A good record waits ' +
        'to be promoted, where the execution stages only; elsewhere a retry promotes it.',
      params: object({ executionId: executionIdSchema, recordNumber: text({ pattern: '^\\d{1,15}$' }) }),
      query: entityQuery,
      body: mapOf(nullable(text({ maxLength: 1_000_000 }))),
      answers: { 200: { description: 'The record as it is staged now.', schema: stagedSchema } },
      handle: async ({ params: { executionId, recordNumber }, query, body }) => ({
        body: await correctStaged(context, executionId, { ...query, recordNumber: Number(recordNumber) }, body),
      }),
    }),
    route({
      method: 'POST',
      path: '/api/v1/executions/:executionId/promote',
      operation: 'promoteStaged',
      tag: 'staged records',
      summary: 'Promote what an execution has staged: all good records, chosen ones, or those in error',
      params: executionParams,
      body: object(
        {},
        {
          entity: text(),
          records: list(whole({ minimum: 1 }), { minItems: 1, maxItems: 100_000 }),
          errors: flag({ description: 'Those in error, from their staged texts.' }),
        },
      ),
      answers: started,
      handle: async ({ params, body: { entity, ...choice } }) =>
        answer(await promoteStaged(db, params.executionId, { ...choice, ...entityNamed(entity) })),
    }),
    route({
      method: 'POST',
      path: '/api/v1/executions/:executionId/validate',
      operation: 'validateStaged',
      tag: 'staged records',
      summary: 'Check what an execution has staged as promotion would, and promote nothing',
      params: executionParams,
      query: entityQuery,
      answers: started,
      handle: async ({ params, query: { entity } }) =>
        answer(await validateStaged(db, params.executionId, entityNamed(entity))),
    }),
  ]
}

const defaultLimit = 100

const entityQuery = object({}, { entity: text({ description: 'Any name of the entity.' }) })

const stagedSchema = object({
  entity: text(),
  recordNumber: whole(),
  line: nullable(whole()),
  status: oneOf(stagedStatuses),
  values: mapOf(nullable(text())),
  raw: nullable(text({ description: 'The record as it stood in the file, where its shape was wrong.' })),
  errors: list(object({ code: text(), field: nullable(text()), reason: text() })),
})
