import { RequestRefused } from '../errors'
import type { Context } from '../execution/context'
import { findExecution, findMessage, listRecordErrors } from '../execution/report'
import { type Route, route } from '../platform/http-route'
import { guid, lenient, object, text } from '../platform/schema'
import { type Activity, getActivity } from '../project/activity'
import { bareId } from './connector-url'
import { enqueue, type Ring } from './enqueue'
import { type JobStatus, jobStatus, jobStatusSchema } from './job-status'

/** The recurring integration protocol of Dynamics 365; `connectorUrl` must have rewritten the URLs. */
export function connectorRoutes(context: Context, ring: Ring): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/api/connector/enqueue/:activityId',
      operation: 'enqueue',
      tag: 'connector',
      summary: 'Send a file',
      description:
        'The body is the file, of any media type or none. The answer comes when the message is durable; from then on it ' +
        'is worked on, whatever happens. The same Idempotency-Key with the same bytes is the same message.',
      takesBytes: true,
      params: activityParams,
      query: lenient(
        object(
          {},
          {
            entity: text({
              description: 'Label or name of the entity; may be left out where the activity takes one only.',
            }),
            company: text({ description: "Company of records that name none; left out, the activity's." }),
            format: text({ description: 'Name of the source data format; left out, it is detected.' }),
          },
        ),
      ),
      headers: object(
        {},
        {
          'x-ms-dyn-externalidentifier': text({ description: "The producer's own name for the message." }),
          'idempotency-key': text({ description: 'At most 255 characters.' }),
        },
      ),
      answers: { 200: { description: "The message's id.", schema: guid() }, ...unknownActivity },
      handle: (request) => orUnknown(enqueue(context, ring, request)),
    }),
    route({
      method: 'GET',
      path: '/api/connector/jobstatus/:activityId',
      operation: 'jobStatus',
      tag: 'connector',
      summary: 'What became of a message',
      description: 'A message that is unknown, or of another activity, answers 404.',
      params: activityParams,
      query: lenient(object({ jobId: text({ description: "The message's id, with or without double quotes." }) })),
      answers: { 200: { description: 'DataJobStatusDetail', schema: jobStatusSchema }, ...unknownActivity },
      handle: async ({ params, query }) => {
        const activity = await orUnknown(getActivity(context.db, bareId(params.activityId)))
        return { body: await statusOf(context, activity, bareId(query.jobId)) }
      },
    }),
    route({
      method: 'GET',
      path: '/api/connector/dequeue/:activityId',
      operation: 'dequeue',
      tag: 'connector',
      summary: 'Fetch the next message of an export activity',
      description:
        'Import activities have none. Schedulers use it to check the connection: 500 for an unknown activity is what they expect.',
      params: activityParams,
      answers: { 204: { description: 'There is no message.' }, ...unknownActivity },
      handle: async ({ params }) => {
        await orUnknown(getActivity(context.db, bareId(params.activityId)))
        return { status: 204 }
      },
    }),
  ]
}

const activityParams = object({ activityId: text({ description: 'GUID of the activity, with or without braces.' }) })
const unknownActivity = { 500: { description: 'The activity is not known (EA101), or a mistake of ours (ES901).' } }

/** Clients of Dynamics 365 take 500 for an unknown activity, and 404 for a wrong address of the service. */
async function orUnknown<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof RequestRefused) || error.code !== 'EA101') throw error
    throw new RequestRefused(500, 'EA101', error.message, error.place)
  }
}

/** How many record errors the log tells of: enough to see what is wrong, and the rest is in /api/v1. */
const loggedErrors = 20

async function statusOf({ db, registry }: Context, activity: Activity, messageId: string): Promise<JobStatus> {
  const message = await findMessage(db, messageId)
  if (message.activityId !== activity.id) {
    throw new RequestRefused(404, 'EA108', `The activity ${activity.name} has no message '${messageId}'`)
  }
  const execution = await findExecution(db, message.executionId)
  const errors = await listRecordErrors(db, message.executionId, { limit: loggedErrors })
  return jobStatus({ message, execution, project: activity.project, errors }, registry)
}
