import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import helmet from '@fastify/helmet'
import swagger from '@fastify/swagger'
import fastify, {
  type FastifyInstance,
  type FastifyPluginCallback,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { RequestRefused } from '../errors'
import {
  askForBody,
  bodyBytes,
  canDropBody,
  hasBody,
  mediaTypeOf,
  refuseEncodedBody,
  refuseLargeBody,
} from './http-body'
import { answerError, jsonErrors, rawRefusal } from './http-errors'
import { refuseForeignSites } from './http-origin'
import { defaultPace, keepPace, type Pace, type PaceKeeper } from './http-pace'
import type { Answer, ErrorFormat, Route } from './http-route'
import { documentRoute, openApiOptions } from './http-schema'
import { observe } from './observe'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Parts of a route's schema that are for the OpenAPI document only. */
    documentedOnly?: object
    errors?: ErrorFormat
  }
}

/** A part of the server that a library brings along. */
export type HttpPlugin = FastifyPluginCallback

export interface HttpServerOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** The address that clients use, where it is not the one listened on. */
  readonly publicUrl?: string | undefined
  /** The largest body of routes with `takesBytes`; JSON bodies end at 1 MB. */
  readonly maxUploadBytes: number
  /** Turns what clients write into the path and query that the routes expect. */
  rewriteUrl(url: string): string
  /** Told of each answer, for measuring. */
  onAnswered?(answer: AnsweredRequest): void
  readonly pace?: Pace
}

export interface AnsweredRequest {
  /** The route's path, with its parameters unfilled; '' where no route was found. */
  readonly path: string
  readonly method: string
  readonly status: number
  readonly seconds: number
}

/** A web server: routes are added, then it listens until it is closed. */
export interface HttpServer {
  add(routes: readonly Route[]): void
  /** Mounts a library's own pages under a path. They are not part of the OpenAPI document. */
  mount(path: string, plugin: HttpPlugin): void
  /** The OpenAPI document of all routes, once the server listens. */
  openApi(): object
  /** Resolves to the address to use it by. */
  listen(): Promise<{ url: string }>
  /** That address, for links in answers: known at the latest once the server listens. */
  url(): string
  /** Takes no more requests and finishes those under way. */
  close(): Promise<void>
}

/** Enough for any JSON that we take. */
const maxJsonBytes = 1024 * 1024
/** A header comes in one piece; longer is a client that only holds the connection. */
const headersTimeoutMs = 15_000
/** Longer than the 60 s for which proxies commonly keep theirs, so that it is never us who closes on a request. */
const keepAliveTimeoutMs = 65_000
/** A connection on which nothing moves in either direction. */
const silentConnectionMs = 300_000
/** Then the client connects anew, which spreads long-lived clients over several servers. */
const maxRequestsPerSocket = 10_000
/** Each takes a few tens of KB; more clients than this need several servers. */
const maxConnections = 2_000
/** Ids of executions are texts of a client's own: 250 characters, percent-encoded. */
const maxParamLength = 1_000

