import { SetupFault } from '../errors'
import { type Field, string } from './field'
import { fieldTypes } from './field-types'

/** What kind of data an entity holds (Dynamics 365's entity categories). */
export type EntityCategory = 'Parameter' | 'Reference' | 'Master' | 'Document' | 'Transaction'

export type Fields = Readonly<Record<string, Field>>
type NameOf<F> = Extract<keyof F, string>

/** A record's values by field name; `dataAreaId` is there for company-specific entities only. */
export type RowOf<F extends Fields> = { -readonly [K in keyof F]: F[K] extends Field<infer V> ? V : never } & {
  dataAreaId?: string
}

/** The row type of an entity: `type Customer = Row<typeof Customers>`. */
export type Row<E> = E extends Entity<infer F> ? RowOf<F> : never

/** Fields of one entity that hold the key of another: own field name -> field name there. */
export interface Relation<Own extends string = string> {
  /** The related entity, as a function so that files may refer to each other in any order; 'self' for the entity itself. */
  readonly to: (() => Entity) | 'self'
  readonly fields: { readonly [K in Own]?: string }
}

/** A relation to another entity: its record must exist before ours is promoted, unless our fields are empty. */
export function belongsTo<Own extends string, F extends Fields>(
  to: () => Entity<F>,
  fields: { readonly [K in Own]?: NameOf<F> },
): Relation<Own> {
  return { to: to as () => Entity, fields }
}

/** A relation of an entity to itself; the related record may be in the same file. */
export function belongsToItself<Own extends string>(fields: { readonly [K in Own]?: string }): Relation<Own> {
  return { to: 'self', fields }
}

/** What a person declares of an entity. */
export interface EntityDeclaration<F extends Fields> {
  /** Name in data management, e.g. `CustCustomerGroupEntity`; tables and XML records are named after it. */
  readonly name: string
  /** Name that people and the connector API use, e.g. `Customer groups`. */
  readonly label: string
  readonly publicEntityName: string
  readonly publicCollectionName: string
  readonly isPublic: boolean
  readonly dataManagementEnabled: boolean
  readonly category: EntityCategory
  /** Records of a company-specific entity carry `dataAreaId`, which joins the key. */
  readonly companySpecific: boolean
  readonly key: readonly [NoInfer<NameOf<F>>, ...NoInfer<NameOf<F>>[]]
  readonly fields: F
  readonly relations?: Readonly<Record<string, Relation<NoInfer<NameOf<F>>>>>
  /**
   * A rule over the whole record, called once each field is right for itself.
   * Returns what is wrong, nothing for a good record. It runs for every record, so it must not look elsewhere.
   */
  validateRecord?(row: RowOf<NoInfer<F>>): readonly RecordRuleFault<NoInfer<NameOf<F>>>[]
}

/** What `validateRecord` found. */
export interface RecordRuleFault<Name extends string = string> {
  readonly field?: Name
  readonly reason: string
}

/** A column of the entity's tables and files. */
export interface Column {
  readonly name: string
  readonly field: Field
  readonly isKey: boolean
}

/** A data entity: the declared shape of one kind of record, and what follows from it. */
export interface Entity<F extends Fields = Fields> {
  readonly name: string
  readonly label: string
  readonly publicEntityName: string
  readonly publicCollectionName: string
  readonly isPublic: boolean
  readonly dataManagementEnabled: boolean
  readonly category: EntityCategory
  readonly companySpecific: boolean
  readonly fields: F
  readonly relations: Readonly<Record<string, Relation>>
  readonly validateRecord?: (row: Record<string, unknown>) => readonly RecordRuleFault[]
  /** `dataAreaId` first where company-specific, then the declared fields in their order. */
  readonly columns: readonly Column[]
  /** Names of the key columns, `dataAreaId` first where company-specific. */
  readonly key: readonly string[]
}

/** The company column of company-specific entities. */
export const companyColumn = 'dataAreaId'
/** A legal entity's id has at most four characters in Dynamics 365; kept in lower case as its OData does. */
const companyField = string({ maxLength: 4, mandatory: true, letterCase: 'lower', label: 'Company' })

/**
 * Names must stay unique after lower-casing and after Postgres's cut at 63 bytes; 51 characters leave room for
 * the underscore and 11 digits of an execution's own staging table.
 */
export const namePattern = /^[A-Za-z][A-Za-z0-9_]{0,50}$/

/**
 * Declares an entity.
 * Throws  SetupFault ES108 with all that is wrong with the declaration.
 */
