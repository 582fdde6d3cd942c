import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks for a fact until it holds, and gives it.
 * Throws  Error naming what was waited for, with the last error of the question if there was one.
 */
export async function waitFor<T>(
  fact: () => Promise<T | undefined | false> | T | undefined | false,
  { timeoutMs = 10_000, what }: { timeoutMs?: number; what: string },
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  let cause: unknown
  do {
    try {
      const found = await fact()
      if (found !== undefined && found !== false) return found
    } catch (error) {
      cause = error
    }
    await sleep(20)
  } while (Date.now() < deadline)
  throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`, { cause })
}
