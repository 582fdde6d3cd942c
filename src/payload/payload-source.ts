import type { PayloadStore } from './payload-store'

/** Where the bytes of a message are: with it, or at a location of the payload store. */
export interface KeptPayload {
  readonly bytes: number
  readonly payload: Buffer | null
  readonly payloadLocation: string | null
}

/** The bytes of a message, of which any range can be read. */
export interface PayloadSource {
  readonly bytes: number
  open(from: number, to: number): AsyncIterable<Uint8Array>
}

/** Opens the bytes of a message, wherever they are. Reading throws MessageRejected ES105 when they are gone. */
export function payloadSource(payloads: PayloadStore, { bytes, payload, payloadLocation }: KeptPayload): PayloadSource {
  if (payload === null) return { bytes, open: (from, to) => payloads.open(payloadLocation!, { from, to }) }
  return {
    bytes,
    async *open(from, to) {
      if (from < to) yield payload.subarray(from, to)
    },
  }
}
