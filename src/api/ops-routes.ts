import { Unavailable } from '../errors'
import type { Database } from '../platform/database'
import { type Route, route } from '../platform/http-route'
import type { Metrics } from '../platform/metrics'
import { within } from '../platform/outage'
import type { Queues } from '../platform/queues'
import { object, oneOf, text } from '../platform/schema'
import { frontPage } from './front-page'

/** What orchestrators and monitors ask, and the page for people who come by. */
export function opsRoutes(db: Database, queues: Queues, metrics: Metrics): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/healthz',
      operation: 'health',
      tag: 'operations',
      summary: 'Whether the process is alive',
      answers: { 200: { description: 'It is.', schema: object({ status: oneOf(['alive']) }) } },
      handle: () => ({ body: { status: 'alive' } }),
    }),
    route({
      method: 'GET',
      path: '/readyz',
      operation: 'readiness',
      tag: 'operations',
      summary: 'Whether messages can be taken',
      description:
        'Needs the database only. While the queues are away messages are taken all the same; they are worked on by the ' +
        'sweeper, or once the queues are back.',
      answers: { 200: { description: 'They can.', schema: readySchema } },
      handle: async () => {
        const [, areQueuesBack] = await Promise.all([assertDatabase(db), queues.isReady()])
        return {
          body: {
            status: 'ready',
            database: 'reachable and migrated',
            queues: areQueuesBack ? 'reachable' : queuesAway,
          },
        }
      },
    }),
    route({
      method: 'GET',
      path: '/metrics',
      operation: 'metrics',
      tag: 'operations',
      summary: 'Metrics in the text format of Prometheus',
      answers: { 200: { description: 'The metrics.', mediaType: 'text/plain' } },
      handle: async () => ({ headers: { 'content-type': metrics.contentType }, body: await metrics.text() }),
    }),
    route({
      method: 'GET',
      path: '/',
      operation: 'frontPage',
      tag: 'operations',
      summary: 'A page that says what this is',
      answers: { 200: { description: 'The page.', mediaType: 'text/html' } },
      handle: () => ({ headers: { 'content-type': 'text/html; charset=utf-8' }, body: frontPage }),
    }),
  ]
}

const readySchema = object({ status: oneOf(['ready']), database: text(), queues: text() })
const queuesAway = 'away: messages are taken all the same, and worked on by the sweeper'

/** Probes commonly give up after a second or a few. */
const answerMs = 2_000

/** Throws Unavailable ES102 when the database gives no answer, or not that of a migrated one. */
async function assertDatabase(db: Database): Promise<void> {
  try {
    await within(answerMs, db.query('SELECT FROM entrepot.message LIMIT 0'))
  } catch (error) {
    if (error instanceof Unavailable) throw error
    throw new Unavailable('ES102', 'The database gives no answer', {}, { cause: error })
  }
}
