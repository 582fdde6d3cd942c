import type { ErrorCode } from '../errors'

/**
 * All there is to know about what the hub does, in one closed list. Code says what happened; the log and the metrics
 * decide what to make of it. Ids and counts only: the values of records stay in their tables.
 */
export type Observation =
  | { at: 'hub.started'; role: string; url?: string }
  | { at: 'hub.stopping'; reason: string }
  | { at: 'hub.stopped'; ms: number }
  | { at: 'hub.release-failed'; name: string; error: unknown }
  | { at: 'message.received'; messageId: string; bytes: number; origin: string; entity: string }
  | { at: 'message.rejected'; messageId: string; executionId: string; code: ErrorCode; line?: number }
  | { at: 'message.finished'; messageId: string; executionId: string; state: string }
  | { at: 'stage.finished'; executionId: string; entity: string; records: number; errors: number; ms: number }
  | ({ at: 'promote.finished'; executionId: string; entity: string; ms: number } & PromotionCounts)
  | { at: 'step.retried'; step: string; id: string; reason: string; code?: ErrorCode }
  | { at: 'step.conflict'; step: string; id: string }
  | { at: 'step.failed'; step: string; id: string; error: unknown }
  | { at: 'bell.dropped'; queue: string; bells: number; reason: string }
  | { at: 'queue.away'; backend: string; reason: string }
  | { at: 'queue.back'; backend: string; awayMs: number }
  | { at: 'queue.warning'; backend: string; reason: string }
  | { at: 'worker.restarted'; queue: string }
  | { at: 'sweep.rang'; bells: number }
  | ({ at: 'clean.finished'; ms: number } & CleanCounts)
  | { at: 'embedded.notice'; text: string }

/** What a promotion did with the records of one entity; they add up to the records that were staged. */
export interface PromotionCounts {
  readonly inserted: number
  readonly updated: number
  readonly unchanged: number
  readonly superseded: number
  readonly errors: number
}

/** What a clean-up removed. */
export interface CleanCounts {
  /** Messages whose bytes went, with how many bytes. */
  readonly payloads: number
  readonly payloadBytes: number
  readonly stagedRecords: number
  /** Messages that left the history. */
  readonly messages: number
  /** Payloads that nothing referred to, with how many bytes. */
  readonly orphans: number
  readonly orphanBytes: number
}

export type Observer = (event: Observation) => void

const observers = new Set<Observer>()

/** Says what happened, to all who listen. Never throws: an observer's fault is not the fault of what is observed. */
export function observe(event: Observation): void {
  for (const observer of observers) {
    try {
      observer(event)
    } catch {
      // There is nobody left to tell.
    }
  }
}

/** Listens to all that happens in this process from now on; returns the function that stops it. */
export function onObservation(observer: Observer): () => void {
  observers.add(observer)
  return () => observers.delete(observer)
}
