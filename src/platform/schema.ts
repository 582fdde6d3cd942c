/**
 * A JSON Schema that knows the TypeScript type of its values: declared once, used to check requests, to write answers, for
 * the OpenAPI document, and for the types of the handlers.
 */
export interface Schema<Value = unknown> {
  readonly [keyword: string]: unknown
  /** Only for inference; never set. */
  readonly '~value'?: Value
}

/** The type of a schema's values. */
export type ValueOf<S> = S extends Schema<infer Value> ? Value : never

type Properties = Readonly<Record<string, Schema>>
type Required<P extends Properties> = { readonly [K in keyof P]: ValueOf<P[K]> }
type Optional<P extends Properties> = { readonly [K in keyof P]?: ValueOf<P[K]> }

/** Keywords that explain or narrow a schema. */
interface Keywords {
  readonly description?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly default?: string | number | boolean
}

export const text = (keywords: Keywords = {}): Schema<string> => ({ type: 'string', ...keywords })
/** A whole number; those of counts and sizes stay exact up to 2^53. */
export const whole = (keywords: Keywords = {}): Schema<number> => ({ type: 'integer', ...keywords })
export const flag = (keywords: Keywords = {}): Schema<boolean> => ({ type: 'boolean', ...keywords })
export const guid = (keywords: Keywords = {}): Schema<string> => ({ type: 'string', format: 'uuid', ...keywords })
/** A moment as ISO 8601 in UTC. */
export const moment = (keywords: Keywords = {}): Schema<string> => ({
  type: 'string',
  format: 'date-time',
  ...keywords,
})

export const oneOf = <const T extends string>(values: readonly T[], keywords: Keywords = {}): Schema<T> => ({
  type: 'string',
  enum: values,
  ...keywords,
})

export const list = <T>(items: Schema<T>, keywords: Keywords = {}): Schema<readonly T[]> => ({
  type: 'array',
  items,
  ...keywords,
})

/** The same, or null. */
export const nullable = <T>(schema: Schema<T>): Schema<T | null> => ({ ...schema, type: [schema.type, 'null'] })

/** Any object. */
export const anyObject = (keywords: Keywords = {}): Schema<Readonly<Record<string, unknown>>> => ({
  type: 'object',
  additionalProperties: true,
  ...keywords,
})

/** An object of any properties, whose values are all of one schema. */
export const mapOf = <T>(values: Schema<T>): Schema<Readonly<Record<string, T>>> => ({
  type: 'object',
  additionalProperties: values,
})

/** An object of these properties, those of `optional` may be left out. */
export function object<P extends Properties, O extends Properties = Record<never, never>>(
  properties: P,
  optional?: O,
): Schema<Required<P> & Optional<O>> {
  return {
    type: 'object',
    properties: { ...properties, ...optional },
    required: Object.keys(properties),
    additionalProperties: false,
  }
}

/** The same, with any other properties let pass: the queries of Dynamics 365's clients have keys that mean nothing here. */
export function lenient<S extends object>(schema: S): S {
  return { ...schema, additionalProperties: true }
}
