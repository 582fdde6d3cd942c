import type { EntityRegistry } from '../entity'
import type { PayloadStore } from '../payload/payload-store'
import type { Database } from '../platform/database'

/** What every step works with: opened once a process, handed down. */
export interface Context {
  readonly db: Database
  readonly registry: EntityRegistry
  readonly payloads: PayloadStore
  readonly limits: WorkLimits
}

/** Bounds of the work; `platform/config.ts` has their meaning. */
export interface WorkLimits {
  readonly maxMessageBytes: number
  readonly maxRecordBytes: number
  readonly leaseSeconds: number
  readonly maxAttempts: number
  /** Connections that one execution may promote with. */
  readonly promoteConnections: number
  readonly chunkRecords: number
  readonly ownTableBytes: number
  readonly partRecords: number
}
