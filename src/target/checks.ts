import {
  type Column,
  companyColumn,
  type Entity,
  type EntityRegistry,
  fieldTypes,
  type Relation,
  relatedEntity,
} from '../entity'
import { quoteIdentifier, quoteLiteral, targetTable } from '../entity/names'
import { companyTable } from '../execution/company'
import type { Queryable } from '../platform/database'
import { fromInError, fromStaged, keyList, type StagedSet, sameKey, typed } from './staged-set'

/** What the checks of one execution's entity found. */
export interface CheckResult {
  readonly id: number
  readonly inError: number
  readonly superseded: number
}

/**
 * Checks staged records against each other and against the target tables, all of them at once: company, relations,
 * mandatory fields of new records, then keys that occur twice. Records at fault get state E (S where a later record
 * of the same message has their key) and a row in `record_error` for each fault.
 * Records in error already are checked for company and relations as well, so that a person sees all that is wrong.
 * Returns  the counts of those that have any; inError includes what staging found.
 */
export async function checkStaged(tx: Queryable, registry: EntityRegistry, set: StagedSet): Promise<CheckResult[]> {
  const checks = [...companyChecks(registry, set), ...relationChecks(set), ...mandatoryChecks(set)]
  let found = 0
  for (const check of checks) found += await tx.count(check, [set.ids])
  if (found > 0) await markInError(tx, set)
  for (const check of selfRelationChecks(set)) if ((await tx.count(check, [set.ids])) > 0) await markInError(tx, set)
  await supersede(tx, set)
  return tx.query<CheckResult>(
    `SELECT execution_entity AS id,
       count(DISTINCT record_number) FILTER (WHERE code <> 'EP102') AS "inError",
       count(*) FILTER (WHERE code = 'EP102') AS superseded
     FROM entrepot.record_error WHERE execution_entity = ANY($1) GROUP BY 1`,
    [set.ids],
  )
}

/** SQL that notes a fault for the staged records of `from`. */
function note(code: string, field: string, value: string, reason: string, from: string): string {
  return `INSERT INTO entrepot.record_error (execution_entity, record_number, line, step, code, field, value, reason)
    SELECT s._execution_entity, s._record_number, s._line, 'promote', '${code}', ${quoteLiteral(field)}, left(${value}, 200), ${reason}
    ${from}`
}

function companyChecks(registry: EntityRegistry, set: StagedSet): string[] {
  const place = companyTable(registry)
  if (!place || !set.entity.companySpecific) return []
  const company = set.entity.columns.find(({ name }) => name === companyColumn)!
  return whereToLook(set).map(({ from, value }) => {
    const id = value(company)
    const reason = `'The company ''' || ${id} || ''' does not exist'`
    const isMissing = `NOT EXISTS (SELECT FROM ${place.table} c WHERE c.${place.id} = ${id})`
    return note('EP103', companyColumn, id, reason, `${from} AND ${id} <> '' AND ${isMissing}`)
  })
}

/** Staged records to check, and how a field of theirs is read as its target type. */
interface Look {
  readonly from: string
  value(column: Column): string
}

/** Good records hold canonical text; those in error hold text as it came, of which only strings can be compared. */
function whereToLook(set: StagedSet, columns: readonly Column[] = []): Look[] {
  const looks: Look[] = [{ from: fromStaged(set), value: typed }]
  const areStrings = columns.every(({ field }) => field.type === 'string')
  if (set.hasErrors && areStrings) looks.push({ from: fromInError(set), value: canonicalString })
  return looks
}

function canonicalString({ name, field }: Column): string {
  const text = `coalesce(s.${quoteIdentifier(name)}, '')`
  return field.letterCase === undefined ? text : `${field.letterCase}(${text})`
}

/** The relations whose fields are all in the file: of the others nothing is known until the record is there. */
function checkableRelations({ entity, columns }: StagedSet): [string, Relation][] {
  const given = new Set(columns.map(({ name }) => name))
  return Object.entries(entity.relations).filter(([, { fields }]) =>
    Object.keys(fields).every((name) => given.has(name)),
  )
}

function relationChecks(set: StagedSet): string[] {
  const columns = new Map(set.entity.columns.map((column) => [column.name, column]))
  return checkableRelations(set)
    .filter(([, { to }]) => to !== 'self')
    .flatMap(([, relation]) => {
      const own = Object.keys(relation.fields).map((name) => columns.get(name)!)
      return whereToLook(set, own).map(({ from, value }) => {
        const parts = relationParts(set.entity, relation, value)
        return note(
          'EP101',
          parts.field,
          parts.value,
          parts.reason,
          `${from} AND ${parts.isGiven} AND NOT EXISTS (${parts.inTarget})`,
        )
      })
    })
}

