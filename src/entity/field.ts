import type { Enumeration } from './enumeration'

/** The types a field may have; each is one entry of `fieldTypes`. */
export type FieldTypeName =
  | 'string'
  | 'int32'
  | 'int64'
  | 'decimal'
  | 'boolean'
  | 'noYes'
  | 'date'
  | 'dateTime'
  | 'guid'
  | 'enumeration'

/** The TypeScript value of a field: exact text for what JavaScript numbers cannot hold. */
export interface FieldValues {
  string: string
  int32: number
  int64: string
  decimal: string
  boolean: boolean
  noYes: 'No' | 'Yes'
  date: string
  dateTime: string
  guid: string
  enumeration: string
}

/** A declared field. `Value` is the type of its value in `Row<Entity>`. */
export interface Field<Value = unknown> {
  readonly type: FieldTypeName
  readonly label?: string
  /** The field must have a value that is not the type's empty one. */
  readonly mandatory: boolean
  /** Canonical text used when the source gives no value. */
  readonly default?: string
  /** string: largest number of characters (code points). */
  readonly maxLength?: number
  /** string: the letter case in which values are kept; comparing is then without regard to case. */
  readonly letterCase?: 'upper' | 'lower'
  /** decimal: digits in all, and after the dot. */
  readonly precision?: number
  readonly scale?: number
  readonly enumeration?: Enumeration
  /** Only for inference; never set. */
  readonly '~value'?: Value
}

interface CommonOptions {
  readonly label?: string
  readonly mandatory?: boolean
  /** Text as a source would give it; checked when the entity is defined. */
  readonly default?: string
}

function field<Value>(type: FieldTypeName, options: CommonOptions & Partial<Field>): Field<Value> {
  return { mandatory: false, ...options, type } as Field<Value>
}

/** Text of at most `maxLength` characters. */
export const string = (options: CommonOptions & { maxLength: number; letterCase?: 'upper' | 'lower' }): Field<string> =>
  field('string', options)
/** A whole number of 32 bits. */
export const int32 = (options: CommonOptions = {}): Field<number> => field('int32', options)
/** A whole number of 64 bits, as text. */
export const int64 = (options: CommonOptions = {}): Field<string> => field('int64', options)
/** A decimal number of `precision` digits, `scale` of them after the dot, as text; the defaults are Dynamics 365's. */
export const decimal = (options: CommonOptions & { precision?: number; scale?: number } = {}): Field<string> =>
  field('decimal', { precision: 32, scale: 6, ...options })
/** true or false. */
export const boolean = (options: CommonOptions = {}): Field<boolean> => field('boolean', options)
/** Dynamics 365's own two-valued enumeration. */
export const noYes = (options: CommonOptions = {}): Field<'No' | 'Yes'> => field('noYes', options)
/** A day, `yyyy-MM-dd`. */
export const date = (options: CommonOptions = {}): Field<string> => field('date', options)
/** A moment in UTC, `yyyy-MM-ddTHH:mm:ss[.ffffff]Z`. */
export const dateTime = (options: CommonOptions = {}): Field<string> => field('dateTime', options)
/** A GUID in lower case without braces. */
export const guid = (options: CommonOptions = {}): Field<string> => field('guid', options)
/** One of the names of an enumeration. */
export const enumeration = <const E extends Enumeration>(
  of: E,
  options: CommonOptions = {},
): Field<E['members'][number]> => field('enumeration', { ...options, enumeration: of })
