import { type ErrorCode, RequestRefused } from '../errors'
import type { ErrorFormat } from '../platform/http-route'
import { commonHeaders } from './blob-headers'

/**
 * The refusals that Azure's clients know by name, with their status and our code.
 * Source  Azure Storage REST API, "Common REST API error codes" and "Blob Storage error codes".
 */
const refusals = {
  AuthenticationFailed: [403, 'EA121'],
  AuthorizationPermissionMismatch: [403, 'EA121'],
  BlobNotFound: [404, 'EA108'],
  BlobAlreadyExists: [409, 'EA122'],
  BlockCountExceedsLimit: [409, 'EA104'],
  ConditionNotMet: [412, 'EA122'],
  InvalidBlobOrBlock: [400, 'EA109'],
  InvalidHeaderValue: [400, 'EA109'],
  InvalidBlockList: [400, 'EA109'],
  InvalidMd5: [400, 'EA109'],
  InvalidRange: [416, 'EA109'],
  InvalidXmlDocument: [400, 'EA109'],
  Md5Mismatch: [400, 'EA109'],
  RequestBodyTooLarge: [413, 'EA104'],
  UnsupportedHeader: [400, 'EA109'],
  UnsupportedQueryParameter: [400, 'EA109'],
} as const satisfies Record<string, readonly [number, ErrorCode]>

/** Azure's names for what anyone else refuses, by its status. */
const namesOfStatus: Readonly<Record<number, string>> = {
  400: 'InvalidInput',
  403: 'AuthorizationFailure',
  404: 'ResourceNotFound',
  413: 'RequestBodyTooLarge',
  415: 'UnsupportedHeader',
  503: 'ServerBusy',
}

/** A request that Azure would refuse too, under Azure's name for the reason. */
export class BlobRefused extends RequestRefused {
  constructor(
    readonly reason: keyof typeof refusals,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    const [status, code] = refusals[reason]
    super(status, code, message)
  }
}

/** Errors as Azure Storage writes them: XML for people, the header `x-ms-error-code` for programs. */
export const blobErrors: ErrorFormat = {
  mediaType: 'application/xml',
  write({ status, headers, error }, request) {
    const isKnown = error instanceof BlobRefused
    const name = isKnown ? error.reason : (namesOfStatus[status] ?? 'InternalError')
    const message = escaped(`${error.code}: ${error.message}`)
    return {
      headers: { ...headers, ...(isKnown ? error.headers : {}), ...commonHeaders(request), 'x-ms-error-code': name },
      body: `<?xml version="1.0" encoding="utf-8"?><Error><Code>${name}</Code><Message>${message}</Message></Error>`,
    }
  },
}

/** A text between tags; characters that XML cannot hold become question marks. */
function escaped(text: string): string {
  return text.replace(notXml, '?').replace(/[<>&]/g, (sign) => references[sign]!)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what XML cannot hold
const notXml = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]/gu
const references: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;' }
