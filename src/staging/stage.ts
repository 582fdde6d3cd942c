import { MessageRejected } from '../errors'
import { knownCompanies } from '../execution/company'
import type { Context } from '../execution/context'
import { failWork, observeFinishedMessages } from '../execution/finish'
import type { DueWork, StepResult, Work } from '../execution/work'
import { observe } from '../platform/observe'
import { isRejection, type Rejection } from './rejection'
import { restage } from './restage'
import { restageComposite } from './restage-composite'
import { stageAlone } from './stage-alone'
import { stageComposite } from './stage-composite'
import { stageTogether } from './stage-together'

/**
 * Brings the records of messages from their bytes into staging tables: the first step of the way.
 * Small messages share their transactions; a large one is staged in chunks, each of which commits with its position.
 * Input   work whose state is Staging, all claimed.
 * Returns the work that can be promoted now; the claims of small work are held. A message that can never pass has failed, with its reason on it.
 * Throws  Conflict, Unavailable: the work is still to be done.
 */
export async function stage(context: Context, works: readonly Work[]): Promise<StepResult> {
  const errors = works.filter(({ scope }) => scope === 'errors')
  const fresh = works.filter(({ scope }) => scope === 'all')
  const { staging, rejected } = await refuseUnknownCompanies(context, fresh)
  await reject(context, rejected)
  const isGrouped = ({ small, entity }: Work) => small && !context.registry.findComposite(entity)
  const small = staging.filter(isGrouped)
  const { due, held } =
    small.length === 0
      ? { due: [], held: [] }
      : await stageTogether(context, small, (rejections) => reject(context, rejections))
  const dueAlone: DueWork[] = []
  for (const work of [...staging.filter((each) => !isGrouped(each)), ...errors]) {
    dueAlone.push(...(await rejecting(context, work, () => stageOne(context, work))))
  }
  return { due: [...due, ...dueAlone], held }
}

function stageOne(context: Context, work: Work): Promise<DueWork[]> {
  const composite = context.registry.findComposite(work.entity)
  if (work.scope === 'all') return composite ? stageComposite(context, work, composite) : stageAlone(context, work)
  return composite ? restageComposite(context, work, composite) : restage(context, work)
}

async function rejecting(context: Context, work: Work, run: () => Promise<DueWork[]>): Promise<DueWork[]> {
  try {
    return await run()
  } catch (error) {
    if (!isRejection(error)) throw error
    await reject(context, [{ work, error }])
    return []
  }
}

async function reject(context: Context, rejections: readonly Rejection[]): Promise<void> {
  if (rejections.length === 0) return
  const finished = await context.db.transaction((tx) =>
    failWork(
      tx,
      rejections.map(({ work: { id, epoch }, error }) => ({ id, epoch, error })),
    ),
  )
  for (const { work, error } of rejections) {
    observe({
      at: 'message.rejected',
      messageId: work.messageId,
      executionId: work.executionId,
      code: error.code,
      ...(error.place.line === undefined ? {} : { line: error.place.line }),
    })
  }
  observeFinishedMessages(finished)
}

/** A company that does not exist would put the same error on every record: one answer for the message says it better. */
async function refuseUnknownCompanies(
  { db, registry }: Context,
  works: readonly Work[],
): Promise<{ staging: Work[]; rejected: Rejection[] }> {
  const companies = [...new Set(works.flatMap(({ company }) => (company === null ? [] : [company])))]
  const known = await knownCompanies(db, registry, companies)
  const isKnown = ({ company, entity }: Work) =>
    company === null || known.has(company) || !registry.findImportable(entity)?.companySpecific
  const rejected = works
    .filter((work) => !isKnown(work))
    .map((work) => ({
      work,
      error: new MessageRejected('EP103', `The company '${work.company}' that the message names does not exist`, {
        messageId: work.messageId,
        entity: work.entity,
        value: work.company!,
      }),
    }))
  return { staging: works.filter(isKnown), rejected }
}
