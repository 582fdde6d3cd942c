import { MessageRejected } from '../errors'
import { companyColumn } from './define-entity'
import { string } from './field'
import { fieldTypes } from './field-types'
import { type FieldGuess, guessField } from './infer-field'
import { guessKey, type SampleColumn } from './infer-key'
import { type EntityNames, entityNames, fieldNames } from './infer-names'

/** The first records of a file. */
export interface Sample {
  /** As the file spells them. */
  readonly columns: readonly string[]
  /** Values in the order of the columns; undefined or '' where a record gives none. */
  readonly records: readonly (readonly (string | undefined)[])[]
  readonly fileName: string
}

/** A guessed entity, to be read and corrected by a person. */
export interface InferredEntity {
  /** TypeScript of a file in `entities/`. */
  readonly source: string
  /** Name of the exported entity, and a file name for the source, e.g. `customer-groups.ts`. */
  readonly exportName: string
  readonly fileName: string
  /** What was guessed and should be looked at, in sentences. */
  readonly notes: readonly string[]
}

/** A field of the guessed entity. */
interface InferredField extends SampleColumn {
  readonly guess: FieldGuess
  readonly column: string
}

/**
 * Writes the declaration of an entity whose records a sample shows. Every value of the sample is valid by it.
 * Throws  MessageRejected EF102 when the sample has no column that could be a field.
 */
export function inferEntity(sample: Sample): InferredEntity {
  const isCompany = (column: string) => column.trim().toLowerCase() === companyColumn.toLowerCase()
  const companyAt = sample.columns.findIndex(isCompany)
  const places = sample.columns.map((_, place) => place).filter((place) => !isCompany(sample.columns[place]!))
  if (places.length === 0) throw new MessageRejected('EF102', `The sample ${sample.fileName} has no column for a field`)
  const names = fieldNames(places.map((place) => sample.columns[place]!.trim()))
  const fields = places.map((place, index) => inferField(sample, place, names[index]!))
  const company = companyAt < 0 ? undefined : companyOf(sample, companyAt)
  const key = guessKey(fields, company)
  const entity = entityNames(sample.fileName)
  const notes = [
    `Key: ${key.reason}.`,
    company
      ? `${companyColumn} makes the entity company-specific and joins the key.`
      : `There is no ${companyColumn} column: the records are shared by all companies.`,
    ...(company?.values.some((value) => value === '' || value.length > mostCompanyLength)
      ? [`Some records have no company, or one of more than ${mostCompanyLength} characters: they will be in error.`]
      : []),
    ...fields.flatMap(({ name, guess }) => (guess.note ? [`${name}: ${guess.note}.`] : [])),
  ]
  return {
    source: sourceOf(entity, fields, key.names, company !== undefined, [`Inferred from ${sample.fileName}.`, ...notes]),
    exportName: entity.plural,
    fileName: `${entity.plural.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()}.ts`,
    notes,
  }
}

function valuesAt(sample: Sample, place: number): string[] {
  return sample.records.map((record) => record[place] ?? '')
}

function inferField(sample: Sample, place: number, name: string): InferredField {
  const values = valuesAt(sample, place)
  const column = sample.columns[place]!.trim()
  const guess = guessField(
    column,
    values.filter((value) => value !== ''),
  )
  return { name, column, values, guess, field: { mandatory: false, ...guess.options, type: guess.type } }
}

/** As long as the id of a legal entity. */
const mostCompanyLength = 4

function companyOf(sample: Sample, place: number): SampleColumn {
  return {
    name: companyColumn,
    values: valuesAt(sample, place),
    field: string({ maxLength: mostCompanyLength, letterCase: 'lower' }),
  }
}

function sourceOf(
  { name, label, singular, plural }: EntityNames,
  fields: readonly InferredField[],
  key: readonly string[],
  companySpecific: boolean,
  remarks: readonly string[],
): string {
  return `${importLine(fields)}

${remarks.map((remark) => `// ${onOneLine(remark)}`).join('\n')}
// Read it over: category, mandatory fields, relations and what a name should be are a person's to know.
export const ${plural} = defineEntity({
  name: ${quoted(name)},
  label: ${quoted(label)},
  publicEntityName: ${quoted(singular)},
  publicCollectionName: ${quoted(plural)},
  isPublic: true,
  dataManagementEnabled: true,
  category: 'Master',
  companySpecific: ${companySpecific},
  key: [${key.map(quoted).join(', ')}],
  fields: {
${fields.map((field) => `    ${field.name}: ${callOf(field, key.includes(field.name))},`).join('\n')}
  },
})
export type ${singular} = Row<typeof ${plural}>
`
}

/** Sorted as the formatter sorts, by name without regard to letter case. */
function importLine(fields: readonly InferredField[]): string {
  const functions = new Set(['defineEntity', ...fields.map(({ guess }) => guess.type)])
  const names = [...[...functions].map((name) => [name, name]), ['Row', 'type Row']]
    .sort(([a], [b]) => (a!.toLowerCase() < b!.toLowerCase() ? -1 : 1))
    .map(([, text]) => text)
  const line = `import { ${names.join(', ')} } from '../src/entity'`
  return line.length <= 120 ? line : line.replace('{ ', '{\n  ').replaceAll(', ', ',\n  ').replace(' }', ',\n}')
}

function callOf({ guess, name, column }: InferredField, isKey: boolean): string {
  const options = [
    ...Object.entries(guess.options).map(([option, value]) => `${option}: ${value}`),
    ...(isKey && !fieldTypes[guess.type].emptyIsAValue ? ['mandatory: true'] : []),
    ...(name === column ? [] : [`label: ${quoted(column)}`]),
  ]
  return `${guess.type}(${options.length > 0 ? `{ ${options.join(', ')} }` : ''})`
}

/** A text as a TypeScript literal in single quotes. */
function quoted(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return `'${escaped}'`
}

/** File and column names come from outside: none may end the comment that it stands in. */
function onOneLine(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
}
