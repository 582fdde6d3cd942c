import type { IncomingHttpHeaders } from 'node:http'
import { BlobRefused } from './blob-error'

/** What conditions are about; undefined where there is no such file. */
export interface BlobVersion {
  /** Without its quotes. */
  readonly etag: string
  readonly modifiedAt: Date
}

/** The state of the file that a request demands. */
export interface BlobConditions {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
  readonly ifModifiedSince?: string | undefined
  readonly ifUnmodifiedSince?: string | undefined
}

export function conditionsOf(headers: IncomingHttpHeaders): BlobConditions {
  return {
    ifMatch: headers['if-match'],
    ifNoneMatch: headers['if-none-match'],
    ifModifiedSince: headers['if-modified-since'],
    ifUnmodifiedSince: headers['if-unmodified-since'],
  }
}

/**
 * Throws  BlobRefused BlobAlreadyExists where a file must not exist and does, ConditionNotMet otherwise.
 * Source  Azure Storage REST API, "Specifying conditional headers for Blob service operations"; RFC 9110, section 13.
 */
export function demandForWrite(version: BlobVersion | undefined, conditions: BlobConditions): void {
  if (version && conditions.ifNoneMatch?.trim() === '*') {
    throw new BlobRefused('BlobAlreadyExists', 'The file exists already')
  }
  demandUnchanged(version, conditions)
  if (version && isUnchangedFor(version, conditions)) throw notMet('The file is still the same')
}

/** Whether a reader has the file already (304). Throws BlobRefused ConditionNotMet when it is not the demanded one. */
export function demandForRead(version: BlobVersion, conditions: BlobConditions): { isUnchanged: boolean } {
  demandUnchanged(version, conditions)
  return { isUnchanged: isUnchangedFor(version, conditions) }
}

function demandUnchanged(version: BlobVersion | undefined, { ifMatch, ifUnmodifiedSince }: BlobConditions): void {
  if (ifMatch !== undefined) {
    if (!version || !names(ifMatch, version)) throw notMet(`The file is not the one with the ETag ${ifMatch}`)
  } else if (ifUnmodifiedSince !== undefined && version && isAfter(version, ifUnmodifiedSince)) {
    throw notMet(`The file was changed after ${ifUnmodifiedSince}`)
  }
}

function isUnchangedFor(version: BlobVersion, { ifNoneMatch, ifModifiedSince }: BlobConditions): boolean {
  if (ifNoneMatch !== undefined) return names(ifNoneMatch, version)
  return ifModifiedSince !== undefined && !isAfter(version, ifModifiedSince)
}

/** Whether a list of ETags, or `*`, names the version. Some clients leave out the quotes. */
function names(list: string, { etag }: BlobVersion): boolean {
  return list
    .split(',')
    .map((part) =>
      part
        .trim()
        .replace(/^W\//, '')
        .replace(/^"(.*)"$/, '$1'),
    )
    .some((name) => name === '*' || name === etag)
}

/** HTTP's dates have seconds only. A date that is none demands nothing. */
function isAfter({ modifiedAt }: BlobVersion, date: string): boolean {
  return Math.floor(modifiedAt.getTime() / 1_000) * 1_000 > Date.parse(date)
}

function notMet(message: string): BlobRefused {
  return new BlobRefused('ConditionNotMet', message)
}
