import type { CompositeEntity, Entity } from '../../src/entity'
import { stagingTable, targetTable } from '../../src/entity/names'
import type { Queryable } from '../../src/platform/database'
import type { TestHub } from './test-hub'
import { waitFor } from './wait-for'

/** Waits until no message is under way. */
export async function allFinished({ hub }: TestHub, timeoutMs = 30_000): Promise<void> {
  const what = 'the end of all messages'
  await waitFor(async () => (await unfinished(hub.db)).length === 0, { what, timeoutMs }).catch(async (error) => {
    throw new Error(`${error.message}: ${JSON.stringify(await unfinished(hub.db))}`)
  })
}

function unfinished(db: Queryable): Promise<object[]> {
  return db.query(
    `SELECT m.external_id, m.entity, e.state, e.epoch, e.attempts, e.lease_until - now() AS lease, e.due_at - now() AS due
     FROM entrepot.message m JOIN entrepot.execution x ON x.message_id = m.id JOIN entrepot.execution_entity e ON e.execution_id = x.id
     WHERE m.state = 'Enqueued' AND x.state = 'NotRun'`,
  )
}

/**
 * Expects that every record is accounted for (promise P5): each message is at its end, each record that was read is staged
 * once, or was cleaned up as a whole, the counts are those of the tables, nothing is held, and nothing is left of what is
 * gone. Of what waits in staging to be promoted the counts so far are right; those of a dry run say what would be.
 * Input   `isHistoryWhole`: false when messages were removed that have inserted target records.
 */
export async function expectAccounted(
  { hub: { db, registry } }: TestHub,
  { isHistoryWhole = true } = {},
): Promise<void> {
  expect(await leftovers(db)).toEqual([])
  expect(await unfinished(db)).toEqual([])
  expect(await db.query('SELECT id FROM entrepot.execution_entity WHERE lease_until IS NOT NULL')).toEqual([])
  expect(await brokenCounts(db)).toEqual([])
  const members = new Set(registry.composites.flatMap((composite) => composite.members.map(({ entity }) => entity)))
  const groups = registry.all.map((entity) => [entity]).filter(([entity]) => !members.has(entity!))
  const problems = [
    ...registry.all.map((entity) => stagingProblems(db, entity.name, [entity])),
    ...registry.composites.map(({ name, members: own }) =>
      stagingProblems(
        db,
        name,
        own.map(({ entity }) => entity),
      ),
    ),
    ...(isHistoryWhole
      ? [
          ...groups.map((group) => targetProblems(db, group, [])),
          // What documents inserted is known for all members together only.
          targetProblems(db, [...members], registry.composites),
        ]
      : []),
    ...registry.composites.map((composite) => halfDocuments(db, composite)),
  ]
  for (const problem of await Promise.all(problems)) expect(problem).toEqual([])
}

/** Rows that belong to a message or an execution that is gone, and messages whose payload is. */
function leftovers(db: Queryable): Promise<object[]> {
  return db.query(
    `SELECT 'execution' AS of, id FROM entrepot.execution x
       WHERE NOT EXISTS (SELECT FROM entrepot.message WHERE id = x.message_id)
     UNION ALL SELECT 'entity', execution_id FROM entrepot.execution_entity e
       WHERE NOT EXISTS (SELECT FROM entrepot.execution WHERE id = e.execution_id)
     UNION ALL SELECT 'log', execution_id FROM entrepot.execution_log l
       WHERE NOT EXISTS (SELECT FROM entrepot.execution WHERE id = l.execution_id)
     UNION ALL SELECT 'error', execution_entity::text FROM entrepot.record_error r
       WHERE NOT EXISTS (SELECT FROM entrepot.execution_entity WHERE id = r.execution_entity)
     UNION ALL SELECT 'message without payload', id::text FROM entrepot.message m
       WHERE payload_location LIKE 'postgres:%' AND NOT EXISTS (SELECT FROM entrepot.payload_chunk WHERE location = payload_location)`,
  )
}

/** Entities whose counts do not add up, or are not those of `record_error`. */
function brokenCounts(db: Queryable): Promise<object[]> {
  return db.query(
    `SELECT e.id, e.records_read, e.records_inserted, e.records_updated, e.records_unchanged, e.records_superseded,
       e.records_in_error, r.in_error, r.superseded
     FROM entrepot.execution_entity e
     CROSS JOIN LATERAL (
       SELECT count(DISTINCT record_number) FILTER (WHERE code <> 'EP102') AS in_error,
         count(*) FILTER (WHERE code = 'EP102') AS superseded
       FROM entrepot.record_error WHERE execution_entity = e.id) r
     WHERE e.state IN ('Finished', 'Staged') AND (e.records_in_error <> r.in_error OR e.records_superseded <> r.superseded
       OR e.records_read <> e.staged_records OR e.state = 'Finished' AND e.records_read <> e.records_inserted
         + e.records_updated + e.records_unchanged + e.records_superseded + e.records_in_error)`,
  )
}

