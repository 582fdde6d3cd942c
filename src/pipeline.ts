import { setTimeout as pause } from 'node:timers/promises'
import { Conflict, type EntrepotError, textOf, Unavailable } from './errors'
import type { Context } from './execution/context'
import { exhaustedError, failWork, noteFailedTry, observeFinishedMessages } from './execution/finish'
import type { EntityState } from './execution/states'
import {
  claimSmallWork,
  claimWork,
  type DueWork,
  findDueWork,
  findExhaustedWork,
  findSuccessors,
  groupSize,
  isSharedBell,
  releaseWork,
  renewLeases,
  type StepResult,
  type Work,
} from './execution/work'
import { observe } from './platform/observe'
import type { Queues } from './platform/queues'
import { stage } from './staging/stage'
import { promote } from './target/promote'

/** One step of the way: the state it takes, the state it leaves, the function that does it. */
export interface Step {
  /** Also the name of the queue that rings for it. */
  readonly name: 'stage' | 'promote'
  readonly takes: EntityState
  readonly leaves: EntityState
  /** Does the step for claimed work and returns what became due by it. */
  run(context: Context, works: readonly Work[]): Promise<StepResult>
}

/** The way of a record, in order. Queues, workers and the sweeper are read off here. */
export const steps: readonly Step[] = [
  { name: 'stage', takes: 'Staging', leaves: 'Promoting', run: stage },
  { name: 'promote', takes: 'Promoting', leaves: 'Finished', run: promote },
]

/** What rings for due work; a bell may be lost, the sweeper rings again. */
export type Bells = Pick<Queues, 'ringAll'>

/** Bells, and how many of them wait to be answered, where that is known. */
export type SweepBells = Bells & Partial<Pick<Queues, 'depths'>>

/**
 * Rings for work that is due now. Never throws, since the state in the database is what counts.
 * Input   `renamed`: steps whose bells get new names, so that they ring although others of their work are lost somewhere.
 */
export async function ringFor(
  bells: Bells,
  due: readonly DueWork[],
  renamed: ReadonlySet<Step['name']> = new Set(),
): Promise<void> {
  for (const step of steps) {
    const ringing = due.filter(({ state }) => state === step.takes)
    const again = renamed.has(step.name) ? `-${Date.now().toString(36)}` : ''
    const jobs = ringing.map(({ id, epoch }) => ({ id: String(id), jobId: `${step.name}-${id}-e${epoch}${again}` }))
    await bells.ringAll(step.name, jobs)
  }
}

/**
 * Answers one bell: claims the work and does the step; for small work, for all that is due. A bell for work that is not
 * due, is claimed, or does not exist, changes nothing. Never throws.
 * Returns  how many pieces of work it did.
 */
export async function answerBell(context: Context, bells: Bells, step: Step, id: string): Promise<number> {
  return openAnswering(context, bells, step, { groupPauseMs: 0 }).answer(id)
}

/** Answers the bells of one step in this process. */
export interface Answering {
  /** As `answerBell`; a bell for small work that is being done already is answered by whoever does it. */
  answer(id: string): Promise<number>
  /** Ends with the work at hand instead of going on while there is more. */
  stop(): void
}

/**
 * Under load small messages come faster than a group is done: a pause lets the next group grow, because its cost is
 * that of its statements. Beside two steps a fifth of a second is what a sender may notice.
 */
const defaultGroupPauseMs = 150

/** Opens a process's answering of one step's bells. Small work is done by one group after another, each with all that is due. */
export function openAnswering(
  context: Context,
  bells: Bells,
  step: Step,
  { groupPauseMs = defaultGroupPauseMs }: { groupPauseMs?: number } = {},
): Answering {
  const options = { state: step.takes, ...context.limits }
  let isDoingSmall = false
  let rangMeanwhile = false
  let isStopping = false

  async function doSmall(): Promise<number> {
    if (isDoingSmall) {
      rangMeanwhile = true
      return 0
    }
    isDoingSmall = true
    let done = 0
    try {
      do {
        rangMeanwhile = false
        let works = await claimSmallWork(context.db, options)
        while (works.length > 0) {
          await runStep(context, bells, step, works)
          done += works.length
          if (isStopping) return done
          if (works.length < groupSize && groupPauseMs > 0) await pause(groupPauseMs)
          works = await claimSmallWork(context.db, options)
        }
      } while (rangMeanwhile)
    } finally {
      isDoingSmall = false
    }
    return done
  }

  return {
    async answer(id) {
      try {
        if (!/^\d{1,18}$/.test(id)) return 0
        // Small messages share their bells, so a bell whose own work is done already may have been rung for others.
        if (await isSharedBell(context.db, Number(id), step.takes)) return await doSmall()
        const works = await claimWork(context.db, Number(id), options)
        if (works.length > 0) await runStep(context, bells, step, works)
        return works.length
      } catch (error) {
        observe({ at: 'step.retried', step: step.name, id, reason: textOf(error) })
        return 0
      }
    },
    stop() {
      isStopping = true
    },
  }
}

