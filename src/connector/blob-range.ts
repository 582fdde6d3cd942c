import { BlobRefused } from './blob-error'

/** Bytes from `from` on, up to but not including `to`. */
export interface BlobRange {
  readonly from: number
  readonly to: number
}

/**
 * The part of a file that a Range or x-ms-range header asks for; undefined for all of it, also where the header is of a
 * form that a server may pass over (another unit, several ranges).
 * Throws  BlobRefused InvalidRange when the file has no such bytes.
 * Source  RFC 9110, section 14; Azure Storage REST API, "Specifying the range header for Blob service operations".
 */
export function rangeOf(header: string | undefined, bytes: number): BlobRange | undefined {
  const [, first = '', last = ''] = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? '') ?? []
  if (first === '' && last === '') return undefined
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  const from = first === '' ? Math.max(0, bytes - Number(last)) : Number(first)
  const to = first === '' || last === '' ? bytes : Math.min(bytes, Number(last) + 1)
  if (from < to) return { from, to }
  throw new BlobRefused('InvalidRange', `The file has ${bytes} bytes, and none of '${header?.trim()}'`, {
    'content-range': `bytes */${bytes}`,
  })
}
