import type { IncomingHttpHeaders } from 'node:http'
import type { EntrepotError } from '../errors'
import type { Schema } from './schema'

/** A request whose parts have been checked against the route's schemas. */
export interface HttpRequest<Params = unknown, Query = unknown, Body = unknown> {
  readonly params: Params
  readonly query: Query
  /** The parsed JSON body. */
  readonly body: Body
  /** As the client sent them. */
  readonly headers: IncomingHttpHeaders
  /** Path and query as the client sent them. */
  readonly url: string
  /** The body's bytes, for routes with `takesBytes`; throws RequestRefused EA109 when the client breaks off. */
  readonly bytes: AsyncIterable<Uint8Array>
}

/** What a handler answers. An object is written by the schema of its status; text and bytes as they are. */
export interface Answer {
  /** 200 if left out. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object | string | AsyncIterable<string | Uint8Array>
}

/** One way to call the server: what is checked, what is documented, what is done. */
export interface Route<Params = unknown, Query = unknown, Body = unknown> {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With `:name` for parameters, and `*` for a last one of any length that may have slashes. */
  readonly path: string
  /** Unique name in the OpenAPI document. */
  readonly operation: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly params?: Schema<Params>
  readonly query?: Schema<Query>
  readonly body?: Schema<Body>
  /** Documented request headers; they are not checked. */
  readonly headers?: Schema
  /** The body is taken as it comes, of any media type or none, and handed over unread. */
  readonly takesBytes?: true
  /** By status: its meaning, and its schema where it is JSON, or else its media type. */
  readonly answers: Readonly<Record<number, AnswerMeaning>>
  /** Left out, errors are our JSON. */
  readonly errors?: ErrorFormat
  handle(request: HttpRequest<Params, Query, Body>): Promise<Answer> | Answer
}

export interface AnswerMeaning {
  readonly description: string
  readonly schema?: Schema
  readonly mediaType?: string
}

/** How a protocol that we did not make writes its errors. */
export interface ErrorFormat {
  readonly mediaType: string
  /** The headers and the body of the answer; its status is the error's. */
  write(shown: ShownError, request: IncomingHttpHeaders): Omit<Answer, 'status'>
}

/** An error as the caller may see it. */
export interface ShownError {
  readonly status: number
  /** Headers that belong to the status, such as Retry-After. */
  readonly headers: Readonly<Record<string, string>>
  readonly error: EntrepotError
}

/** Declares a route, so that the handler's types follow from the schemas. */
export function route<Params, Query, Body>(declaration: Route<Params, Query, Body>): Route {
  // The server checks each part by its schema before it calls the handler, so the wider type is never seen there.
  return declaration as unknown as Route
}