/** A record may relate to another one of the same file; whoever relates to a record in error is in error too. */
function selfRelationChecks(set: StagedSet): string[] {
  return checkableRelations(set)
    .filter(([, { to }]) => to === 'self')
    .map(([, relation]) => {
      const { field, value, reason, isGiven, inTarget } = relationParts(set.entity, relation, typed)
      const own = Object.entries(relation.fields) as [string, string][]
      const related = [
        ...own,
        ...(set.entity.companySpecific ? [[companyColumn, companyColumn] as [string, string]] : []),
      ]
        .map(([from, to]) => `p.${quoteIdentifier(to)} = s.${quoteIdentifier(from)}`)
        .join(' AND ')
      const lost = `${fromStaged(set)} AND ${isGiven} AND NOT EXISTS (${inTarget})`
      const inFile = `SELECT FROM ${set.table} p WHERE p._execution_entity = s._execution_entity AND p._state = '${set.state}' AND ${related}`
      return `WITH RECURSIVE lost AS (SELECT s.* ${lost}), bad AS (
          SELECT s.* FROM lost s WHERE NOT EXISTS (${inFile})
          UNION SELECT s.* FROM lost s JOIN bad p ON p._execution_entity = s._execution_entity AND ${related}
        ) ${note('EP101', field, value, reason, 'FROM bad s')}`
    })
}

interface RelationParts {
  readonly field: string
  readonly value: string
  readonly reason: string
  /** The record refers to something. */
  readonly isGiven: string
  /** Subquery for the related target record. */
  readonly inTarget: string
}

function relationParts(entity: Entity, relation: Relation, value: Look['value']): RelationParts {
  const related = relatedEntity(entity, relation)
  const columns = new Map(entity.columns.map((column) => [column.name, column]))
  const pairs = (Object.entries(relation.fields) as [string, string][]).map(([own, theirs]) => ({
    own: columns.get(own)!,
    theirs,
  }))
  const joins = pairs.map(({ own, theirs }) => `p.${quoteIdentifier(theirs)} = ${value(own)}`)
  const company = related.companySpecific ? value(columns.get(companyColumn)!) : undefined
  if (company) joins.push(`p.${quoteIdentifier(companyColumn)} = ${company}`)
  const texts = pairs.map(({ own }) => `s.${quoteIdentifier(own.name)}`)
  const given = pairs.map(
    ({ own: { field } }, i) => `${texts[i]} <> ${quoteLiteral(fieldTypes[field.type].empty(field))}`,
  )
  const shown = pairs.map(({ theirs }, i) => `${quoteLiteral(`${theirs} '`)} || ${texts[i]} || ''''`)
  return {
    field: pairs.map(({ own }) => own.name).join(', '),
    value: texts.join(` || ', ' || `),
    reason: `${quoteLiteral(`${related.label} has no record with `)} || ${shown.join(` || ' and ' || `)}${company ? ` || ' in company ' || ${company}` : ''}`,
    isGiven: `(${given.join(' OR ')})`,
    inTarget: `SELECT FROM ${targetTable(related)} p WHERE ${joins.join(' AND ')}`,
  }
}

/** A field that must have a value and is not in the file is a fault of records that are not there yet. */
function mandatoryChecks(set: StagedSet): string[] {
  const { entity, columns, sparse } = set
  return entity.columns
    .filter(({ field, isKey }) => field.mandatory && field.default === undefined && !isKey)
    .filter((column) => sparse || !columns.includes(column))
    .map((column) => {
      const { name } = column
      const isAbsent = columns.includes(column) ? ` AND s.${quoteIdentifier(name)} IS NULL` : ''
      return note(
        'EP104',
        name,
        'NULL',
        quoteLiteral(`${name} is mandatory for a new record and is not given`),
        `${fromStaged(set)}${isAbsent} AND NOT EXISTS (SELECT FROM ${targetTable(entity)} t WHERE ${sameKey(entity)})`,
      )
    })
}

async function markInError(tx: Queryable, set: StagedSet): Promise<void> {
  await tx.query(
    `UPDATE ${set.table} s SET _state = 'E' FROM (
       SELECT DISTINCT execution_entity, record_number FROM entrepot.record_error
       WHERE execution_entity = ANY($1) AND step = 'promote' AND code <> 'EP102') bad
     WHERE s._execution_entity = bad.execution_entity AND s._record_number = bad.record_number AND s._state = '${set.state}'`,
    [set.ids],
  )
}

/**
 * The last record of a key wins within a message; the earlier ones are listed. In a retry a later record may have been
 * promoted before (V), and it still wins.
 */
async function supersede(tx: Queryable, set: StagedSet): Promise<void> {
  const key = keyList(set.entity, 's')
  const goods = `FROM ${set.table} s WHERE s._execution_entity = ANY($1) AND s._state IN ('V', 'R')`
  const [twice] = await tx.query(`SELECT ${goods} GROUP BY s._execution_entity, ${key} HAVING count(*) > 1 LIMIT 1`, [
    set.ids,
  ])
  if (!twice) return
  const value = set.entity.key.map((name) => `s.${quoteIdentifier(name)}`).join(` || ', ' || `)
  const reason = `'Record ' || s.winner || ' of the same message has the same key and wins'`
  const losers = `FROM ranked s WHERE s._record_number < s.winner AND s._state = '${set.state}'`
  await tx.query(
    `WITH ranked AS (
       SELECT s.*, max(s._record_number) OVER (PARTITION BY s._execution_entity, ${key}) AS winner ${goods}
     ), noted AS (
       ${note('EP102', set.entity.key.join(', '), value, reason, losers)}
       RETURNING execution_entity, record_number
     )
     UPDATE ${set.table} s SET _state = 'S' FROM noted
     WHERE s._execution_entity = noted.execution_entity AND s._record_number = noted.record_number AND s._state = '${set.state}'`,
    [set.ids],
  )
}
