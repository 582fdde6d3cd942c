import { observe } from './observe'

/** Tells once that a queue backend is away and once that it is back, however often it is tried in between. */
export interface Outage {
  failed(reason: string): void
  worked(): void
}

/** A success so soon after a failure may be that of work which began before it, on a connection that breaks next. */
const calmMs = 250

/** Watches one backend for outages, which are observed as `queue.away` and `queue.back`. */
export function watchOutage(backend: string): Outage {
  let since: number | undefined
  let calm: NodeJS.Timeout | undefined
  return {
    failed(reason) {
      clearTimeout(calm)
      calm = undefined
      if (since !== undefined) return
      since = Date.now()
      observe({ at: 'queue.away', backend, reason })
    },
    worked() {
      if (since === undefined || calm !== undefined) return
      const awayMs = Date.now() - since
      calm = setTimeout(() => {
        calm = undefined
        since = undefined
        observe({ at: 'queue.back', backend, awayMs })
      }, calmMs)
      calm.unref()
    },
  }
}

/**
 * Gives the answer, or throws Error when there is none in time. The work itself goes on: what it still does must be
 * harmless, and its late error is dropped.
 */
export async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer after ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    work.catch(() => undefined)
  }
}
