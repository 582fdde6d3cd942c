import type { IncomingMessage } from 'node:http'

/** How slowly a body may come. */
export interface Pace {
  readonly windowMs: number
  /** Bytes that must come in each window. */
  readonly leastBytes: number
}

/** 1 KB/s over 30 s: a large honest file may take hours, a connection that only holds us up may not. */
export const defaultPace: Pace = { windowMs: 30_000, leastBytes: 30 * 1024 }

/** Cuts off clients that send a body slower than the pace; it says nothing about how long the whole may take. */
export interface PaceKeeper {
  /** Watches the body of a request until it is whole. */
  watch(request: IncomingMessage): void
  close(): void
}

/** Starts one clock for all requests. */
export function keepPace({ windowMs, leastBytes }: Pace): PaceKeeper {
  /** Bytes that had come on the connection at the last look. */
  const watched = new Map<IncomingMessage, number>()
  const look = () => {
    for (const [request, before] of watched) {
      const { bytesRead } = request.socket
      // Bytes that wait for us to read them are our slowness, not the client's.
      const isSlow = bytesRead - before < leastBytes && request.readableLength === 0
      if (request.complete || request.destroyed) watched.delete(request)
      else if (isSlow) request.destroy(new Error('The body came too slowly'))
      else watched.set(request, bytesRead)
    }
  }
  const clock = setInterval(look, windowMs)
  clock.unref()
  return {
    watch(request) {
      // The first window is a grace: it may be over in a moment.
      watched.set(request, Number.NEGATIVE_INFINITY)
      request.once('close', () => watched.delete(request))
    },
    close: () => clearInterval(clock),
  }
}
