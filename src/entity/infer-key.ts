import type { Field } from './field'
import { canonicalText } from './infer-field'

/** A column of a sample, with its guessed field. */
export interface SampleColumn {
  readonly name: string
  readonly field: Field
  /** One a record; empty where the record gives none. */
  readonly values: readonly string[]
}

/** Which columns tell the records of a sample apart, and how sure that is. */
export interface KeyGuess {
  readonly names: readonly [string, ...string[]]
  /** A sentence. */
  readonly reason: string
}

/** Names that keys usually have. */
const keyName = /(?:id|number|code|account|key)$/i
/** Beyond the first dozen columns a pair is hardly a key, and pairs grow with the square. */
const mostColumnsForPairs = 12
/** Values that measure, decide or describe tell no records apart, even when they happen to differ. */
const unlikelyTypes: readonly Field['type'][] = ['decimal', 'boolean', 'noYes', 'dateTime']
/** A longer text is a description. */
const mostKeyLength = 255

/**
 * Guesses the key: the first column that is never empty and unique, rather one whose name ends like a key's, else a pair.
 * Input   columns, at least one; `company` when records of different companies may share a key.
 */
export function guessKey(columns: readonly SampleColumn[], company?: SampleColumn): KeyGuess {
  const records = columns[0]!.values.length
  const likely = columns.filter(
    ({ field }) => !unlikelyTypes.includes(field.type) && (field.maxLength ?? 0) <= mostKeyLength,
  )
  const filled = likely.filter(({ field, values }) =>
    values.every((value) => value.trim() !== '' && !isEmptyValue(field, value)),
  )
  const byName = [
    ...filled.filter(({ name }) => keyName.test(name)),
    ...filled.filter(({ name }) => !keyName.test(name)),
  ]
  const within = company ? ' within a company' : ''
  const sample = `in the ${records} records of the sample`
  const single = records > 0 ? byName.find((column) => isUnique([column], company)) : undefined
  if (single) return { names: [single.name], reason: `${single.name} is unique${within} and never empty ${sample}` }
  const pair = records > 0 ? uniquePair(byName.slice(0, mostColumnsForPairs), company) : undefined
  if (pair) {
    const names = columns.filter((column) => pair.includes(column)).map(({ name }) => name) as [string, string]
    return { names, reason: `no column is unique${within}, ${names.join(' and ')} together are ${sample}` }
  }
  const first = byName[0] ?? columns[0]!
  return {
    names: [first.name],
    reason:
      records === 0
        ? `the sample has no records: ${first.name} is chosen by its name and place alone`
        : `no column and no pair of columns is unique${within} ${sample}: of records with the same ${first.name} the last would win`,
  }
}

function uniquePair(columns: readonly SampleColumn[], company?: SampleColumn): readonly SampleColumn[] | undefined {
  for (const [index, first] of columns.entries()) {
    for (const second of columns.slice(index + 1)) {
      if (isUnique([first, second], company)) return [first, second]
    }
  }
  return undefined
}

function isUnique(columns: readonly SampleColumn[], company?: SampleColumn): boolean {
  const parts = company ? [company, ...columns] : columns
  const records = columns[0]!.values.length
  const seen = new Set<string>()
  for (let record = 0; record < records; record++) {
    seen.add(JSON.stringify(parts.map(({ field, values }) => canonicalText(field, values[record]!) ?? values[record])))
  }
  return seen.size === records
}

/** The value that a type has for "none" (1900-01-01, the zero GUID) may not stand in a key. */
function isEmptyValue(field: Field, value: string): boolean {
  if (field.type !== 'date' && field.type !== 'guid') return false
  const text = canonicalText(field, value)
  return text === '1900-01-01' || text === '00000000-0000-0000-0000-000000000000'
}
