/** A table of results: a title, what was measured in sentences, and rows of text under their headings. */
export interface ResultTable {
  readonly title: string
  readonly headings: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly notes: readonly string[]
}

/** Writes a table for the terminal, its columns aligned: the first one to the left, numbers to the right. */
export function asText({ title, headings, rows, notes }: ResultTable): string {
  const widths = widthsOf(headings, rows)
  const line = (cells: readonly string[]) => cells.map((cell, c) => padded(cell, widths[c]!, c)).join('  ')
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return [title, '', line(headings), rule, ...rows.map(line), '', ...notes.map((note) => `  ${note}`)].join('\n')
}

/** Writes a table as Markdown. */
export function asMarkdown({ title, headings, rows, notes }: ResultTable): string {
  const widths = widthsOf(headings, rows)
  const line = (cells: readonly string[]) => `| ${cells.map((cell, c) => padded(cell, widths[c]!, c)).join(' | ')} |`
  const rule = widths.map((width, c) => (c === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [`### ${title}`, '', line(headings), line(rule), ...rows.map(line), '', ...notes].join('\n')
}

function widthsOf(headings: readonly string[], rows: readonly (readonly string[])[]): number[] {
  return headings.map((heading, c) => Math.max(heading.length, ...rows.map((row) => row[c]!.length)))
}

function padded(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}

/** Whole numbers with thousands set off, as in 1,000,000. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-GB')
}

/** Seconds with two digits: what is beyond them is noise. */
export function seconds(ms: number): string {
  return (ms / 1_000).toFixed(2)
}

/** Ours divided by the floor: below 1 we are faster. */
export function ratio(ours: number, floor: number): string {
  return (ours / floor).toFixed(2)
}

/** The middle of the values; of an even number the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!
}
