import { activityRoutes } from './api/activity-routes'
import { errorRoutes } from './api/error-routes'
import { formatRoutes } from './api/format-routes'
import { readHubFacts } from './api/hub-facts'
import { messageRoutes } from './api/message-routes'
import { opsRoutes } from './api/ops-routes'
import { projectRoutes } from './api/project-routes'
import { stagedRoutes } from './api/staged-routes'
import { blobRoutes } from './connector/blob-routes'
import { blobKey } from './connector/blob-url'
import { connectorUrl } from './connector/connector-url'
import { errorFileRoutes } from './connector/error-file-routes'
import { packageRoutes } from './connector/package-routes'
import { connectorRoutes } from './connector/routes'
import { type Hub, openHub } from './hub'
import { boardPlugin } from './platform/board'
import { readConfig } from './platform/config'
import { type HttpServer, openHttpServer } from './platform/http'
import { type Route, route } from './platform/http-route'
import { endOnSignals, type Lifecycle, openLifecycle } from './platform/lifecycle'
import { logObservations } from './platform/log'
import { type Metrics, openMetrics } from './platform/metrics'
import { observe } from './platform/observe'
import type { Queues } from './platform/queues'
import { anyObject } from './platform/schema'
import { startFailure } from './run-worker'
import type { StoredMessage } from './source/message-insert'
import { ringForReceived } from './work'

const boardPath = '/ops/queues'

/**
 * Starts the web server of this hub; the lifecycle closes it, requests under way finished.
 * Returns  the address to use it by.
 */
export async function startServer(hub: Hub, queues: Queues, lifecycle: Lifecycle): Promise<{ url: string }> {
  const { host, port, publicUrl, maxMessageBytes: maxUploadBytes } = hub.config
  const metrics = openMetrics(() => readHubFacts(hub.db, queues))
  lifecycle.onShutdown('metrics', () => metrics.close())
  const server = await openHttpServer({
    host,
    port,
    publicUrl,
    maxUploadBytes,
    rewriteUrl: connectorUrl,
    onAnswered: metrics.countAnswer,
  })
  lifecycle.onShutdown('web server', () => server.close())
  server.add([...hubRoutes(hub, queues, metrics, () => server.url()), openApiRoute(server)])
  server.mount(boardPath, boardPlugin(queues, boardPath))
  return server.listen()
}

/** All routes but the one of the document that describes them. */
function hubRoutes(hub: Hub, queues: Queues, metrics: Metrics, baseUrl: () => string): Route[] {
  const ring = (received: StoredMessage) => ringForReceived(queues, received)
  return [
    ...connectorRoutes(hub, ring),
    ...packageRoutes({ context: hub, ring, baseUrl, signingKey: () => blobKey(hub.db) }),
    ...errorFileRoutes(hub),
    ...blobRoutes(hub),
    ...projectRoutes(hub, ring),
    ...messageRoutes(hub, queues),
    ...errorRoutes(hub),
    ...stagedRoutes(hub, queues),
    ...activityRoutes(hub),
    ...formatRoutes(hub),
    ...opsRoutes(hub.db, queues, metrics),
  ]
}

function openApiRoute(server: HttpServer): Route {
  return route({
    method: 'GET',
    path: '/api/v1/openapi.json',
    operation: 'openApi',
    tag: 'operations',
    summary: 'This document',
    answers: { 200: { description: 'OpenAPI 3.1.', schema: anyObject() } },
    handle: () => ({ body: server.openApi() }),
  })
}

/** Runs a server process until a signal ends it; a process that cannot start says why and exits with code 1. */
export async function runServer(): Promise<void> {
  const lifecycle = openLifecycle()
  try {
    const config = readConfig()
    logObservations(config.logLevel)
    endOnSignals(lifecycle)
    const hub = await openHub(config, lifecycle, 'serve')
    const { url } = await startServer(hub, await hub.openQueues('producer'), lifecycle)
    observe({ at: 'hub.started', role: 'serve', url })
  } catch (error) {
    process.stderr.write(`${startFailure(error)}\n`)
    await lifecycle.shutdown('cannot start')
    process.exit(1)
  }
}
