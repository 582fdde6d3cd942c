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
import { companyCollection } from '../execution/company'
import type { Queryable } from '../platform/database'
import { fromInError, fromStaged, keyList, type StagedSet, sameKey, typed } from './staged-set'

/** What the checks of one execution's entity found. */
export interface CheckResult {
  readonly id: number
  readonly inError: number
  readonly superseded: number
}

/** Where the records of an entity are looked up: its target table, or an SQL sub-query of it and what will be there. */
export type PlaceOf = (entity: Entity) => string

/**
 * Checks staged records against each other and against the target tables, all of them at once: company, relations,
 * mandatory fields of new records, then keys that occur twice. Records at fault get state E (S where a later record
 * of the same message has their key) and a row in `record_error` for each fault.
 * Records in error already are checked for company and relations as well, so that a person sees all that is wrong.
 * Input   `placeOf`: where the entity's own and related records are looked up; the target tables unless said otherwise.
 * Returns  the counts of those that have any; inError includes what staging found.
 */
export async function checkStaged(
  tx: Queryable,
  registry: EntityRegistry,
  set: StagedSet,
  placeOf: PlaceOf = targetTable,
): Promise<CheckResult[]> {
  await checkRecords(tx, registry, set, placeOf)
  await checkSelfRelations(tx, set, placeOf)
  if (set.repeats?.length !== 0) await supersede(tx, set)
  return countFaults(tx, set.ids)
}

/** The part of `checkStaged` that looks at each record by itself: company, relations, mandatory fields of new records. */
export async function checkRecords(
  tx: Queryable,
  registry: EntityRegistry,
  set: StagedSet,
  placeOf: PlaceOf = targetTable,
): Promise<void> {
  const references = [companyReference(registry, set, placeOf), ...relationReferences(set, placeOf)].filter(
    (each) => each !== undefined,
  )
  const checks = [lostReferences(set, references), ...mandatoryChecks(set, placeOf)]
  if (set.hasErrors) checks.push(lostReferencesInError(set, references))
  let found = 0
  for (const check of checks) if (check !== undefined) found += await tx.count(check, [set.ids])
  if (found > 0) await markInError(tx, set)
}

/** The part of `checkStaged` that looks at records which relate to others of their entity. Returns whether it found faults. */
export async function checkSelfRelations(
  tx: Queryable,
  set: StagedSet,
  placeOf: PlaceOf = targetTable,
): Promise<boolean> {
  let found = 0
  for (const check of selfRelationChecks(set, placeOf)) found += await tx.count(check, [set.ids])
  if (found > 0) await markInError(tx, set)
  return found > 0
}

/** The counts of what checks and staging have found; a work without any is not among them. */
export function countFaults(tx: Queryable, ids: readonly number[]): Promise<CheckResult[]> {
  return tx.query<CheckResult>(
    `SELECT execution_entity AS id,
       count(DISTINCT record_number) FILTER (WHERE code <> 'EP102') AS "inError",
       count(*) FILTER (WHERE code = 'EP102') AS superseded
     FROM entrepot.record_error WHERE execution_entity = ANY($1) GROUP BY 1`,
    [ids],
  )
}

/** The entities whose target tables the checks of an entity read. */
export function checkedEntities(registry: EntityRegistry, entity: Entity): Entity[] {
  const related = Object.values(entity.relations).map((relation) => relatedEntity(entity, relation))
  const companies = entity.companySpecific ? registry.find(companyCollection) : undefined
  return companies ? [companies, ...related] : related
}

const insertFaults =
  'INSERT INTO entrepot.record_error (execution_entity, record_number, line, step, code, field, value, reason)'

/** SQL: a fault of each of the staged records of `from`, as a row for `insertFaults`. */
function faults(code: string, field: string, value: string, reason: string, from: string): string {
  return `SELECT s._execution_entity, s._record_number, s._line, 'promote', '${code}', ${quoteLiteral(field)}, left(${value}, 200), ${reason}
    ${from}`
}

/** SQL that notes a fault for the staged records of `from`. */
function note(code: string, field: string, value: string, reason: string, from: string): string {
  return `${insertFaults} ${faults(code, field, value, reason, from)}`
}

