import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { FastifyAdapter } from '@bull-board/fastify'
import { errorCodes } from '../errors'
import type { HttpPlugin } from './http'
import type { Queues } from './queues'

/**
 * Bull Board over all queues, to be mounted at `path`. It shows ids and counts; what it can do to bells is harmless, since
 * due work is rung for again. Jobs of the `inbound` queue are producers' messages that are not kept yet: those that
 * wait cannot be thrown away here.
 */
export function boardPlugin(queues: Queues, path: string): HttpPlugin {
  const serverAdapter = new FastifyAdapter()
  serverAdapter.setBasePath(path)
  createBullBoard({
    // The queues are BullMQ's own, whatever keeps them; the adapter's type names the Redis ones only.
    queues: queues.forBoard.map((queue) => new BullMQAdapter(queue as ConstructorParameters<typeof BullMQAdapter>[0])),
    // The adapter's package has a copy of the API's types of its own.
    serverAdapter: serverAdapter as unknown as Parameters<typeof createBullBoard>[0]['serverAdapter'],
    options: {
      uiConfig: { boardTitle: 'Entrepot queues' },
      handlerHooks: {
        before: ({ route, request }) => {
          const { queueName, queueStatus } = request.params ?? {}
          const isSafe = queueName !== 'inbound' || isHarmless(route, String(queueStatus ?? ''))
          return isSafe ? { allow: true } : { allow: false, status: 403, message: keepsMessages }
        },
      },
    },
  })
  return serverAdapter.registerPlugin()
}

const keepsMessages = `EA110: ${errorCodes.EA110.means} Jobs of the inbound queue are messages of producers: end them there.`

/** Ended jobs may be cleared away; the rest of what destroys or changes jobs may not. */
function isHarmless(route: string, status: string): boolean {
  if (/\/clean\/:queueStatus$/.test(route)) return status === 'completed' || status === 'failed'
  return !/(empty|obliterate|clean|update-data|edit)/.test(route)
}
