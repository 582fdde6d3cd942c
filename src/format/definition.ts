import { RequestRefused, textOf } from '../errors'
import { conventionProblems } from './conventions'
import { dialectProblems } from './delimited-dialect'
import { encodingNamed } from './encoding'
import type { FormatProblem } from './format-problem'
import type { DelimitedFormat, SourceFormat, XmlFormat } from './source-format'

/** What a property of a definition may be: a sign of a few characters, a longer text, true or false, or one of some words. */
type Kind = 'sign' | 'text' | 'flag' | readonly string[]

const conventions = {
  encoding: 'text',
  decimalSeparator: 'sign',
  groupSeparator: 'sign',
  dateFormat: 'text',
  dateTimeFormat: 'text',
  timeZone: 'text',
} as const

/** The properties of each kind of format, and what those are that a definition may leave out and a format may not. */
const shapes = {
  delimited: {
    properties: {
      delimiter: 'sign',
      qualifier: 'sign',
      hasHeader: 'flag',
      rowDelimiter: 'sign',
      escape: 'sign',
      comment: 'sign',
      ...conventions,
    } satisfies Record<Exclude<keyof DelimitedFormat, 'kind'>, Kind>,
    defaults: { qualifier: '"', hasHeader: true },
    needs: ['delimiter'],
  },
  xml: {
    properties: { style: ['element', 'attribute'], root: 'text', ...conventions } satisfies Record<
      Exclude<keyof XmlFormat, 'kind'>,
      Kind
    >,
    defaults: { style: 'element', root: 'Document' },
    needs: [],
  },
} as const satisfies Record<SourceFormat['kind'], Shape>

interface Shape {
  readonly properties: Readonly<Record<string, Kind>>
  readonly defaults: Readonly<Record<string, string | boolean>>
  readonly needs: readonly string[]
}

const maxSignLength = 10
const maxTextLength = 60

/**
 * Reads the definition of a source data format that a person has written: `kind`, and the properties of `SourceFormat`.
 * A property that is null or empty counts as left out, except that an empty qualifier is none; a code page may be a number.
 * Throws  RequestRefused 400 EA109, saying of every property what is wrong with it.
 */
export function readDefinition(definition: Readonly<Record<string, unknown>>): SourceFormat {
  const { kind, ...given } = definition
  if (kind !== 'delimited' && kind !== 'xml') {
    throw refusal([{ property: 'kind', sentence: `${shown(kind)} is neither delimited nor xml` }])
  }
  const shape: Shape = shapes[kind]
  const { values, problems } = readProperties(given, shape)
  if (problems.length > 0) throw refusal(problems)
  // Every property has been found to be what its shape says, which is held to the type above.
  const format = { kind, ...shape.defaults, ...values } as SourceFormat
  const contradictions = [
    ...(format.kind === 'delimited' ? dialectProblems(format) : rootProblems(format)),
    ...encodingProblems(format),
    ...conventionProblems(format),
  ]
  if (contradictions.length > 0) throw refusal(contradictions)
  return format
}

function readProperties(given: Readonly<Record<string, unknown>>, { properties, needs }: Shape) {
  const values: Record<string, unknown> = {}
  const problems: FormatProblem[] = []
  for (const [property, raw] of Object.entries(given)) {
    const value = property === 'encoding' && typeof raw === 'number' ? String(raw) : raw
    if (value === undefined || value === null || (value === '' && property !== 'qualifier')) continue
    const sentence = Object.hasOwn(properties, property)
      ? unlikeness(value, properties[property]!)
      : `is not known; known are ${Object.keys(properties).join(', ')}`
    if (sentence === undefined) values[property] = value
    else problems.push({ property: property.slice(0, maxTextLength), sentence })
  }
  for (const property of needs) {
    const isThere = property in values || problems.some((problem) => problem.property === property)
    if (!isThere) problems.push({ property, sentence: 'is missing' })
  }
  return { values, problems }
}

/** Why a value is not of its kind; undefined where it is. */
function unlikeness(value: unknown, kind: Kind): string | undefined {
  if (kind === 'flag') return typeof value === 'boolean' ? undefined : `${shown(value)} is neither true nor false`
  if (typeof value !== 'string') return `${shown(value)} is no text`
  if (typeof kind === 'object')
    return kind.includes(value) ? undefined : `${shown(value)} is none of ${kind.join(', ')}`
  const limit = kind === 'sign' ? maxSignLength : maxTextLength
  if (value.length > limit) return `${shown(value)} has more than ${limit} characters`
  return /[\0\p{Cs}]/u.test(value) ? `${shown(value)} holds what is no character` : undefined
}

function rootProblems({ root }: XmlFormat): FormatProblem[] {
  const isName = /^[\p{L}_][\p{L}\p{N}_.-]*$/u.test(root)
  return isName ? [] : [{ property: 'root', sentence: `${shown(root)} is no name of an element` }]
}

function encodingProblems({ encoding }: SourceFormat): FormatProblem[] {
  try {
    if (encoding !== undefined) encodingNamed(encoding)
    return []
  } catch (error) {
    return [{ property: 'encoding', sentence: textOf(error).replace(/\.$/, '') }]
  }
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, maxTextLength)
}

function refusal(problems: readonly FormatProblem[]): RequestRefused {
  const sentences = problems.map(({ property, sentence }) => `${property}: ${sentence}`).join('; ')
  return new RequestRefused(400, 'EA109', `The definition is wrong. ${sentences}.`, { field: problems[0]!.property })
}
