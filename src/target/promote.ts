import type { Context } from '../execution/context'
import type { StepResult, Work } from '../execution/work'
import { promoteAlone } from './promote-alone'
import { promoteTogether } from './promote-together'
import { validateAlone } from './validate-alone'

/**
 * Brings staged records into their target tables: the second step of the way.
 * Input   work whose state is Promoting, all claimed.
 * Returns nothing that is due: promotion ends an execution's entity.
 * Throws  Conflict, Unavailable: the work is still to be done, and what is done of it stays done.
 */
export async function promote(context: Context, works: readonly Work[]): Promise<StepResult> {
  const small = works.filter((work) => work.small && work.scope === 'all')
  if (small.length > 0) await promoteTogether(context, small)
  for (const work of works.filter((each) => !small.includes(each))) {
    await (work.mode === 'validate' ? validateAlone(context, work) : promoteAlone(context, work))
  }
  return { due: [], held: [] }
}