/** Another record that staged records refer to, by columns of theirs. */
interface Reference {
  readonly code: 'EP101' | 'EP103'
  /** Columns of the staged record, and beside each the column there. */
  readonly pairs: readonly { readonly own: Column; readonly theirs: string }[]
  /** The pairs that make it a reference when one of them has a value; the company alone does not. */
  readonly given: Reference['pairs']
  /** SQL: the table that has the record, or a sub-query in its place. */
  readonly table: string
  /** SQL: what is wrong when it is not there. */
  readonly reason: string
}

/** How a column of a staged record is read as its target's type. */
type Reading = (column: Column) => string

function companyReference(registry: EntityRegistry, set: StagedSet, placeOf: PlaceOf): Reference | undefined {
  const companies = registry.find(companyCollection)
  const own = set.entity.columns.find(({ name, isKey }) => isKey && name === companyColumn)
  if (!companies || !own) return undefined
  const pairs = [{ own, theirs: quoteIdentifier(companies.key[0]!) }]
  const reason = `'The company ''' || s.${quoteIdentifier(companyColumn)} || ''' does not exist'`
  return { code: 'EP103', pairs, given: pairs, table: placeOf(companies), reason }
}

/** The relations whose fields are all in the file: of the others nothing is known until the record is there. */
function checkableRelations({ entity, columns }: StagedSet): Relation[] {
  const given = new Set(columns.map(({ name }) => name))
  return Object.values(entity.relations).filter(({ fields }) => Object.keys(fields).every((name) => given.has(name)))
}

function relationReferences(set: StagedSet, placeOf: PlaceOf): Reference[] {
  return checkableRelations(set)
    .filter(({ to }) => to !== 'self')
    .map((relation) => referenceOf(set.entity, relation, placeOf))
}

