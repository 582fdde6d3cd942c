import { companyColumn, quoteIdentifier, targetTable } from '../entity'
import type { Queryable } from '../platform/database'
import { fromStaged, type StagedSet } from './staged-set'

/**
 * SQL: whether a target record `t` is one of those that a truncating import replaces: all of an entity without company,
 * else those of the message's company and of the companies in the file, so that other companies keep theirs.
 * Parameters  $1 as in every statement of a set, $2 the company of the message or null.
 */
export function isReplaced(set: StagedSet): string {
  if (!set.entity.companySpecific) return 'true'
  const company = quoteIdentifier(companyColumn)
  return `(t.${company} = $2 OR t.${company} IN (SELECT s.${company} ${fromStaged(set)}))`
}

/** Removes the target records that a truncating import replaces. */
export async function emptyTarget(tx: Queryable, set: StagedSet, company: string | null): Promise<void> {
  const values = set.entity.companySpecific ? [set.ids, company] : []
  await tx.query(`DELETE FROM ${targetTable(set.entity)} t WHERE ${isReplaced(set)}`, values)
}
