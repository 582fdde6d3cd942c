import { type Entity, type EntityRegistry, findColumn } from '../entity'
import { quoteIdentifier } from '../entity/names'
import { RequestRefused } from '../errors'
import type { Context } from '../execution/context'
import type { ExecutionMode } from '../execution/mode'
import { stagedGone } from '../execution/removed'
import { isAsItCame, type StagedPlace, tableOf } from '../execution/staged-rows'
import type { EntityState } from '../execution/states'
import type { Queryable } from '../platform/database'
import type { EntitySettings } from '../project/entity-settings'

/**
 * Transfer statuses of staged records, after Dynamics 365's: not promoted, promoted, in error, left to a later record of
 * its key, or chosen for a promotion that is under way.
 */
export const stagedStatuses = ['NotStarted', 'Completed', 'Error', 'Superseded', 'Selected'] as const
export type StagedStatus = (typeof stagedStatuses)[number]

/** A staged record as a person sees it. */
export interface StagedRecord {
  readonly entity: string
  readonly recordNumber: number
  readonly line: number | null
  readonly status: StagedStatus
  /** By name of the field; null where the source does not give it. */
  readonly values: Readonly<Record<string, string | null>>
  /** The record as it stood in the file, where its shape was wrong. */
  readonly raw: string | null
  readonly errors: readonly { readonly code: string; readonly field: string | null; readonly reason: string }[]
}

/** Which staged records are wanted; several conditions hold together. */
export interface StagedFilter {
  /** Any name of the entity; needed where the execution has several. */
  readonly entity?: string
  readonly status?: StagedStatus
  /** A field whose text contains `contains`, without regard to letter case. */
  readonly field?: string
  readonly contains?: string
  readonly afterRecord?: number
  readonly limit: number
}

/** An entity of an execution whose staged records are looked at. */
export interface StagedEntity extends StagedPlace {
  readonly executionId: string
  readonly company: string | null
  readonly state: EntityState
  readonly mode: ExecutionMode
  readonly sourceFormat: string | null
  readonly settings: EntitySettings
  /** Name of the composite, where the entity is one of its members. */
  readonly composite?: string
}

/**
 * The one entity of an execution that is meant, whose staged records are there.
 * Input   `lock`: nobody else changes it until the transaction ends.
 * Throws  RequestRefused EA108 (404), EA102, EA109 (400) where the entity must be named, EA130 (410) when the clean-up has
 *         removed what it has staged.
 */
export async function findStagedEntity(
  db: Queryable,
  { registry }: Pick<Context, 'registry'>,
  executionId: string,
  entityName: string | undefined,
  { lock = false }: { lock?: boolean } = {},
): Promise<StagedEntity> {
  const name = entityName === undefined ? null : registry.getImportable(entityName).name
  // Records of a composite are looked at member by member.
  const holders = registry.composites.filter(({ members }) => members.some(({ entity }) => entity.name === name))
  const found = await db.query<StagedEntity & { readonly goneAt: Date | null }>(
    `SELECT e.id, e.entity, e.staging_table AS "stagingTable", e.execution_id AS "executionId", m.company, e.state, e.mode,
       coalesce(e.source_format, m.source_format) AS "sourceFormat", coalesce(e.settings, '{}') AS settings,
       CASE WHEN e.staged_records > 0 THEN e.staging_removed_at END AS "goneAt"
     FROM entrepot.execution_entity e JOIN entrepot.execution x ON x.id = e.execution_id
     JOIN entrepot.message m ON m.id = x.message_id
     WHERE e.execution_id = $1 AND ($2::text IS NULL OR e.entity = $2 OR e.entity = ANY($3)) ORDER BY e.id ${lock ? 'FOR UPDATE OF e' : ''}`,
    [executionId, name, holders.map((composite) => composite.name)],
  )
  if (found.length === 1) {
    const { goneAt, ...staged } = found[0]!
    if (goneAt !== null) throw stagedGone(executionId, staged.entity, goneAt)
    return ofMember(registry, staged, name)
  }
  if (found.length > 1) {
    const names = found.map(({ entity }) => entity).join(', ')
    throw new RequestRefused(400, 'EA109', `Records are numbered within an entity: name one of ${names}`)
  }
  const what = name === null ? '' : ` with the entity ${name}`
  throw new RequestRefused(404, 'EA108', `There is no execution '${executionId.slice(0, 100)}'${what}`)
}

/** In place of a composite the member that is meant. Throws RequestRefused EA109 (400) where none is. */
function ofMember(registry: EntityRegistry, staged: StagedEntity, name: string | null): StagedEntity {
  const composite = registry.findComposite(staged.entity)
  if (!composite) return staged
  const member = composite.members.find(({ entity }) => entity.name === name)
  if (member) return { ...staged, entity: member.entity.name, composite: composite.name }
  const names = composite.members.map(({ entity }) => entity.name).join(', ')
  throw new RequestRefused(400, 'EA109', `Records of ${composite.label} are those of its members: name one of ${names}`)
}

