import { EntrepotError, textOf, Unavailable } from '../errors'
import { codeOf } from './error-code'

/** Codes of Node for a connection that cannot be made, or that broke. */
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT', // a unix socket that is not there
])

/**
 * SQLSTATE classes of a server that is not fit just now: 08 connection, 53 out of resources, 57 operator intervention
 * (shutdown, starting up, cancelled, timeout), 58 system error.
 * Source  PostgreSQL documentation, appendix A.
 */
const sickClasses = new Set(['08', '53', '57', '58'])

/** Single states of the kind "the same again may succeed": serialization failure, deadlock, lock timeout, idle timeout. */
const passingStates = new Set(['40001', '40P01', '55P03', '25P03'])

/** What pg says without any code when a connection breaks or no connection is free in time. */
const brokenTexts =
  /Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|not queryable|Client was closed/

/** The SQLSTATE of an error that Postgres reported, also when it is wrapped as the cause of another. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const code = error instanceof EntrepotError ? undefined : codeOf(error)
  if (code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !networkCodes.has(code)) return code
  return 'cause' in error ? sqlState(error.cause) : undefined
}

/** Whether an error says that the database cannot be used now, rather than that a statement or its data is wrong. */
export function isSickDatabase(error: unknown): boolean {
  if (error instanceof EntrepotError) return false
  if (allOf(error).some((one) => networkCodes.has(codeOf(one) ?? ''))) return true
  const state = sqlState(error)
  if (state === undefined) return brokenTexts.test(textOf(error))
  return sickClasses.has(state.slice(0, 2)) || passingStates.has(state)
}

/** The error to throw on: Unavailable ES102 for a sick database, all others unchanged. */
export function databaseError(error: unknown): unknown {
  if (!isSickDatabase(error)) return error
  const text = allOf(error).map(textOf).join('; ')
  return new Unavailable('ES102', `The database cannot be used now: ${text}`, {}, { cause: error })
}

/** Node tries all addresses of a host name, and reports their errors as one. */
function allOf(error: unknown): unknown[] {
  const many = typeof error === 'object' && error !== null && 'errors' in error ? error.errors : undefined
  return Array.isArray(many) && many.length > 0 ? many : [error]
}
