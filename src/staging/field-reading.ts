import { type Column, type Convert, type Entity, fieldTypes, findColumn } from '../entity'
import { MessageRejected } from '../errors'
import { conventionOf } from '../format/conventions'
import type { SourceFormat } from '../format/source-format'
import type { FieldMap } from '../project/mapping'
import type { NumberSupply } from './number-supply'

/** What is done to the texts of one field beside what its type says: the conventions of the format, and the mapping. */
export interface FieldReading {
  /** Done to a text, also an empty one, before the field reads it. */
  readonly convert?: Convert
  /** Canonical text in place of an empty or missing one. */
  readonly defaultText?: string
  /** An empty text is one that is not given. */
  readonly ignoresBlank?: boolean
  /** Gives a text in place of an empty or missing one. */
  readonly numbers?: NumberSupply
}

/** By the entity's columns; undefined where nothing is to be done. */
export type FieldReadings = readonly (FieldReading | undefined)[]

/** How the texts of a source are read as fields. */
export function readingsOf(
  format: SourceFormat,
  entity: Entity,
  mapping: readonly FieldMap[] | undefined,
  numbers: ReadonlyMap<string, NumberSupply> = new Map(),
): FieldReadings {
  return entity.columns.map((column) => {
    const convention = conventionOf(format, column.field)
    const map = mapping?.find(({ field }) => findColumn(entity, field) === column)
    const reading =
      map === undefined
        ? { ...(convention ? { convert: convention } : {}) }
        : readingOf(column, map, convention, numbers)
    return Object.keys(reading).length === 0 ? undefined : reading
  })
}

function readingOf(
  column: Column,
  map: FieldMap,
  convention: Convert | undefined,
  numbers: ReadonlyMap<string, NumberSupply>,
): FieldReading {
  const convert = convertOf(map, convention)
  const supply = map.numberSequence === undefined ? undefined : numbers.get(map.numberSequence)
  return {
    ...(convert ? { convert } : {}),
    ...(map.defaultValue === undefined ? {} : { defaultText: canonicalDefault(column, map.defaultValue) }),
    ...(map.ignoreBlankValues ? { ignoresBlank: true } : {}),
    ...(supply ? { numbers: supply } : {}),
  }
}

/** The mapping was checked when it was made; the entity may have changed since. */
function canonicalDefault({ name, field }: Column, text: string): string {
  const type = fieldTypes[field.type]
  const parsed = text === '' ? type.empty(field) : type.parse(text, field)
  if (typeof parsed === 'string') return parsed
  throw new MessageRejected('EF112', `The default value of ${name} '${text}' ${parsed.reason}`, { field: name })
}

/** Quotes of the value's own go first, then a conversion that has its text decides, else the conventions of the format. */
function convertOf(
  { conversions = [], useTextQualifier }: FieldMap,
  convention: Convert | undefined,
): Convert | undefined {
  if (conversions.length === 0 && !useTextQualifier) return convention
  const pairs = new Map(conversions.map(({ from, to }) => [from.toLowerCase(), to]))
  return (text) => {
    const bare = useTextQualifier ? withoutQuotes(text) : text
    return pairs.get(bare.toLowerCase()) ?? (convention === undefined ? bare : convention(bare))
  }
}

function withoutQuotes(text: string): string {
  return /^".*"$/s.test(text) && text.length > 1 ? text.slice(1, -1).replaceAll('""', '"') : text
}