/**
 * Staged records of an execution's entity, by their numbers.
 * Throws  RequestRefused EA108 (404), EA102, EA109 (400), EA130 (410).
 */
export async function listStaged(context: Context, executionId: string, filter: StagedFilter): Promise<StagedRecord[]> {
  const staged = await findStagedEntity(context.db, context, executionId, filter.entity)
  const entity = context.registry.get(staged.entity)
  const conditions = [statusCondition(staged, filter.status)]
  const values: unknown[] = [staged.id, filter.afterRecord ?? 0, filter.limit]
  if (filter.field === undefined && filter.contains !== undefined) {
    throw new RequestRefused(400, 'EA109', `'${filter.contains.slice(0, 60)}' is looked for in a field: name one`)
  }
  if (filter.field !== undefined) {
    const column = columnNamed(entity, filter.field)
    values.push(filter.contains ?? '')
    conditions.push(`position(lower($4) IN lower(s.${quoteIdentifier(column)})) > 0`)
  }
  const rows = await context.db.query<StagedRow>(
    `${selectStaged(entity, staged)} AND s._record_number > $2 AND ${conditions.join(' AND ')}
     ORDER BY s._record_number LIMIT $3`,
    values,
  )
  return rows.map((row) => recordOf(entity, staged, row))
}

/** One staged record. Throws RequestRefused EA108 (404). */
export async function findStaged(
  db: Queryable,
  entity: Entity,
  staged: StagedEntity,
  recordNumber: number,
): Promise<StagedRecord & { readonly isAsItCame: boolean }> {
  const [row] = await db.query<StagedRow>(`${selectStaged(entity, staged)} AND s._record_number = $2`, [
    staged.id,
    recordNumber,
  ])
  if (row) return { ...recordOf(entity, staged, row), isAsItCame: row.isAsItCame }
  throw new RequestRefused(404, 'EA108', `There is no staged record ${recordNumber} of ${entity.label}`)
}

/** The name of an entity's field, as a person writes it. Throws RequestRefused EA109 (400). */
export function columnNamed(entity: Entity, field: string): string {
  const column = findColumn(entity, field)
  if (column) return column.name
  throw new RequestRefused(400, 'EA109', `${entity.label} has no field '${field.slice(0, 60)}'`, {
    entity: entity.name,
    field: field.slice(0, 60),
  })
}

interface StagedRow {
  readonly number: number
  readonly line: number | null
  readonly state: string
  readonly raw: string | null
  readonly values: (string | null)[]
  readonly isAsItCame: boolean
  readonly errors: StagedRecord['errors'] | null
}

function selectStaged(entity: Entity, place: StagedPlace): string {
  const columns = entity.columns.map(({ name }) => `s.${quoteIdentifier(name)}`).join(', ')
  return `SELECT s._record_number AS number, s._line AS line, s._state AS state, s._raw AS raw, ARRAY[${columns}]::text[] AS values,
       ${isAsItCame} AS "isAsItCame",
       (SELECT jsonb_agg(jsonb_build_object('code', r.code, 'field', r.field, 'reason', r.reason) ORDER BY r.step DESC, r.code)
        FROM entrepot.record_error r
        WHERE r.execution_entity = s._execution_entity AND r.record_number = s._record_number) AS errors
     FROM ${tableOf(place)} s WHERE s._execution_entity = $1`
}

/** Good records are promoted once their entity is finished; where it is promoted piece by piece, they have a state of their own. */
function isPromoted({ state, mode }: StagedEntity): boolean {
  return state === 'Finished' && mode !== 'validate'
}

function statusOf(staged: StagedEntity, state: string): StagedStatus {
  if (state === 'E') return 'Error'
  if (state === 'S') return 'Superseded'
  if (state === 'R') return 'Selected'
  return state === 'P' || isPromoted(staged) ? 'Completed' : 'NotStarted'
}

function statusCondition(staged: StagedEntity, status: StagedStatus | undefined): string {
  if (status === undefined) return 'true'
  const states = ['V', 'P', 'E', 'S', 'R'].filter((state) => statusOf(staged, state) === status)
  return states.length === 0 ? 'false' : `s._state IN (${states.map((state) => `'${state}'`).join(', ')})`
}

function recordOf(entity: Entity, staged: StagedEntity, row: StagedRow): StagedRecord {
  return {
    entity: entity.name,
    recordNumber: row.number,
    line: row.line,
    status: statusOf(staged, row.state),
    values: Object.fromEntries(entity.columns.map(({ name }, index) => [name, row.values[index] ?? null])),
    raw: row.raw,
    errors: row.errors ?? [],
  }
}
