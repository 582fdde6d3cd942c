import { rmSync } from 'node:fs'
import type { TestServer } from './global-setup'

/** Stops the run's Postgres and removes its data. */
export default async function globalTeardown(): Promise<void> {
  // Put there by global-setup.ts; absent when that failed.
  const handed = (globalThis as { entrepotTestServer?: TestServer }).entrepotTestServer
  if (!handed) return
  await handed.server.stop()
  rmSync(handed.home, { recursive: true, force: true })
}
