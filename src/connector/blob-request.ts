import type { IncomingHttpHeaders } from 'node:http'
import type { HttpRequest } from '../platform/http-route'
import { BlobRefused } from './blob-error'
import type { BlobSignature } from './blob-url'

/** A request for a file by its link; `*` is the file's name. */
export type BlobRequest = HttpRequest<
  { blobId: string; '*': string },
  BlobSignature & { comp?: string; blockid?: string }
>

/** The text of a header; undefined where it is not given or empty. */
export function textHeader(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

export function unknownComp(comp: string | undefined): BlobRefused {
  return new BlobRefused('UnsupportedQueryParameter', `There is no operation comp=${comp?.slice(0, 40)} here`)
}
