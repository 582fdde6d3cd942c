import { companyColumn, type Entity, findColumn, plainName } from '../entity'
import { MessageRejected } from '../errors'
import type { FieldMap } from '../project/mapping'

/** Name of the column by which a file of records in error says what is wrong with them: that file may be sent again. */
export const reasonColumn = 'ErrorMessage'

/** Which column of a source gives which column of the entity. */
export interface ColumnMap {
  /** For each column of the entity, in its order, the index of the source's column; -1 for none. */
  readonly sources: readonly number[]
  /** Names of the source's columns that go nowhere, as the source spells them. */
  readonly unknown: readonly string[]
  /** Names of columns that the mapping has and the source has not. */
  readonly lacking: readonly string[]
}

/** How the columns of a source are matched. */
export interface MappingRules {
  /** Unknown columns are refused instead of left out. */
  readonly strict: boolean
  /** Company of records that name none; null when there is none. */
  readonly company: string | null
  /** What each field is filled from; without it columns are matched by name. */
  readonly mapping?: readonly FieldMap[]
}

/**
 * Matches a source's columns with the entity's as its mapping says, else by name, else by label, without regard to case,
 * spaces, hyphens or underscores.
 * Throws  MessageRejected EF102 (no column matches), EF103 (one named twice), EF104 (a key column missing),
 *         EF108 (unknown column and strict), EF112 (a mapping of fields that are none), EP105 (no company to be had).
 */
export function mapColumns(entity: Entity, names: readonly string[], rules: MappingRules): ColumnMap {
  const map = rules.mapping ? byMapping(entity, names, rules.mapping) : byName(entity, names)
  const { sources, unknown } = map
  if (sources.every((source) => source === -1)) {
    throw new MessageRejected(
      'EF102',
      rules.mapping
        ? `None of the columns ${listed(names)} is one that the mapping of ${entity.label} names, which are ${listed(map.lacking)}`
        : `None of the columns ${listed(names)} is a field of ${entity.label}, which has ${listed(entity.columns.map(({ name }) => name))}`,
      { entity: entity.name, line: 1 },
    )
  }
  refuseMissing(entity, map, rules)
  if (rules.strict) refuseUnknown(entity, unknown)
  return map
}

/** Throws MessageRejected EF108 when there are names that go nowhere. */
export function refuseUnknown(entity: Entity, unknown: readonly string[]): void {
  if (unknown.length === 0) return
  const text = `${entity.label} has no field for ${listed(unknown)}, and the activity is strict`
  throw new MessageRejected('EF108', text, { entity: entity.name, line: 1 })
}

function byMapping(entity: Entity, names: readonly string[], mapping: readonly FieldMap[]): ColumnMap {
  const places = new Map<string, number[]>()
  names.forEach((name, index) => void places.set(plainName(name), [...(places.get(plainName(name)) ?? []), index]))
  const sources = entity.columns.map(() => -1)
  const lacking: string[] = []
  const used = new Set<number>()
  for (const { field, source, isOptional } of mapping) {
    const column = findColumn(entity, field)
    if (!column) {
      throw new MessageRejected('EF112', `The mapping names a field ${field} that ${entity.label} has not`, {
        entity: entity.name,
        field,
      })
    }
    if (source === null) continue
    const [place, other] = places.get(plainName(source)) ?? []
    if (other !== undefined) throw namedTwice(entity, column.name, names[place!]!, names[other]!)
    if (place === undefined) {
      if (!isOptional) lacking.push(source)
    } else {
      sources[entity.columns.indexOf(column)] = place
      used.add(place)
    }
  }
  return { sources, unknown: names.filter((name, index) => !used.has(index) && name !== reasonColumn), lacking }
}

function namedTwice(entity: Entity, field: string, one: string, other: string): MessageRejected {
  const place = { entity: entity.name, field, line: 1 }
  return new MessageRejected('EF103', `The columns '${one}' and '${other}' are the same field`, place)
}

function byName(entity: Entity, names: readonly string[]): ColumnMap {
  const sources = entity.columns.map(() => -1)
  const unknown: string[] = []
  names.forEach((name, source) => {
    const column = findColumn(entity, name)
    const index = column === undefined ? -1 : entity.columns.indexOf(column)
    if (index === -1) unknown.push(name)
    else if (sources[index] === -1) sources[index] = source
    else throw namedTwice(entity, entity.columns[index]!.name, names[sources[index]!]!, name)
  })
  return { sources, unknown: unknown.filter((name) => name !== reasonColumn), lacking: [] }
}

function refuseMissing(entity: Entity, { sources }: ColumnMap, { company, mapping }: MappingRules): void {
  const filled = (mapping ?? [])
    .filter(({ defaultValue, numberSequence }) => defaultValue !== undefined || numberSequence !== undefined)
    .map(({ field }) => findColumn(entity, field)?.name)
  const missing = entity.columns
    .filter(({ isKey, name }, index) => isKey && sources[index] === -1 && !filled.includes(name))
    .map(({ name }) => name)
  const fields = missing.filter((name) => name !== companyColumn)
  if (fields.length > 0) {
    throw new MessageRejected('EF104', `The file has no column for the key of ${entity.label}: ${fields.join(', ')}`, {
      entity: entity.name,
      field: fields[0]!,
      line: 1,
    })
  }
  if (missing.includes(companyColumn) && company === null) {
    throw new MessageRejected(
      'EP105',
      `${entity.label} belong to a company, and neither the file nor the message names one`,
      {
        entity: entity.name,
        field: companyColumn,
      },
    )
  }
}

/** Names for a sentence, few enough to be read. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 12).map((name) => `'${name.slice(0, 60)}'`)
  return names.length > shown.length ? `${shown.join(', ')} and ${names.length - shown.length} more` : shown.join(', ')
}
