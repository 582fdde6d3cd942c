import type { AnswerMeaning, ErrorFormat, Route } from './http-route'
import { anyObject, list, nullable, object, text } from './schema'

/** The body of every answer of 400 and above. */
const errorSchema = object({
  error: object(
    {
      code: text({ description: 'Stable code; its first letters say who acts next.' }),
      message: text({ description: 'A sentence with the values in it.' }),
      details: list(anyObject()),
    },
    {
      target: nullable(text({ description: 'The field or parameter that is wrong.' })),
      innererror: anyObject({ description: 'Kind of error, a hint on what to do, and the place where it was seen.' }),
    },
  ),
})

function errorAnswers(errors: ErrorFormat | undefined) {
  const shape = errors ? textOf(errors.mediaType) : errorSchema
  return {
    '4xx': { description: 'The request is refused: the caller has to act.', ...shape },
    '5xx': { description: '503: try again after Retry-After. Others: see the code.', ...shape },
  }
}

/** A route's path and schemas in fastify's words. */
export function documentRoute(route: Route) {
  const { method, path, operation, tag, summary, description, params, query, body, headers, errors } = route
  const answers = Object.entries(route.answers).map(([status, meaning]) => [
    status,
    documentAnswer(Number(status), meaning, errors),
  ])
  return {
    method,
    url: path,
    config: {
      documentedOnly: { ...(headers ? { headers } : {}), ...(route.takesBytes ? documentedBytes : {}) },
      ...(errors ? { errors } : {}),
    },
    schema: {
      operationId: operation,
      tags: [tag],
      summary,
      response: { ...errorAnswers(errors), ...Object.fromEntries(answers) },
      ...(description === undefined ? {} : { description }),
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { querystring: query }),
      ...(body === undefined ? {} : { body }),
    },
  }
}

const documentedBytes = { consumes: ['application/octet-stream'], body: { type: 'string', format: 'binary' } }

function documentAnswer(
  status: number,
  { description, schema, mediaType }: AnswerMeaning,
  errors: ErrorFormat | undefined,
): object {
  if (status >= 400) return { description, ...(errors ? textOf(errors.mediaType) : errorSchema) }
  if (mediaType !== undefined) return { description, ...textOf(mediaType) }
  return schema === undefined ? { description, type: 'null' } : { ...schema, description }
}

/** An answer that is text of this kind. */
function textOf(mediaType: string) {
  return { content: { [mediaType]: { schema: { type: 'string' } } } }
}

/** Options of the plug-in that writes the OpenAPI document. */
export function openApiOptions(publicUrl: string | undefined) {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Entrepot',
        version: '1',
        description:
          'Receives files, stages and checks their records, and promotes them to typed tables. ' +
          'Producers use /api/connector, which is the recurring integration protocol of Dynamics 365; people and tools use /api/v1.',
      },
      ...(publicUrl === undefined ? {} : { servers: [{ url: publicUrl }] }),
    },
    // Fastify would check requests by these as well.
    transform: ({ schema, url, route }: Transformed) => ({
      schema: { ...schema, ...route.config?.documentedOnly },
      url,
    }),
  }
}

interface Transformed {
  readonly schema: object
  readonly url: string
  readonly route: { readonly config?: { readonly documentedOnly?: object } }
}
