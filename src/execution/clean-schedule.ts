import { textOf } from '../errors'
import type { Config } from '../platform/config'
import type { Database } from '../platform/database'
import type { Lifecycle } from '../platform/lifecycle'
import { observe } from '../platform/observe'
import { clean, type Retention, retentionPlan } from './clean'
import type { Context } from './context'

/** Late enough that a process which is started again and again has better things to do. */
const firstMs = 60_000
const everyMs = 3_600_000
/** A run that has more to do goes on an hour later: nobody waits for it. */
const longestMs = 600_000
/** Every so many runs orphans are looked for too: it means to go through all payloads. */
const orphanRuns = 24

/** What the clean-up is told by the settings. */
export type CleanSettings = Retention & Pick<Config, 'cleanHours'>

/**
 * Cleans up once an hour, within the hours of the day that are meant for it, in one process at a time; until the lifecycle
 * ends it, after the batch at hand.
 */
export function startCleaning(
  context: Context,
  settings: CleanSettings,
  lifecycle: Lifecycle,
  pace: { readonly firstMs: number; readonly everyMs: number } = { firstMs, everyMs },
): void {
  let isStopping = false
  let runs = 0
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout
  const run = async () => {
    const now = new Date()
    const until = now.getTime() + longestMs
    const { orphansBefore, ...plan } = retentionPlan(settings, now)
    if (!isWithin(settings.cleanHours, now)) return
    const withOrphans = runs++ % orphanRuns === 0
    await alone(context.db, () =>
      clean(context, withOrphans ? { ...plan, orphansBefore } : plan, () => !isStopping && Date.now() < until),
    )
  }
  const runAndWait = () => {
    running = run()
      .catch((error) => observe({ at: 'step.retried', step: 'clean', id: '', reason: textOf(error) }))
      .finally(() => {
        if (!isStopping) timer = setTimeout(runAndWait, pace.everyMs)
      })
  }
  timer = setTimeout(runAndWait, pace.firstMs)
  lifecycle.onShutdown('clean-up', async () => {
    isStopping = true
    clearTimeout(timer)
    await running
  })
}

/** Whether a moment is in these hours of UTC, such as 22-6: the first included, the last not. */
export function isWithin(hours: string, at: Date): boolean {
  const [from = 0, to = 24] = hours.split('-').map(Number)
  const hour = at.getUTCHours()
  return from < to ? hour >= from && hour < to : hour >= from || hour < to
}

/** 'clean-up' on a telephone keypad. */
const cleaningLock = 25_326_087
/** How long a process that was stopped keeps the others from cleaning up. */
const turnSeconds = 60

/**
 * Runs the work unless another process is at it. A transaction of its own holds the turn, and is kept awake as long as
 * this process runs. A lost turn does no harm: two may clean up side by side.
 */
async function alone(db: Database, work: () => Promise<unknown>): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.query(`SET LOCAL idle_in_transaction_session_timeout = '${turnSeconds}s'`)
    const [turn] = await tx.query<{ isOurs: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS "isOurs"', [
      cleaningLock,
    ])
    if (!turn?.isOurs) return
    const awake = () => void tx.query('SELECT').catch(() => undefined)
    const timer = setInterval(awake, (turnSeconds * 1000) / 3)
    try {
      await work()
    } finally {
      clearInterval(timer)
    }
  })
}
