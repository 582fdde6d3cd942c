import { type Entity, type ExistingTable, planTables, stagingSchema, targetSchema } from '../entity'
import { SetupFault } from '../errors'
import type { Database, Queryable } from '../platform/database'

/** What was done to the tables of the entities. */
export interface EnsuredTables {
  /** Names of the entities whose tables were created or changed. */
  readonly changed: string[]
  /** What an operator may want to know, e.g. columns that are no longer declared. */
  readonly notices: string[]
}

/** 'entities' on a telephone keypad: one process at a time plans and changes the tables of entities. */
const tablesLock = 36_848_437

/**
 * Creates or widens the staging and target tables of all entities, in one transaction.
 * Throws  SetupFault ES104 with every change that could lose data; then nothing was changed.
 */
export async function ensureEntityTables(db: Database, entities: readonly Entity[]): Promise<EnsuredTables> {
  return db.transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [tablesLock])
    // Postgres writes the defaults of times in the session's zone; the plan reads them in UTC.
    await tx.query(`SET LOCAL TimeZone = 'UTC'`)
    await tx.query(`SET LOCAL DateStyle = 'ISO'`)
    const existing = await readExisting(tx, entities)
    const plans = entities.map((entity) => ({ name: entity.name, ...planTables(entity, existing) }))
    const refusals = plans.flatMap((plan) => plan.refusals)
    if (refusals.length > 0) {
      throw new SetupFault(
        'ES104',
        `The tables differ from the entities in ways that could lose data: ${refusals.join('; ')}`,
      )
    }
    for (const statement of plans.flatMap(({ statements }) => statements)) await tx.query(statement)
    return {
      changed: plans.filter(({ statements }) => statements.length > 0).map(({ name }) => name),
      notices: plans.flatMap(({ notices }) => notices),
    }
  })
}

/** Reads the staging and target tables that the entities have so far; in a session whose time zone is UTC. */
export function readExisting(db: Queryable, entities: readonly Entity[]): Promise<ExistingTable[]> {
  return db.query<ExistingTable>(
    `SELECT n.nspname AS schema, c.relname AS name,
            (SELECT json_agg(json_strip_nulls(json_build_object(
                      'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull,
                      'default', pg_get_expr(d.adbin, d.adrelid))) ORDER BY a.attnum)
               FROM pg_attribute a
               LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
            (SELECT coalesce(json_agg(a.attname ORDER BY k.place), '[]')
               FROM pg_index i
              CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
               JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
              WHERE i.indrelid = c.oid AND i.indisprimary) AS "primaryKey"
       FROM pg_class c
       JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY ($1) AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p')`,
    [[stagingSchema, targetSchema], entities.map(({ name }) => name)],
  )
}
