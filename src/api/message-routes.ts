import { cancelExecution, retryExecution, skipMessage } from '../execution/actions'
import type { Context } from '../execution/context'
import { findExecution, findMessage, listMessages } from '../execution/report'
import type { DueWork } from '../execution/work'
import { type Bells, ringFor } from '../pipeline'
import { type Route, route } from '../platform/http-route'
import { guid, object, oneOf, text, whole } from '../platform/schema'
import { messageStates } from './hub-facts'
import { executionSchema, executionView, messageSchema, messageView, nextPage, pageOf } from './report-schema'

/** Messages and executions: seeing where they are, and setting them going again. */
export function messageRoutes({ db }: Context, bells: Bells): readonly Route[] {
  /** Not waited for: the state is committed, and a bell that is lost is rung again. */
  const ring = (due: readonly DueWork[]) => void ringFor(bells, due)
  return [
    route({
      method: 'GET',
      path: '/api/v1/messages',
      operation: 'listMessages',
      tag: 'messages',
      summary: 'Messages, the newest first',
      query: messageQuery,
      answers: { 200: { description: 'A page of messages.', schema: pageOf(messageSchema) } },
      handle: async ({ query }) => {
        const { limit = defaultLimit } = query
        const messages = await listMessages(db, { ...query, limit })
        const last = messages.length < limit ? undefined : messages.at(-1)
        return {
          body: {
            value: messages.map(messageView),
            nextLink: last ? nextPage('/api/v1/messages', { ...query, beforeSeq: last.seq }) : null,
          },
        }
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/messages/:messageId',
      operation: 'getMessage',
      tag: 'messages',
      summary: 'One message',
      params: messageParams,
      answers: { 200: { description: 'The message.', schema: messageSchema } },
      handle: async ({ params }) => ({ body: messageView(await findMessage(db, params.messageId)) }),
    }),
    route({
      method: 'POST',
      path: '/api/v1/messages/:messageId/skip',
      operation: 'skipMessage',
      tag: 'messages',
      summary: 'Let the messages behind a failed one of an ordered activity go on',
      params: messageParams,
      answers: started,
      handle: async ({ params }) => {
        const { executionId, due } = await skipMessage(db, params.messageId)
        ring(due)
        return { status: 202, body: { executionId } }
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/executions/:executionId',
      operation: 'getExecution',
      tag: 'executions',
      summary: 'One execution, with counts and log',
      params: executionParams,
      answers: { 200: { description: 'The execution.', schema: executionSchema } },
      handle: async ({ params }) => ({ body: executionView(await findExecution(db, params.executionId)) }),
    }),
    route({
      method: 'POST',
      path: '/api/v1/executions/:executionId/retry',
      operation: 'retryExecution',
      tag: 'executions',
      summary: 'Run the records in error again, or a failed message as a whole',
      description:
        'Records in error run again in the same execution; a message that failed as a whole gets a new execution.',
      params: executionParams,
      answers: started,
      handle: async ({ params }) => {
        const { executionId, due } = await retryExecution(db, params.executionId)
        ring(due)
        return { status: 202, body: { executionId } }
      },
    }),
    route({
      method: 'POST',
      path: '/api/v1/executions/:executionId/cancel',
      operation: 'cancelExecution',
      tag: 'executions',
      summary: 'Cancel an execution',
      description: 'What it has promoted stays. The messages behind it in an ordered activity go on.',
      params: executionParams,
      answers: started,
      handle: async ({ params }) => {
        const { executionId, due } = await cancelExecution(db, params.executionId)
        ring(due)
        return { status: 202, body: { executionId } }
      },
    }),
  ]
}

const defaultLimit = 100
const maxLimit = 1_000 // about 500 KB of JSON

const messageQuery = object(
  {},
  {
    status: oneOf(messageStates),
    activityId: guid(),
    limit: whole({ minimum: 1, maximum: maxLimit, default: defaultLimit }),
    beforeSeq: whole({ minimum: 1, description: 'Only messages that came before this one.' }),
  },
)
const messageParams = object({ messageId: text() })
/** Postgres takes no NUL in a text. */
export const executionIdSchema = text({ maxLength: 500, pattern: '^[^\\u0000-\\u001f]+$' })
export const executionParams = object({ executionId: executionIdSchema })
/** The answer of what sets an execution going. */
export const started = {
  202: {
    description: 'It is under way.',
    schema: object({ executionId: text({ description: 'The execution to look at.' }) }),
  },
}