/** Does a step for claimed work; whatever happens, the work is moved on, given back, or left to whoever took it over. */
export async function runStep(context: Context, bells: Bells, step: Step, works: readonly Work[]): Promise<void> {
  const stopRenewing = keepLeases(context, works)
  try {
    const { due, held } = await step.run(context, works)
    const next = steps[steps.indexOf(step) + 1]
    if (next && held.length > 0) await runStep(context, bells, next, held)
    await ringFor(bells, due)
    await ringFor(bells, await dueSuccessors(context, works))
  } catch (error) {
    await giveBack(context, step, works, error)
  } finally {
    stopRenewing()
  }
}

/** The end of one message of an ordered activity lets the next one begin, that of an entity those behind it in its execution. */
async function dueSuccessors({ db }: Context, works: readonly Work[]): Promise<DueWork[]> {
  const activities = works.filter(({ small, activityId }) => !small && activityId !== null)
  const executions = works.filter(({ isOrdered }) => isOrdered)
  if (activities.length === 0 && executions.length === 0) return []
  return findSuccessors(db, {
    activityIds: activities.map(({ activityId }) => activityId!),
    executionIds: executions.map(({ executionId }) => executionId),
  })
}

/** Renews the leases three times a lease, so that one lost renewal does no harm. Returns the function that stops it. */
function keepLeases({ db, limits }: Context, works: readonly Work[]): () => void {
  const everyMs = (limits.leaseSeconds * 1000) / 3
  const timer = setInterval(() => void renewLeases(db, works, limits.leaseSeconds).catch(() => undefined), everyMs)
  return () => clearInterval(timer)
}

async function giveBack(context: Context, step: Step, works: readonly Work[], error: unknown): Promise<void> {
  const ids = works.map((work) => work.id)
  const id = ids.join(',').slice(0, 200)
  if (error instanceof Conflict) {
    observe({ at: 'step.conflict', step: step.name, id })
    // Of a group only some may be lost; the others are given back.
    await releaseWork(context.db, works, { afterSeconds: 0, countsAsTry: false }).catch(() => undefined)
    return
  }
  const isAway = error instanceof Unavailable || isUniqueRace(error)
  if (isAway) observe({ at: 'step.retried', step: step.name, id, reason: textOf(error) })
  else observe({ at: 'step.failed', step: step.name, id, error })
  if (!isAway) await noteFailedTry(context.db, ids, textOf(error)).catch(() => undefined)
  const afterSeconds = isAway ? 1 : 5
  // Where even this fails, the lease runs out and the sweeper rings.
  await releaseWork(context.db, works, { afterSeconds, countsAsTry: !isAway }).catch(() => undefined)
}

/** A record that someone else inserted between our look and our insert: the next try finds it there. */
function isUniqueRace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505'
}

/**
 * The steps for which no bell is waiting: due work has lost its bells there. One may be with a worker that was killed
 * before it claimed the work; the queue keeps it for a minute, and drops others of its name until then.
 */
async function lostBells(bells: SweepBells): Promise<Set<Step['name']>> {
  try {
    const depths = await bells.depths?.()
    return new Set(steps.map(({ name }) => name).filter((name) => depths?.[name].waiting === 0))
  } catch {
    return new Set() // the queue is away: ringing does nothing either
  }
}

/**
 * Finds what the bells missed: rings for due work that nobody holds, and ends work that was tried too often.
 * Returns  how many bells it rang.
 */
export async function sweep(context: Context, bells: SweepBells): Promise<number> {
  const { db, limits } = context
  const exhausted = await findExhaustedWork(db, limits.maxAttempts)
  if (exhausted.length > 0) {
    const failures: { id: number; epoch: number; error: EntrepotError }[] = []
    for (const { id, epoch } of exhausted) {
      failures.push({ id, epoch, error: await exhaustedError(db, id, limits.maxAttempts) })
    }
    const finished = await db.transaction((tx) => failWork(tx, failures))
    observeFinishedMessages(finished)
  }
  const due = await findDueWork(db, limits.maxAttempts)
  if (due.length > 0) {
    await ringFor(bells, due, await lostBells(bells))
    observe({ at: 'sweep.rang', bells: due.length })
  }
  return due.length
}