export function defineEntity<const F extends Fields>(declaration: EntityDeclaration<F>): Entity<F> {
  const { relations = {}, validateRecord, key, ...rest } = declaration
  const faults = declarationFaults(declaration as unknown as EntityDeclaration<Fields>)
  if (faults.length > 0) {
    throw new SetupFault('ES108', `The entity ${declaration.name} is declared wrongly: ${faults.join('; ')}`, {
      entity: declaration.name,
    })
  }
  const fullKey = declaration.companySpecific ? [companyColumn, ...key] : [...key]
  const canonical = Object.entries(declaration.fields).map(([name, field]) => [name, canonicalDefault(field)] as const)
  const fields = declaration.companySpecific ? [[companyColumn, companyField] as const, ...canonical] : canonical
  const columns = fields.map(([name, field]) => {
    const isKey = fullKey.includes(name)
    return {
      name,
      isKey,
      field: isKey && !fieldTypes[field.type].emptyIsAValue ? { ...field, mandatory: true } : field,
    }
  })
  return {
    ...rest,
    // The same fields, of which only the defaults are spelt anew.
    fields: Object.fromEntries(canonical) as unknown as F,
    relations: relations as Readonly<Record<string, Relation>>,
    ...(validateRecord ? { validateRecord: validateRecord as NonNullable<Entity['validateRecord']> } : {}),
    key: fullKey,
    columns,
  }
}

/** A field's default in its canonical text, so that tables and values need no parsing of it again. */
function canonicalDefault(field: Field): Field {
  if (field.default === undefined) return field
  const parsed = fieldTypes[field.type].parse(field.default, field)
  return typeof parsed === 'string' ? { ...field, default: parsed } : field
}

function declarationFaults(declaration: EntityDeclaration<Fields>): string[] {
  const faults: string[] = []
  const names = Object.keys(declaration.fields)
  for (const name of [declaration.name, declaration.publicEntityName, declaration.publicCollectionName, ...names]) {
    if (!namePattern.test(name)) faults.push(`the name '${name}' is not of the form ${namePattern.source}`)
  }
  if (/_\d+$/.test(declaration.name)) {
    faults.push(`the name '${declaration.name}' ends in a number, as the staging table of a single execution does`)
  }
  const seen = new Set<string>()
  for (const name of names) {
    const lower = name.toLowerCase()
    if (seen.has(lower)) faults.push(`the field ${name} is declared twice (letter case does not tell names apart)`)
    if (lower === companyColumn.toLowerCase()) faults.push(`${companyColumn} is added by companySpecific, not declared`)
    seen.add(lower)
  }
  for (const name of declaration.key) {
    if (!names.includes(name)) faults.push(`the key names no field: ${name}`)
  }
  if (new Set(declaration.key).size < declaration.key.length) faults.push('the key names a field twice')
  for (const [relation, { fields }] of Object.entries(declaration.relations ?? {})) {
    if (!namePattern.test(relation)) faults.push(`the name '${relation}' is not of the form ${namePattern.source}`)
    if (seen.has(relation.toLowerCase())) faults.push(`the relation ${relation} has the name of a field`)
    for (const own of Object.keys(fields)) {
      if (!names.includes(own)) faults.push(`the relation ${relation} names no field: ${own}`)
    }
  }
  for (const [name, field] of Object.entries(declaration.fields)) {
    faults.push(...fieldFaults(name, field))
  }
  return faults
}

function fieldFaults(name: string, field: Field): string[] {
  const faults: string[] = []
  if (field.type === 'string' && !(Number.isInteger(field.maxLength) && field.maxLength! > 0)) {
    faults.push(`the field ${name} needs a maxLength above 0`)
  }
  if (
    field.type === 'decimal' &&
    !(field.precision! >= 1 && field.precision! <= 38 && field.scale! >= 0 && field.scale! <= field.precision!)
  ) {
    faults.push(`the field ${name} needs a precision of 1 to 38 and a scale of 0 to the precision`)
  }
  if (field.type === 'enumeration') {
    // Members are found without regard to case, by name or by number.
    const members = field.enumeration?.members ?? []
    const unique = new Set(members.map((member) => member.toLowerCase()))
    if (members.length === 0 || unique.size < members.length || !members.every((member) => namePattern.test(member))) {
      faults.push(`the field ${name} needs an enumeration whose members are names, each there once`)
    }
  }
  if (faults.length === 0 && field.default !== undefined) {
    const parsed = fieldTypes[field.type].parse(field.default, field)
    if (typeof parsed !== 'string') faults.push(`the default of ${name} is wrong: ${parsed.reason}`)
  }
  return faults
}
