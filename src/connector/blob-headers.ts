import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { blobProtocolVersion } from './blob-url'

/** What stands in every answer of the protocol. */
export function commonHeaders(request: IncomingHttpHeaders): Record<string, string> {
  const ofClient = request['x-ms-client-request-id']
  return {
    'x-ms-request-id': randomUUID(),
    'x-ms-version': blobProtocolVersion,
    ...(typeof ofClient === 'string' && /^[!-~]{1,1024}$/.test(ofClient) ? { 'x-ms-client-request-id': ofClient } : {}),
  }
}