/** Executions of this name whose staged records are not each there once, in the tables of these entities, or are still there though they were cleaned up. */
function stagingProblems(db: Queryable, name: string, entities: readonly Entity[]): Promise<object[]> {
  const staged = entities.map(
    (entity) => `SELECT _execution_entity, _record_number, _state FROM ${stagingTable(entity)}`,
  )
  return db.query(
    `SELECT e.id, e.state, e.staged_records, s.* FROM (
       SELECT *, CASE WHEN staging_removed_at IS NULL THEN staged_records ELSE 0 END AS there FROM entrepot.execution_entity) e
     FULL JOIN (
       SELECT _execution_entity, count(*) AS rows, count(DISTINCT _record_number) AS records, max(_record_number) AS last,
         count(*) FILTER (WHERE _state = 'E') AS in_error, count(*) FILTER (WHERE _state = 'S') AS superseded,
         count(*) FILTER (WHERE _state = 'P') AS promoted, count(*) FILTER (WHERE _state = 'R') AS selected
       FROM (${staged.join(' UNION ALL ')}) r GROUP BY 1) s ON s._execution_entity = e.id
     WHERE e.id IS NULL OR e.entity = $1 AND ((e.there, e.there, e.there)
         IS DISTINCT FROM (coalesce(s.rows, 0), coalesce(s.records, 0), coalesce(s.last, 0))
       OR e.state IN ('Finished', 'Staged') AND e.staging_removed_at IS NULL
         AND (e.records_in_error, e.records_superseded, 0) IS DISTINCT FROM (coalesce(s.in_error, 0), coalesce(s.superseded, 0),
           coalesce(s.selected, 0))
       OR e.state = 'Staged' AND e.staging_removed_at IS NULL
         AND e.records_inserted + e.records_updated + e.records_unchanged <> coalesce(s.promoted, 0))`,
    [name],
  )
}

/** The target tables of these entities, if they have other records than were inserted; not known of those that were emptied in between. */
function targetProblems(
  db: Queryable,
  entities: readonly Entity[],
  composites: readonly CompositeEntity[],
): Promise<object[]> {
  const records = entities.map((entity) => `(SELECT count(*) FROM ${targetTable(entity)})`)
  return db.query(
    `SELECT * FROM (SELECT $1::text[] AS entities, ${records.join(' + ')} AS records,
       (SELECT coalesce(sum(records_inserted), 0) FROM entrepot.execution_entity
        WHERE entity = ANY($1) AND mode <> 'validate') AS inserted) t
     WHERE records <> inserted AND NOT EXISTS (SELECT FROM entrepot.execution_entity
       WHERE entity = ANY($1) AND mode <> 'validate' AND settings ->> 'truncateEntityData' = 'true')`,
    [[...entities, ...composites].map(({ name }) => name)],
  )
}

/** Documents whose records are not all in one state. */
function halfDocuments(db: Queryable, { name, members }: CompositeEntity): Promise<object[]> {
  const staged = members.map(({ entity }) => `SELECT _execution_entity, _document, _state FROM ${stagingTable(entity)}`)
  return db.query(
    `SELECT r._execution_entity, r._document, array_agg(DISTINCT r._state) AS states
     FROM (${staged.join(' UNION ALL ')}) r JOIN entrepot.execution_entity e ON e.id = r._execution_entity
     WHERE e.entity = $1 GROUP BY 1, 2 HAVING count(DISTINCT r._state) > 1 OR r._document IS NULL`,
    [name],
  )
}

/**
 * All that importing has made, in an order of its own: two runs of the same messages must have made the same. Messages
 * are told apart by their external ids.
 */
export async function resultOf({ hub: { db, registry }, target }: TestHub): Promise<Record<string, unknown>> {
  const messages = await db.query(
    `SELECT m.external_id, e.entity, m.state, m.error ->> 'code' AS error, x.state AS execution, e.state AS entity_state,
       e.records_read, e.records_inserted, e.records_updated, e.records_unchanged, e.records_superseded, e.records_in_error
     FROM entrepot.message m JOIN entrepot.execution x ON x.message_id = m.id JOIN entrepot.execution_entity e ON e.execution_id = x.id
     ORDER BY e.entity, m.external_id`,
  )
  const errors = await db.query(
    `SELECT m.external_id, e.entity, r.record_number, r.line, r.step, r.code, r.field, r.value, r.reason
     FROM entrepot.record_error r JOIN entrepot.execution_entity e ON e.id = r.execution_entity
     JOIN entrepot.execution x ON x.id = e.execution_id JOIN entrepot.message m ON m.id = x.message_id
     ORDER BY e.entity, m.external_id, r.record_number, r.code, r.field`,
  )
  const targets = await Promise.all(registry.all.map(async ({ name }) => [name, await target(name)] as const))
  return { messages, errors, targets: Object.fromEntries(targets) }
}

/** A checksum of every table of ours with all that is in it, by name: what changes nothing leaves them as they are. */
export async function checksums({ hub: { db } }: TestHub): Promise<Record<string, string>> {
  const tables = await db.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname IN ('entrepot', 'staging', 'target')`,
  )
  const sums = await Promise.all(
    tables.map(async ({ name }) => {
      const [row] = await db.query<{ sum: string }>(
        `SELECT md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) AS sum FROM ONLY ${name} t`,
      )
      return [name, row!.sum] as const
    }),
  )
  return Object.fromEntries(sums)
}
