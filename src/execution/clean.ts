import type { Config } from '../platform/config'
import { type CleanCounts, observe } from '../platform/observe'
import { cleanHistory, countHistory } from './clean-history'
import { cleanOrphans, countOrphans } from './clean-orphans'
import { cleanPayloads, countPayloads } from './clean-payloads'
import { type CleanScope, type MayGoOn, type OldMessages, seqAfter } from './clean-scope'
import { cleanStaging, countStaging } from './clean-staging'
import type { Context } from './context'

/** What may be removed: of each kind what is older than a moment; what has none is kept. */
export interface CleanPlan {
  /** Bytes of messages that ended before. */
  readonly payloadsBefore?: Date | undefined
  /** Staged records of messages that ended before. */
  readonly stagingBefore?: Date | undefined
  /** Messages that ended before, with all that is left of them. */
  readonly historyBefore?: Date | undefined
  /** Payloads that nothing refers to, written before. */
  readonly orphansBefore?: Date | undefined
  /** Narrows all but orphans down. */
  readonly scope?: CleanScope | undefined
}

/** A kind of thing that gets old, in a file beside this one. */
interface Kind {
  /** Before which moment it is old. */
  before(plan: CleanPlan): Date | undefined
  /** Removes it in batches, and says what it removed. */
  remove(context: Context, old: OldMessages, mayGoOn: MayGoOn): Promise<Partial<CleanCounts>>
  /** Says what it would remove. */
  count(context: Context, old: OldMessages): Promise<Partial<CleanCounts>>
}

/**
 * In this order: a message leaves the history when its bytes and its staged records are gone. So these go with it, though
 * they would be kept longer by themselves.
 */
const kinds: readonly Kind[] = [
  { before: (plan) => later(plan.payloadsBefore, plan.historyBefore), remove: cleanPayloads, count: countPayloads },
  { before: (plan) => later(plan.stagingBefore, plan.historyBefore), remove: cleanStaging, count: countStaging },
  { before: (plan) => plan.historyBefore, remove: cleanHistory, count: countHistory },
  { before: (plan) => plan.orphansBefore, remove: cleanOrphans, count: countOrphans },
]

const nothing: CleanCounts = {
  payloads: 0,
  payloadBytes: 0,
  stagedRecords: 0,
  messages: 0,
  orphans: 0,
  orphanBytes: 0,
}

/**
 * Removes what is old, oldest first, in batches that commit each for themselves: it may be stopped or killed at any
 * moment, may run beside all other work and beside itself. What is under way, what waits to be promoted, and
 * what holds up an ordered activity, stays whatever its age: to let go of a staged execution, cancel it.
 * Returns  what it removed.
 */
export async function clean(context: Context, plan: CleanPlan, mayGoOn: MayGoOn = () => true): Promise<CleanCounts> {
  const startedAt = performance.now()
  const counts = await ofEach(context, plan, ({ remove }, old) => remove(context, old, mayGoOn))
  observe({ at: 'clean.finished', ...counts, ms: Math.round(performance.now() - startedAt) })
  return counts
}

/** What `clean` would remove; it looks only. */
export function countCleanable(context: Context, plan: CleanPlan): Promise<CleanCounts> {
  return ofEach(context, plan, ({ count }, old) => count(context, old))
}

async function ofEach(
  { db }: Context,
  plan: CleanPlan,
  work: (kind: Kind, old: OldMessages) => Promise<Partial<CleanCounts>>,
): Promise<CleanCounts> {
  let counts = nothing
  for (const kind of kinds) {
    const before = kind.before(plan)
    if (before === undefined) continue
    const old = { before, seqBefore: await seqAfter(db, before), scope: plan.scope ?? {} }
    counts = { ...counts, ...(await work(kind, old)) }
  }
  return counts
}

/** How long things are kept, in days after their message has ended; 0: for good. */
export type Retention = Pick<Config, 'payloadRetentionDays' | 'stagingRetentionDays' | 'historyRetentionDays'>

const dayMs = 86_400_000

/** A payload that is to be a message's is written at once; a day is more than any sender takes from there to the message. */
const orphanDays = 1

/** A moment that many days before another. */
export function daysBefore(now: Date, days: number): Date {
  return new Date(now.getTime() - days * dayMs)
}

/** What the settings say is to be removed now. */
export function retentionPlan(retention: Retention, now: Date): CleanPlan {
  const before = (days: number) => (days === 0 ? undefined : daysBefore(now, days))
  return {
    payloadsBefore: before(retention.payloadRetentionDays),
    stagingBefore: before(retention.stagingRetentionDays),
    historyBefore: before(retention.historyRetentionDays),
    orphansBefore: daysBefore(now, orphanDays),
  }
}

function later(one: Date | undefined, other: Date | undefined): Date | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one > other ? one : other
}
