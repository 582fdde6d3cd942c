import type { IncomingMessage } from 'node:http'
import { RequestRefused } from '../errors'

/** The names that a browser on this machine can have reached us by. */
const loopbackHost = /^(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d+)?$/i
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses what another web site makes a browser on this machine send: there is no access control that it would lack.
 * A foreign Host is a foreign name that was pointed at this machine (DNS rebinding); a foreign Origin is a form or a script
 * of another site. Programs send neither.
 * Throws  RequestRefused EA114 (403).
 */
export function refuseForeignSites({ headers, method = 'GET' }: IncomingMessage, publicUrl: string | undefined): void {
  const { host = '', origin } = headers
  const publicHost = publicUrl === undefined ? undefined : new URL(publicUrl).host
  const isOurs = (name: string) => loopbackHost.test(name) || name.toLowerCase() === publicHost
  if (host !== '' && !isOurs(host)) throw refused(`The Host '${host.slice(0, 100)}' is not ours`)
  if (safeMethods.has(method)) return
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw refused('The request comes from another site')
  if (origin === undefined) return
  const originHost = URL.canParse(origin) ? new URL(origin).host : ''
  if (originHost !== host && originHost !== publicHost)
    throw refused(`The Origin '${origin.slice(0, 100)}' is not ours`)
}

function refused(message: string): RequestRefused {
  return new RequestRefused(403, 'EA114', message)
}
