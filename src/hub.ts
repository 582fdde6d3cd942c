import { composites, entities } from '../entities'
import { entityRegistry } from './entity'
import type { Context } from './execution/context'
import { migrateIfNeeded } from './migrate'
import { fileStore } from './payload/file-store'
import type { PayloadStore } from './payload/payload-store'
import { postgresStore } from './payload/postgres-store'
import type { Config } from './platform/config'
import { type Database, openDatabase } from './platform/database'
import { startEmbeddedPostgres } from './platform/embedded'
import type { Lifecycle } from './platform/lifecycle'
import { observe } from './platform/observe'
import type { Queues } from './platform/queues'

/** An opened hub: its database is there and migrated, and everything in it is closed by the lifecycle. */
export interface Hub extends Context {
  readonly config: Config
  /** Opens the queues; a command that does all of its work itself needs none. */
  openQueues(role: 'producer' | 'worker'): Promise<Queues>
}

/** The entities that this hub knows, and the composites of them. */
export const registry = entityRegistry(entities, composites)

/**
 * Opens the hub: starts the embedded Postgres where no database is configured, and brings the database up to date.
 * Throws  SetupFault when it cannot be opened as it is configured; Unavailable ES102 when the database is away.
 */
export async function openHub(config: Config, lifecycle: Lifecycle, role: string): Promise<Hub> {
  const databaseUrl = config.databaseUrl ?? (await startEmbedded(config, lifecycle))
  const db = openDatabase({ url: databaseUrl, poolSize: config.databasePool, applicationName: `entrepot ${role}` })
  lifecycle.onShutdown('database', () => db.close())
  await migrateIfNeeded(db, registry.all)
  return {
    config,
    db,
    registry,
    payloads: payloadStore(config, db),
    limits: config,
    async openQueues(queueRole) {
      const { redisUrl, queuePrefix: prefix, allowRedisEviction: allowEviction } = config
      // Loaded only here: a command that needs no queues starts in half the time.
      const { migrateQueues, openQueues } = await import('./platform/queues')
      if (redisUrl === undefined) await migrateQueues({ databaseUrl })
      const queues = await openQueues({ redisUrl, prefix, databaseUrl, allowEviction, role: queueRole })
      lifecycle.onShutdown('queues', () => queues.close())
      return queues
    },
  }
}

async function startEmbedded({ home }: Config, lifecycle: Lifecycle): Promise<string> {
  const embedded = await startEmbeddedPostgres({ home, log: (text) => observe({ at: 'embedded.notice', text }) })
  lifecycle.onShutdown('embedded Postgres', () => embedded.stop())
  return embedded.url
}

function payloadStore({ payloadStore: place }: Config, db: Database): PayloadStore {
  return place.kind === 'file' ? fileStore(place.folder) : postgresStore(db)
}
