import { RequestRefused } from '../errors'
import type { FormatProblem } from './format-problem'
import type { DelimitedFormat } from './source-format'

/** Refuses a dialect that contradicts itself. Throws  RequestRefused 400 EA109, saying all that is wrong. */
export function checkDialect(format: DelimitedFormat): void {
  const problems = dialectProblems(format)
  if (problems.length === 0) return
  const sentences = problems.map(({ property, sentence }) => `the ${property} ${sentence}`).join('; ')
  throw new RequestRefused(400, 'EA109', `The format contradicts itself: ${sentences}.`)
}

/** All that is wrong with the signs of a delimited format. */
export function dialectProblems(format: DelimitedFormat): FormatProblem[] {
  const { delimiter, qualifier, escape: sign = '', comment = '', rowDelimiter } = format
  const problems: FormatProblem[] = []
  const add = (property: keyof DelimitedFormat, sentence: string) => {
    problems.push({ property, sentence: `${JSON.stringify(format[property])} cannot be used: ${sentence}` })
  }
  // papaparse takes none of these as delimiter and would use a comma without a word.
  if (delimiter === '' || /[\r\n"\uFEFF]/.test(delimiter)) {
    add('delimiter', 'it may not be empty, a quote or a line end')
  }
  if (qualifier.length > 1 || /[\r\n]/.test(qualifier) || (qualifier !== '' && delimiter.includes(qualifier))) {
    add('qualifier', 'it is one character that the delimiter does not hold')
  }
  if (sign.length > 1 || /[\r\n]/.test(sign)) add('escape', 'it is one character, no line end')
  if (/[\r\n]/.test(comment) || (comment !== '' && comment === delimiter)) {
    add('comment', 'it is no line end and not the delimiter')
  }
  if (rowDelimiter === '' || shares(rowDelimiter, delimiter + qualifier + sign)) {
    add('rowDelimiter', 'it may not be empty or hold a character of the delimiter, the qualifier or the escape')
  } else if (comment !== '' && shares(rowDelimiter, comment)) {
    add('rowDelimiter', 'it may not hold a character of the comment sign')
  }
  if (qualifier === '' && format.decimalSeparator !== undefined && delimiter.includes(format.decimalSeparator)) {
    add('decimalSeparator', 'the delimiter holds it, and there is no qualifier')
  }
  return problems
}

/** With a character in common, where one sign ends and the other begins could depend on the values. */
function shares(sign: string | undefined, others: string): boolean {
  return sign !== undefined && [...sign].some((character) => others.includes(character))
}
