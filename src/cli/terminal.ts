/** What the program says to a person, and how: results on standard output, everything else on standard error. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Says something that is no result: progress, notes, troubles. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Writes one JSON value as the only thing on standard output. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, process.stdout.isTTY ? 2 : undefined))
}

const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

/**
 * Puts a text into a style where the stream is a terminal.
 * Source  no-color.org: any value of NO_COLOR but the empty one turns colours off.
 */
export function paint(style: keyof typeof styles, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  if (!stream.isTTY || process.env.NO_COLOR || process.env.TERM === 'dumb') return text
  return `\x1b[${styles[style]}m${text}\x1b[0m`
}

/** A column of a printed table. */
export interface TableColumn<T> {
  readonly title: string
  /** Numbers stand at the right. */
  readonly isNumber?: boolean
  text(row: T): string
  style?(row: T): keyof typeof styles | undefined
}

/** Rows as aligned lines below their titles; the last column is not padded. */
export function table<T>(rows: readonly T[], columns: readonly TableColumn<T>[]): string {
  const cells = rows.map((row) => columns.map((column) => onOneLine(column.text(row))))
  const widths = columns.map(({ title }, at) => Math.max(title.length, ...cells.map((line) => line[at]!.length)))
  const pad = (text: string, at: number) => {
    if (columns[at]!.isNumber) return text.padStart(widths[at]!)
    return at === columns.length - 1 ? text : text.padEnd(widths[at]!)
  }
  const title = columns.map((column, at) => paint('dim', pad(column.title, at))).join('  ')
  const lines = rows.map((row, line) =>
    columns
      .map((column, at) => {
        const text = pad(cells[line]![at]!, at)
        const style = column.style?.(row)
        return style === undefined ? text : paint(style, text)
      })
      .join('  '),
  )
  return [title, ...lines].map((line) => line.trimEnd()).join('\n')
}

/** Values come from files: no line end or control character of theirs may move the cursor. */
export function onOneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, '·')
}

/** A number as people read it: `1,234,567`. */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** `1 record`, `2 records`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`
}

const sizes = ['bytes', 'KB', 'MB', 'GB', 'TB']

/** A size as people read it: `1.4 MB`, in steps of 1,024. */
export function size(bytes: number): string {
  const step = bytes < 1 ? 0 : Math.min(sizes.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** step).toFixed(step === 0 ? 0 : 1)} ${sizes[step]}`
}

/** A time of day as `2026-01-31 08:15:00`, in UTC, as everywhere in the hub. */
export function moment(at: Date): string {
  return at.toISOString().slice(0, 19).replace('T', ' ')
}

/** Progress on standard error: one line that changes on a terminal, a line each time elsewhere. */
export interface Progress {
  show(text: string): void
  /** Takes the changing line away. */
  clear(): void
}

/** Elsewhere than on a terminal only lines that differ in more than their numbers are written: a log wants stages, not ticks. */
export function openProgress(): Progress {
  const stream = process.stderr
  let last = ''
  return {
    show(text) {
      if (stream.isTTY) {
        const width = (stream.columns ?? 80) - 1
        stream.write(`\r\x1b[K${paint('cyan', onOneLine(text).slice(0, width), stream)}`)
        return
      }
      const stage = text.replace(/[\d.,]+/g, '')
      if (stage !== last) tell(text)
      last = stage
    },
    clear() {
      if (stream.isTTY) stream.write('\r\x1b[K')
    },
  }
}

/** Seconds since a moment of `performance.now()`, to the millisecond. */
export function secondsSince(startedAt: number): number {
  return Math.round(performance.now() - startedAt) / 1000
}
