import { setTimeout as sleep } from 'node:timers/promises'
import { observe } from './observe'

/** How things that were opened are closed again, last opened first. */
export interface Lifecycle {
  /** Says how to close something that was just opened. */
  onShutdown(name: string, close: () => Promise<void> | void): void
  /**
   * Closes everything in reverse order; what fails or hangs does not keep the rest open. May be called again: it gives
   * the same promise. Resolves to whether all was closed in the time given.
   */
  shutdown(reason: string): Promise<boolean>
}

/** A container gets 10 s between SIGTERM and SIGKILL by default in Docker, 30 s in Kubernetes; longer graces are set there. */
const defaultGraceMs = 25_000

/** Starts an empty list of things to close. */
export function openLifecycle(graceMs = defaultGraceMs): Lifecycle {
  const releasers: { name: string; close: () => Promise<void> | void }[] = []
  let stopping: Promise<boolean> | undefined
  return {
    onShutdown: (name, close) => void releasers.push({ name, close }),
    shutdown(reason) {
      stopping ??= releaseAll(releasers, reason, graceMs)
      return stopping
    },
  }
}

async function releaseAll(
  releasers: { name: string; close: () => Promise<void> | void }[],
  reason: string,
  graceMs: number,
): Promise<boolean> {
  const started = Date.now()
  const cancel = new AbortController()
  let closing = ''
  observe({ at: 'hub.stopping', reason })
  const closeAll = async () => {
    let whole = true
    for (let next = releasers.pop(); next; next = releasers.pop()) {
      closing = next.name
      try {
        await next.close()
      } catch (error) {
        whole = false
        observe({ at: 'hub.release-failed', name: next.name, error })
      }
    }
    return whole
  }
  const outOfGrace = sleep(graceMs, 'late' as const, { signal: cancel.signal }).catch(() => 'late' as const)
  const end = await Promise.race([closeAll(), outOfGrace])
  cancel.abort()
  if (end === 'late') {
    const error = new Error(`no end after ${graceMs / 1_000} s`)
    observe({ at: 'hub.release-failed', name: closing, error })
  }
  observe({ at: 'hub.stopped', ms: Date.now() - started })
  return end === true
}

/**
 * Ends the process in order at the first SIGTERM or SIGINT: exit code 0 when all was closed, else 1. A second signal ends
 * it at once with 1: everything must be able to bear that, as it must bear a `kill -9`.
 * Returns  the function that stops listening.
 */
export function endOnSignals(lifecycle: Lifecycle): () => void {
  let asked = false
  const onSignal = (signal: NodeJS.Signals) => {
    if (asked) process.exit(1)
    asked = true
    void lifecycle.shutdown(signal).then((whole) => process.exit(whole ? 0 : 1))
  }
  const signals = ['SIGTERM', 'SIGINT'] as const
  for (const signal of signals) process.on(signal, onSignal)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
  }
}
