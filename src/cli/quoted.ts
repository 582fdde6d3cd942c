/**
 * A word of a printed command: in single quotes where a shell would read it as something else.
 * Source  POSIX.1-2017, Shell Command Language, 2.2.2 Single-Quotes.
 */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
