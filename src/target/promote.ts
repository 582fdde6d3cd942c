import type { Context } from '../execution/context'
import type { StepResult, Work } from '../execution/work'
import { promoteAlone } from './promote-alone'
import { promoteComposite } from './promote-composite'
import { promoteTogether } from './promote-together'
import { validateAlone } from './validate-alone'
import { validateComposite } from './validate-composite'

/**
 * Brings staged records into their target tables: the second step of the way.
 * Input   work whose state is Promoting, all claimed.
 * Returns nothing that is due: promotion ends an execution's entity.
 * Throws  Conflict, Unavailable: the work is still to be done, and what is done of it stays done.
 */
export async function promote(context: Context, works: readonly Work[]): Promise<StepResult> {
  const isComposite = ({ entity }: Work) => context.registry.findComposite(entity) !== undefined
  const small = works.filter((work) => work.small && work.scope === 'all' && !isComposite(work))
  if (small.length > 0) await promoteTogether(context, small)
  for (const work of works.filter((each) => !small.includes(each))) await promoteOne(context, work)
  return { due: [], held: [] }
}

function promoteOne(context: Context, work: Work): Promise<void> {
  const isDryRun = work.mode === 'validate'
  const composite = context.registry.findComposite(work.entity)
  if (composite) return (isDryRun ? validateComposite : promoteComposite)(context, work, composite)
  return (isDryRun ? validateAlone : promoteAlone)(context, work)
}
