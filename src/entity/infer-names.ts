import { companyColumn, namePattern } from './define-entity'

/** The names of an entity that is guessed from a file. */
export interface EntityNames {
  readonly name: string
  readonly label: string
  readonly singular: string
  readonly plural: string
}

/** Leaves room for `Entity` and a plural within the 51 characters of a name. */
const maxBaseLength = 40
/** As `namePattern` has it. */
const maxNameLength = 51

/** Guesses an entity's names from a file name: `customer-groups_2026-01.csv` holds Customer groups. */
export function entityNames(fileName: string): EntityNames {
  const base = fileName.replace(/^.*[\\/]/, '').replace(/(?:\.[A-Za-z]\w{0,4}){1,2}$/, '')
  const words = wordsOf(base.replace(/([a-z0-9])([A-Z])/g, '$1 $2'))
  while (words.length > 0 && /^\d+$/.test(words.at(-1)!)) words.pop()
  while (words.length > 0 && /^\d/.test(words[0]!)) words.shift()
  if (words.length > 1 && words.at(-1)!.toLowerCase() === 'entity') words.pop()
  if (words.length === 0) words.push('records')
  const pascal = words.map(capital).join('').slice(0, maxBaseLength)
  const singular = singularOf(pascal)
  return {
    name: `${singular}Entity`,
    label: capital(words.join(' ').toLowerCase()).slice(0, maxBaseLength).trim(),
    // The file imports a type of this name.
    singular: singular === 'Row' ? 'RowRecord' : singular,
    plural: pluralOf(singular),
  }
}

/**
 * Makes field names of column names: valid ones stay as they are, others lose what no name may hold.
 * Returns as many names, unique without regard to letter case.
 */
export function fieldNames(columns: readonly string[]): string[] {
  const taken = new Set(columns.filter((column) => namePattern.test(column)).map((column) => column.toLowerCase()))
  const given = new Set<string>()
  return columns.map((column, index) => {
    const isFirst = namePattern.test(column) && !given.has(column.toLowerCase())
    let name = column
    for (let attempt = 1; !isFirst && (attempt === 1 || isTaken(name)); attempt++) {
      name = withNumber(identifierOf(column) || `Field${index + 1}`, attempt)
    }
    given.add(name.toLowerCase())
    return name
  })

  function isTaken(name: string): boolean {
    return (
      taken.has(name.toLowerCase()) ||
      given.has(name.toLowerCase()) ||
      name.toLowerCase() === companyColumn.toLowerCase()
    )
  }
}

function withNumber(name: string, attempt: number): string {
  const number = attempt === 1 ? '' : String(attempt)
  return name.slice(0, maxNameLength - number.length) + number
}

/** `Größe (cm)` becomes `GrosseCm`. */
function identifierOf(column: string): string {
  const words = wordsOf(column)
  const joined = words.length === 1 ? words[0]! : words.map(capital).join('')
  return /^\d/.test(joined) ? `Field${joined}` : joined
}

/** The runs of letters and digits, without accents. */
function wordsOf(text: string): string[] {
  const plain = text.replaceAll('ß', 'ss').normalize('NFKD').replace(/\p{M}/gu, '')
  return plain.match(/[A-Za-z0-9]+/g) ?? []
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

function singularOf(word: string): string {
  if (/[^aeiou]ies$/i.test(word)) return `${word.slice(0, -3)}y`
  if (/(?:ss|sh|ch|x|z)es$/i.test(word)) return word.slice(0, -2)
  return /[^sui]s$/i.test(word) && word.length > 2 ? word.slice(0, -1) : word
}

function pluralOf(word: string): string {
  if (/[^aeiou]y$/i.test(word)) return `${word.slice(0, -1)}ies`
  return /(?:s|x|z|ch|sh)$/i.test(word) ? `${word}es` : `${word}s`
}

/** The last word of a name in lower case: `account` of `CustomerAccount`, `no` of `Item No.`. */
export function lastWord(name: string): string {
  return (wordsOf(name.replace(/([a-z0-9])([A-Z])/g, '$1 $2')).at(-1) ?? '').toLowerCase()
}