/** Prepares a server; nothing listens until `listen`. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const app: FastifyInstance = fastify({
    bodyLimit: maxJsonBytes,
    // The total time of a request is unbounded, since an upload may be large: its pace is watched instead.
    requestTimeout: 0,
    connectionTimeout: silentConnectionMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    maxRequestsPerSocket,
    http: { headersTimeout: headersTimeoutMs },
    forceCloseConnections: 'idle',
    trustProxy: false,
    routerOptions: { maxParamLength, ignoreTrailingSlash: true },
    ajv: { customOptions: { removeAdditional: false } }, // a misspelt property is refused, not dropped
    rewriteUrl: ({ url = '/' }) => options.rewriteUrl(url),
    clientErrorHandler: (error, socket) => {
      if (socket.writable) socket.write(rawRefusal('code' in error ? String(error.code) : undefined))
      socket.destroy()
    },
    frameworkErrors: (error, request, reply) => sendError(error, request, reply as unknown as FastifyReply),
  })
  app.server.maxConnections = maxConnections
  const pace = keepPace(options.pace ?? defaultPace)
  watchRequests(app, pace, options)
  const url = () => options.publicUrl ?? urlOf(app.server.address())
  await app.register(helmet, helmetOptions)
  await app.register(swagger, openApiOptions(options.publicUrl))
  return {
    add: (routes) => addRoutes(app, routes, options.maxUploadBytes),
    mount: (prefix, plugin) => void app.register(plugin, { prefix }),
    openApi: () => app.swagger(),
    async listen() {
      // Fastify would open a second server for the other address of localhost, without our listeners.
      await app.listen({ host: options.host === 'localhost' ? '127.0.0.1' : options.host, port: options.port })
      return { url: url() }
    },
    url,
    async close() {
      await app.close()
      pace.close()
    },
  }
}

/** Pages of ours and of Bull Board load from here only; Bull Board's have inline styles. */
const helmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      objectSrc: ["'none'"],
      baseUri: ["'self'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  // Whoever terminates TLS in front of us decides about it.
  strictTransportSecurity: false,
}

function watchRequests(app: FastifyInstance, pace: PaceKeeper, options: HttpServerOptions): void {
  // Without this Node asks for the body at once; we ask when we want it, so that a refusal saves the upload.
  app.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    app.server.emit('request', request, response)
  })
  app.addHook('onRequest', async ({ raw }) => {
    refuseForeignSites(raw, options.publicUrl)
    refuseEncodedBody(raw)
    if (hasBody(raw)) pace.watch(raw)
  })
  app.addHook('onResponse', async (request, reply) => {
    options.onAnswered?.({
      path: request.routeOptions.url ?? '',
      method: request.method,
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1_000,
    })
  })
  app.setErrorHandler(sendError)
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]!.slice(0, 200)
    sendError(new RequestRefused(404, 'EA108', `There is nothing at ${request.method} ${path}`), request, reply)
  })
}

function addRoutes(app: FastifyInstance, routes: readonly Route[], maxUploadBytes: number): void {
  void app.register(async (scope) => {
    // Bodies of any kind stay unread until the handler reads them.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    for (const route of routes.filter(({ takesBytes }) => takesBytes)) {
      const onRequest = async ({ raw }: FastifyRequest) => {
        refuseLargeBody(raw, maxUploadBytes)
        // Fastify answers 415 to media types that are none; some clients send such.
        raw.headers['content-type'] = 'application/octet-stream'
      }
      scope.route({ ...documentRoute(route), onRequest, handler: handlerOf(route) })
    }
  })
  for (const route of routes.filter(({ takesBytes }) => !takesBytes)) {
    const onRequest = async ({ raw }: FastifyRequest, reply: FastifyReply) => askForBody(raw, reply.raw)
    app.route({ ...documentRoute(route), onRequest, handler: handlerOf(route) })
  }
}

function handlerOf(route: Route) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const { params, query, body, originalUrl: url, raw } = request
    const headers = route.takesBytes ? { ...request.headers, 'content-type': mediaTypeOf(raw) } : request.headers
    const bytes = bodyBytes(raw, reply.raw)
    const answer = await route.handle({ params, query, body, headers, url, bytes })
    return send(reply, answer)
  }
}

function send(reply: FastifyReply, { status = 200, headers = {}, body }: Answer): FastifyReply {
  reply.code(status).headers(headers)
  if (body === undefined || typeof body === 'string') return reply.send(body)
  return reply.send(Symbol.asyncIterator in body ? Readable.from(body) : body)
}

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { method, routeOptions, headers, raw } = request
  const answer = answerError(error)
  if (answer.isOurs) observe({ at: 'step.failed', step: 'http', id: `${method} ${routeOptions.url ?? ''}`, error })
  if (!canDropBody(raw)) reply.header('connection', 'close')
  const { mediaType, write } = routeOptions.config?.errors ?? jsonErrors
  void send(reply.type(mediaType), { status: answer.status, ...write(answer, headers) })
}

function urlOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') throw new Error('The server has no address')
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}
