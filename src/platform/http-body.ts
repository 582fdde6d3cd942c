import type { IncomingMessage, ServerResponse } from 'node:http'
import { RequestRefused, textOf } from '../errors'

/** An unread body up to this size is read and dropped, so that the client sees our answer and keeps its connection. */
const droppedBodyBytes = 1024 * 1024

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Throws RequestRefused EA109 (415): a compressed body could be a thousand times larger than what we count. */
export function refuseEncodedBody({ headers }: IncomingMessage): void {
  const encoding = headers['content-encoding']?.trim().toLowerCase()
  if (!encoding || encoding === 'identity') return
  throw new RequestRefused(
    415,
    'EA109',
    `The Content-Encoding '${encoding.slice(0, 40)}' is not taken: send plain bytes`,
  )
}

/** Throws RequestRefused EA104 (413) where the body says that it is too large, before any of it is sent. */
export function refuseLargeBody({ headers }: IncomingMessage, maxBytes: number): void {
  if (Number(headers['content-length'] ?? 0) <= maxBytes) return
  throw new RequestRefused(413, 'EA104', `The message has ${headers['content-length']} bytes; the limit is ${maxBytes}`)
}

/** Tells a client that waits before it sends its body (Expect: 100-continue) to go ahead. */
export function askForBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.expect !== undefined) response.writeContinue()
}

/** Reads the body, once it is asked for. Throws RequestRefused EA109 when the client breaks off. */
export async function* bodyBytes(request: IncomingMessage, response: ServerResponse): AsyncGenerator<Uint8Array> {
  askForBody(request, response)
  let count = 0
  try {
    // Left early, the connection must stay: our answer goes out on it.
    for await (const piece of request.iterator({ destroyOnReturn: false })) {
      count += piece.length
      yield piece
    }
  } catch (error) {
    // A connection of the client's: not to be taken for one of ours to the database.
    throw new RequestRefused(400, 'EA109', `The upload broke off after ${count} bytes: ${textOf(error)}`)
  }
}

/** Whether what is left of the body may be read and dropped; otherwise the connection ends with the answer. */
export function canDropBody(request: IncomingMessage): boolean {
  if (request.complete || !hasBody(request)) return true
  return !request.readableDidRead && Number(request.headers['content-length'] ?? Infinity) <= droppedBodyBytes
}

/** The Content-Type as the client wrote it: in `headers` it may have been replaced for the sake of the body's parser. */
export function mediaTypeOf({ rawHeaders }: IncomingMessage): string | undefined {
  const at = rawHeaders.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === 'content-type')
  return at < 0 ? undefined : rawHeaders[at + 1]
}
