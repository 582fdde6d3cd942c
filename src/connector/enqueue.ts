import type { IncomingHttpHeaders } from 'node:http'
import { RequestRefused } from '../errors'
import type { Context } from '../execution/context'
import type { Answer, HttpRequest } from '../platform/http-route'
import type { StoredMessage } from '../source/message-insert'
import { type Delivery, receive } from '../source/receive'
import { bareId } from './connector-url'

/** Rings for a message that is kept, without waiting and without throwing. */
export type Ring = (received: StoredMessage) => void

export interface EnqueueQuery {
  readonly entity?: string
  readonly company?: string
  readonly format?: string
}

/**
 * Keeps a message that a producer sends: `POST /api/connector/enqueue/{activityId}`.
 * Answers  200 and the message's id as a JSON string, once the message is durable.
 * Throws   RequestRefused, Unavailable: nothing was kept then.
 */
export async function enqueue(
  context: Context,
  ring: Ring,
  { params, query, headers, bytes }: HttpRequest<{ activityId: string }, EnqueueQuery>,
): Promise<Answer> {
  const delivery: Delivery = {
    origin: 'http',
    activityId: bareId(params.activityId),
    ...given('entity', query.entity),
    ...given('company', query.company),
    ...given('sourceFormat', query.format),
    ...given('externalId', headerText(headers, 'x-ms-dyn-externalidentifier')),
    ...given('idempotencyKey', idempotencyKey(headers)),
  }
  const received = await receive(context, delivery, bytes)
  // The message is safe already: its producer need not wait for the queue, which may be away.
  ring(received)
  return { headers: { 'content-type': 'application/json; charset=utf-8' }, body: JSON.stringify(received.messageId) }
}

/** A property of the delivery, if there is text for it: clients write `entity=` for none. */
function given<K extends keyof Delivery>(name: K, text: string | undefined): Partial<Record<K, string>> {
  const value = text?.trim()
  if (!value) return {}
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(value)) {
    throw new RequestRefused(400, 'EA109', `The ${name} has control characters`, { field: name })
  }
  return { [name]: value } as Partial<Record<K, string>> // a computed key loses its type
}

const maxIdempotencyKey = 255

function idempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const key = headerText(headers, 'idempotency-key')
  if (key === undefined || key.length <= maxIdempotencyKey) return key
  throw new RequestRefused(400, 'EA109', `The Idempotency-Key has more than ${maxIdempotencyKey} characters`)
}

/** Node reads header bytes as latin1; clients send file names in UTF-8 as well. */
function headerText(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  if (typeof value !== 'string') return undefined
  const utf8 = Buffer.from(value, 'latin1').toString('utf8')
  return utf8.includes('\ufffd') ? value : utf8
}
