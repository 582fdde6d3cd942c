import type { QueueSettings } from '../../src/platform/queues'
import { createTestDatabase } from './postgres'
import { hasRedis, testRedis } from './redis'

/** A place for queues, of this test's own. */
export interface QueuePlace extends Pick<QueueSettings, 'redisUrl' | 'prefix' | 'databaseUrl'> {
  /** Removes it. */
  stop(): Promise<void>
}

/** Every backend that queues can be on, for `describe.each`; without Redis on this machine it is left out, loudly. */
export const queueBackends: readonly { backend: 'redis' | 'postgres'; start(): Promise<QueuePlace> }[] = [
  { backend: 'postgres', start: onPostgres },
  ...(hasRedis ? [{ backend: 'redis' as const, start: onRedis }] : []),
]

async function onPostgres(): Promise<QueuePlace> {
  const { url, drop } = await createTestDatabase()
  return { prefix: '{unused}', databaseUrl: url, stop: drop }
}

async function onRedis(): Promise<QueuePlace> {
  const place = await onPostgres()
  const redis = await testRedis()
  if (!redis) throw new Error('queueBackends names Redis only where there is one')
  const stop = async () => {
    await redis.stop()
    await place.stop()
  }
  return { ...place, redisUrl: redis.url, prefix: redis.prefix, stop }
}
