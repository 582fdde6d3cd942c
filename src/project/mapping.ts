import { type Column, companyColumn, type Entity, fieldTypes, findColumn, nearest } from '../entity'

/**
 * What one field of an entity is filled from. Fields that no map of a mapping names are not given by the source.
 * Source  Dynamics 365's data management: "mapping" of a data project, `EntityMap` of a package's manifest.
 */
export interface FieldMap {
  /** Name of the entity's field. */
  readonly field: string
  /** The source's name for it; null where the value comes from elsewhere. */
  readonly source: string | null
  /** Value in place of an empty or missing one, as the hub writes it. */
  readonly defaultValue?: string
  /** Texts of the source and what they become, found without regard to letter case; others stay as they are. */
  readonly conversions?: readonly Conversion[]
  /** Name of the number sequence that gives a value where the source gives none. */
  readonly numberSequence?: string
  /** An empty text leaves the target's value as it is, instead of emptying it. */
  readonly ignoreBlankValues?: boolean
  /** Files may lack the column, and nothing is said of it. */
  readonly isOptional?: boolean
  /** The value is in quotes of its own even in a format without text qualifier. */
  readonly useTextQualifier?: boolean
}

/** A pair of a value conversion: a text of the source, and the value, as the hub writes it, that it stands for. */
export interface Conversion {
  readonly from: string
  readonly to: string
}

/** Something that is wrong with a mapping. */
export interface MappingFault {
  readonly field: string
  /** A sentence with the names in it. */
  readonly reason: string
}

/** All that is wrong with a mapping of an entity; nothing for one that is right. */
export function mappingFaults(entity: Entity, mapping: readonly FieldMap[]): MappingFault[] {
  const seen = new Set<string>()
  const faults = mapping.flatMap((map) => {
    const column = findColumn(entity, map.field)
    if (column === undefined) return [unknownField(entity, map.field)]
    const isTwice = seen.has(column.name)
    seen.add(column.name)
    const twice = isTwice ? [{ field: column.name, reason: `${column.name} is mapped twice` }] : []
    return [...twice, ...fieldMapFaults(column, map)]
  })
  return [...faults, ...missingFields(entity, seen)]
}

function unknownField(entity: Entity, field: string): MappingFault {
  const near = nearest(
    field,
    entity.columns.map(({ name }) => name),
  )
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  return { field, reason: `${entity.label} has no field ${field.slice(0, 60)}${hint}` }
}

function fieldMapFaults({ name, field }: Column, map: FieldMap): MappingFault[] {
  const faults: MappingFault[] = []
  const { source, defaultValue, conversions = [], numberSequence, ignoreBlankValues } = map
  if (source === null && defaultValue === undefined && numberSequence === undefined) {
    faults.push({ field: name, reason: `${name} has neither a source nor a default value nor a number sequence` })
  }
  if (numberSequence !== undefined && field.type !== 'string') {
    faults.push({ field: name, reason: `${name} is ${field.type}: a number sequence gives texts` })
  }
  if (defaultValue === '' && field.mandatory) {
    faults.push({ field: name, reason: `${name} is mandatory: its default value is empty` })
  }
  const instead = defaultValue !== undefined ? 'default value' : numberSequence !== undefined && 'number sequence'
  if (ignoreBlankValues && instead) {
    faults.push({ field: name, reason: `${name} ignores blank values, and has a ${instead} for them` })
  }
  const values = [
    ...(defaultValue === undefined ? [] : [{ what: 'the default value', text: defaultValue }]),
    ...conversions.map(({ from, to }) => ({ what: `the conversion of '${from}'`, text: to })),
  ]
  for (const { what, text } of values) {
    if (text === '') continue
    const parsed = fieldTypes[field.type].parse(text, field)
    if (typeof parsed !== 'string')
      faults.push({ field: name, reason: `${what} of ${name} '${text}' ${parsed.reason}` })
  }
  const doubled = conversions.find(({ from }, index) =>
    conversions.slice(0, index).some((other) => other.from.toLowerCase() === from.toLowerCase()),
  )
  if (doubled) faults.push({ field: name, reason: `${name} has two conversions of '${doubled.from}'` })
  return faults
}

/** A record without these could never be promoted; the company may come from the message. */
function missingFields({ label, columns }: Entity, mapped: ReadonlySet<string>): MappingFault[] {
  return columns
    .filter(({ name, isKey, field }) => {
      const isNeeded = isKey ? name !== companyColumn : field.mandatory && field.default === undefined
      return isNeeded && !mapped.has(name)
    })
    .map(({ name, isKey }) => ({
      field: name,
      reason: `${name} is ${isKey ? 'a key field' : 'mandatory'} of ${label} and is not mapped`,
    }))
}

/**
 * A mapping of a package's manifest with what a manifest cannot say of a field, as the project's own mapping has it: the
 * name of its number sequence, and what its missing or empty values mean.
 */
export function withUnsaid(mapping: readonly FieldMap[], own: readonly FieldMap[] | null): FieldMap[] {
  return mapping.map((map) => {
    const { numberSequence, ignoreBlankValues, isOptional } = own?.find(({ field }) => field === map.field) ?? {}
    return {
      ...map,
      ...(map.numberSequence !== undefined && numberSequence !== undefined ? { numberSequence } : {}),
      ...(ignoreBlankValues && map.defaultValue === undefined && map.numberSequence === undefined
        ? { ignoreBlankValues }
        : {}),
      ...(isOptional ? { isOptional } : {}),
    }
  })
}

/** A mapping made from the header of a file, and the columns that no field was found for. */
export interface GeneratedMapping {
  readonly mapping: readonly FieldMap[]
  readonly unmapped: readonly string[]
}

/** Maps the columns of a header to the fields of their names or labels, without regard to letter case, spaces and underscores. */
export function generateMapping(entity: Entity, header: readonly string[]): GeneratedMapping {
  const mapping = new Map<string, FieldMap>()
  const unmapped: string[] = []
  for (const source of header) {
    const column = findColumn(entity, source)
    if (column === undefined || mapping.has(column.name)) unmapped.push(source)
    else mapping.set(column.name, { field: column.name, source })
  }
  return { mapping: [...mapping.values()], unmapped }
}
