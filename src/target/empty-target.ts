import { companyColumn, type Entity, quoteIdentifier, targetTable } from '../entity'
import { isAsItCame } from '../execution/staged-rows'
import type { Work } from '../execution/work'
import type { Queryable } from '../platform/database'
import type { StagedSet } from './staged-set'

/** Where the staged records of a truncating import are. */
export interface TruncatingPlace {
  readonly entity: Entity
  /** SQL name of the staging table that holds them. */
  readonly table: string
  /** SQL: array of the ids of the execution's entities that they belong to. */
  readonly ids: string
}

/**
 * SQL: whether a target record `t` is one of those that a truncating import replaces: all of an entity without company,
 * else those of the message's company and of the companies in the file, so that other companies keep theirs. A record that
 * could not be read names no company.
 */
export function isReplaced({ entity, table, ids }: TruncatingPlace): string {
  if (!entity.companySpecific) return 'true'
  const company = quoteIdentifier(companyColumn)
  const isRead = `(s._state <> 'E' OR NOT ${isAsItCame})`
  return `(t.${company} IN (SELECT s.${company} FROM ${table} s WHERE s._execution_entity = ANY(${ids}) AND ${isRead})
    OR t.${company} IN (SELECT m.company FROM entrepot.execution_entity e JOIN entrepot.execution x ON x.id = e.execution_id
      JOIN entrepot.message m ON m.id = x.message_id WHERE e.id = ANY(${ids})))`
}

/** SQL: the target's records that a truncating import leaves there, in place of the table. */
export function withoutReplaced(place: TruncatingPlace): string {
  return `(SELECT t.* FROM ${targetTable(place.entity)} t WHERE NOT ${isReplaced(place)})`
}

/** Removes the target records that a truncating import replaces, and says in the execution's log how many. */
export async function emptyTarget(tx: Queryable, { executionId }: Work, set: StagedSet): Promise<void> {
  const removed = await tx.count(`DELETE ${fromReplaced(set)}`, [set.ids])
  const text = `${set.entity.name}: ${removed} records of the target were removed before its import`
  await tx.query(log, [executionId, text])
}

/** Says in the execution's log how many target records a truncating import would remove. */
export async function countReplaced(tx: Queryable, { executionId }: Work, set: StagedSet): Promise<void> {
  const [{ count = 0 } = {}] = await tx.query<{ count: number }>(`SELECT count(*) AS count ${fromReplaced(set)}`, [
    set.ids,
  ])
  const text = `${set.entity.name}: ${count} records of the target would be removed before its import`
  await tx.query(log, [executionId, text])
}

const log = 'INSERT INTO entrepot.execution_log (execution_id, text) VALUES ($1, $2)'

/** SQL: the target records `t` that are replaced, with the ids as $1; an entity without company has no use for them. */
function fromReplaced({ entity, table }: StagedSet): string {
  const place = { entity, table, ids: '$1' }
  return `FROM ${targetTable(entity)} t WHERE $1::bigint[] IS NOT NULL AND ${isReplaced(place)}`
}