function referenceOf(entity: Entity, relation: Relation, placeOf: PlaceOf): Reference {
  const related = relatedEntity(entity, relation)
  const columns = new Map(entity.columns.map((column) => [column.name, column]))
  const given = (Object.entries(relation.fields) as [string, string][]).map(([own, theirs]) => ({
    own: columns.get(own)!,
    theirs: quoteIdentifier(theirs),
  }))
  const company = columns.get(companyColumn)
  const pairs =
    related.companySpecific && company ? [...given, { own: company, theirs: quoteIdentifier(companyColumn) }] : given
  const shown = given.map(({ own, theirs }) => {
    const name = theirs.replaceAll('"', '')
    return `${quoteLiteral(`${name} '`)} || s.${quoteIdentifier(own.name)} || ''''`
  })
  const where = pairs === given ? '' : ` || ' in company ' || s.${quoteIdentifier(companyColumn)}`
  const reason = `${quoteLiteral(`${related.label} has no record with `)} || ${shown.join(` || ' and ' || `)}${where}`
  return { code: 'EP101', pairs, given, table: placeOf(related), reason }
}

function isGiven({ given }: Reference): string {
  const parts = given.map(({ own: { name, field } }) => {
    return `s.${quoteIdentifier(name)} <> ${quoteLiteral(fieldTypes[field.type].empty(field))}`
  })
  return `(${parts.join(' OR ')})`
}

function joined({ pairs }: Reference, alias: string, reading: Reading): string {
  return pairs.map(({ own, theirs }) => `${alias}.${theirs} = ${reading(own)}`).join(' AND ')
}

/** Notes lost references of all kinds. One pass finds the records, mostly none; what each has lost is asked of those only. */
function lostReferences(set: StagedSet, references: readonly Reference[]): string | undefined {
  const joins = references.map((each, i) => `LEFT JOIN ${each.table} p${i} ON ${joined(each, `p${i}`, typed)}`)
  const isLost = references.map((each, i) => `${isGiven(each)} AND p${i}.${each.pairs[0]!.theirs} IS NULL`)
  const from = fromStaged(set).replace(' WHERE ', ` ${joins.join(' ')} WHERE `)
  return noteLost(references, `${from} AND (${isLost.join(' OR ')})`, typed)
}

/** Records in error hold text as it came, of which only strings can be compared. */
function lostReferencesInError(set: StagedSet, references: readonly Reference[]): string | undefined {
  const ofStrings = references.filter(({ pairs }) =>
    pairs.every(({ own }) => own.field.type === 'string' && !set.rewritten.has(own.name)),
  )
  return noteLost(ofStrings, fromInError(set), ({ name, field }) => {
    const text = `s.${quoteIdentifier(name)}`
    return field.letterCase === undefined ? text : `${field.letterCase}(${text})`
  })
}

function noteLost(references: readonly Reference[], from: string, reading: Reading): string | undefined {
  if (references.length === 0) return undefined
  const notes = references.map((reference) => {
    const isThere = `SELECT FROM ${reference.table} p WHERE ${joined(reference, 'p', reading)}`
    return faultRows(reference, `FROM suspect s WHERE ${isGiven(reference)} AND NOT EXISTS (${isThere})`)
  })
  return `WITH suspect AS MATERIALIZED (SELECT s.* ${from}) ${insertFaults} ${notes.join(' UNION ALL ')}`
}

function faultRows({ code, given, reason }: Pick<Reference, 'code' | 'given' | 'reason'>, from: string): string {
  const fields = given.map(({ own }) => own.name).join(', ')
  const value = given.map(({ own }) => `s.${quoteIdentifier(own.name)}`).join(` || ', ' || `)
  return faults(code, fields, value, reason, from)
}

/** A record may relate to another one of the same file; whoever relates to a record in error is in error too. */
function selfRelationChecks(set: StagedSet, placeOf: PlaceOf): string[] {
  return checkableRelations(set)
    .filter(({ to }) => to === 'self')
    .map((relation) => {
      const reference = referenceOf(set.entity, relation, placeOf)
      const inFile = reference.pairs
        .map(({ own, theirs }) => `p.${theirs} = s.${quoteIdentifier(own.name)}`)
        .concat('p._execution_entity = s._execution_entity')
        .join(' AND ')
      const isThere = `SELECT FROM ${reference.table} p WHERE ${joined(reference, 'p', typed)}`
      return `WITH RECURSIVE lost AS (SELECT s.* ${fromStaged(set)} AND ${isGiven(reference)} AND NOT EXISTS (${isThere})),
        bad AS (
          SELECT s.* FROM lost s WHERE NOT EXISTS (SELECT FROM ${set.table} p WHERE p._state = '${set.state}' AND ${inFile})
          UNION SELECT s.* FROM lost s JOIN bad p ON ${inFile}
        ) ${insertFaults} ${faultRows(reference, 'FROM bad s')}`
    })
}

/** A field that must have a value and is not in the file is a fault of records that are not there yet. */
function mandatoryChecks(set: StagedSet, placeOf: PlaceOf): string[] {
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
        `${fromStaged(set)}${isAbsent} AND NOT EXISTS (SELECT FROM ${placeOf(entity)} t WHERE ${sameKey(entity)})`,
      )
    })
}

/** Puts records with faults into state E. */
export async function markInError(tx: Queryable, set: StagedSet): Promise<void> {
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
  const own = keyList(set.entity, 's')
  const theirs = keyList(set.entity, 'k')
  const isSame = `s._execution_entity = k._execution_entity AND (${own}) = (${theirs})`
  const value = set.entity.key.map((name) => `s.${quoteIdentifier(name)}`).join(` || ', ' || `)
  const reason = `'Record ' || k.winner || ' of the same message has the same key and wins'`
  // To look for keys that occur twice among all is the longest of the checks: mostly reading has seen which may.
  const suspects = `JOIN (SELECT DISTINCT s._execution_entity, ${own} FROM ${set.table} s
      WHERE s._execution_entity = ANY($1) AND s._record_number = ANY($2)) k ON ${isSame}`
  await tx.query(
    `WITH twice AS MATERIALIZED (
       SELECT s._execution_entity, ${own}, max(s._record_number) AS winner
       FROM ${set.table} s ${set.repeats === null ? '' : suspects}
       WHERE s._execution_entity = ANY($1) AND s._state IN (${set.winners})
       GROUP BY s._execution_entity, ${own} HAVING count(*) > 1
     ), noted AS (
       ${note(
         'EP102',
         set.entity.key.join(', '),
         value,
         reason,
         `FROM ${set.table} s JOIN twice k ON ${isSame} WHERE s._record_number < k.winner AND s._state = '${set.state}'`,
       )}
       RETURNING execution_entity, record_number
     )
     UPDATE ${set.table} s SET _state = 'S' FROM noted
     WHERE s._execution_entity = noted.execution_entity AND s._record_number = noted.record_number AND s._state = '${set.state}'`,
    set.repeats === null ? [set.ids] : [set.ids, set.repeats],
  )
}
