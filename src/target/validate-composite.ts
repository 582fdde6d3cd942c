import type { CompositeEntity } from '../entity'
import type { Context } from '../execution/context'
import type { Work } from '../execution/work'
import { checkDocuments } from './check-documents'
import { joinWithTargets } from './joins'
import { boundIdleTime } from './locks'
import { memberSets } from './member-sets'
import { observeFinished } from './observe-finished'
import { entitiesOf, sumOf } from './promote-composite'
import { countUpsert } from './upsert'
import { placesOf, saveValidation } from './validate-alone'

/** Says what promoting the documents of a composite's execution would do, and does not do it; see `validateAlone`. */
export async function validateComposite(context: Context, work: Work, composite: CompositeEntity): Promise<void> {
  const startedAt = performance.now()
  const { db, registry, limits } = context
  const sets = memberSets(composite, work)
  const finished = await db.transaction(async (tx) => {
    await boundIdleTime(tx, limits.leaseSeconds)
    const placeOf = await placesOf(tx, registry, work, sets)
    await joinWithTargets(tx, entitiesOf(context, sets), work.bytes)
    const { inError, superseded } = await checkDocuments(tx, registry, composite, work, sets, placeOf)
    const members = sets.map(({ entity }) => entity)
    await joinWithTargets(tx, members, work.bytes)
    const all = []
    for (const set of sets) all.push((await countUpsert(tx, set, placeOf(set.entity))).get(work.id))
    const counts = sumOf(all.filter((each) => each !== undefined))
    return saveValidation(tx, work, sets, { inError, superseded, ...counts })
  })
  await observeFinished(db, [work], finished, startedAt)
}
