import { Conflict, EntrepotError, errorBody, RequestRefused, Unavailable } from '../errors'
import type { ErrorFormat, ShownError } from './http-route'

/** An error as it is answered. */
export interface ErrorAnswer extends ShownError {
  /** Whether it is our mistake, which is logged and not shown. */
  readonly isOurs: boolean
}

/** How errors are written where a route has no format of its own. */
export const jsonErrors: ErrorFormat = {
  mediaType: 'application/json; charset=utf-8',
  write: ({ error, headers }) => ({ headers, body: errorBody(error) }),
}

/** Whole seconds: clients of Dynamics 365 cannot read a date there. */
const retryAfterSeconds = 5

/** The answer to whatever a handler threw, or the server itself found wrong with a request. */
export function answerError(error: unknown): ErrorAnswer {
  if (error instanceof RequestRefused) return answer(error.status, error)
  if (error instanceof Unavailable) {
    return answer(503, error, { headers: { 'retry-after': String(retryAfterSeconds) } })
  }
  if (error instanceof Conflict) return answer(409, new EntrepotError('EA110', error.message))
  if (error instanceof EntrepotError) return answer(500, error, { isOurs: true })
  const refusal = refusalOfServer(error)
  if (refusal) return answer(refusal.status, new RequestRefused(refusal.status, 'EA109', refusal.message))
  const shown = new EntrepotError('ES901', 'Entrepot made a mistake while it answered; the log has the details')
  return answer(500, shown, { isOurs: true })
}

function answer(
  status: number,
  error: EntrepotError,
  { headers = {}, isOurs = false }: { headers?: Record<string, string>; isOurs?: boolean } = {},
): ErrorAnswer {
  return { status, headers, error, isOurs }
}

/** What fastify throws for requests that it refuses has a status of 4xx and a message for the client. */
function refusalOfServer(error: unknown): { status: number; message: string } | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined
  const { statusCode: status, message } = error
  return typeof status === 'number' && status >= 400 && status < 500 ? { status, message } : undefined
}

/** The raw answer to bytes that are no HTTP request: there is no request to answer to yet. */
export function rawRefusal(code: string | undefined): string {
  const [status, phrase, message] =
    code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large', 'The header fields are too large']
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout', 'The request did not come in time']
        : [400, 'Bad Request', 'The bytes are no HTTP request']
  const body = JSON.stringify(errorBody(new RequestRefused(Number(status), 'EA109', String(message))))
  const headers = `content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}`
  return `HTTP/1.1 ${status} ${phrase}\r\n${headers}\r\nconnection: close\r\n\r\n${body}`
}
