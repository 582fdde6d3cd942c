import { createHash } from 'node:crypto'
import type { Context } from '../execution/context'
import { BlobRefused } from './blob-error'

/** Bytes that are kept durably, and what is known of them. */
export interface KeptBytes {
  readonly bytes: number
  readonly sha256: Buffer
  readonly md5: Buffer
  /** Null where there are none: the payload store keeps no emptiness. */
  readonly payloadLocation: string | null
}

/**
 * Reads bytes to their end and keeps them.
 * Input   `md5`: what they must have.
 * Throws  BlobRefused RequestBodyTooLarge, Md5Mismatch; what reading them throws; Unavailable ES102, ES105. Nothing is left
 *         behind then.
 */
export async function keepBytes(
  { payloads }: Pick<Context, 'payloads'>,
  source: AsyncIterable<Uint8Array>,
  { maxBytes, md5 }: { readonly maxBytes: number; readonly md5?: Buffer | undefined },
): Promise<KeptBytes> {
  const sha256Hash = createHash('sha256')
  const md5Hash = createHash('md5')
  let bytes = 0
  let measured: Omit<KeptBytes, 'payloadLocation'> | undefined
  const pieces = (async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      bytes += piece.length
      if (bytes > maxBytes) throw new BlobRefused('RequestBodyTooLarge', `There are more than ${maxBytes} bytes`)
      sha256Hash.update(piece)
      md5Hash.update(piece)
      if (piece.length > 0) yield piece
    }
    measured = { bytes, sha256: sha256Hash.digest(), md5: md5Hash.digest() }
    if (md5 && !md5.equals(measured.md5)) {
      throw new BlobRefused('Md5Mismatch', `The bytes have the MD5 ${measured.md5.toString('base64')}`)
    }
  })()
  const first = await pieces.next()
  const payloadLocation = first.done ? null : await payloads.keep(withFirst(first.value, pieces))
  return { ...measured!, payloadLocation } // whoever keeps bytes has read them to their end
}

async function* withFirst(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first
  yield* rest
}
