import { RequestRefused } from '../errors'
import type { Queryable } from '../platform/database'

/** Gives numbers to records whose source has none. */
export interface NumberSequence {
  readonly name: string
  /** Text with one run of `#`, which stands for the digits, e.g. `CUST-######`. */
  readonly format: string
  /** The next number. */
  readonly next: number
  /**
   * gapless: a number is used up only together with the record that it is given to, so that executions follow one another;
   * else numbers are handed out ahead, and those of a crash are lost.
   */
  readonly gapless: boolean
}

const formatPattern = /^[^#]*#{1,18}[^#]*$/

/** All number sequences by name. */
export function listNumberSequences(db: Queryable): Promise<NumberSequence[]> {
  return db.query<NumberSequence>('SELECT name, format, next, gapless FROM entrepot.number_sequence ORDER BY name')
}

/** What is said of a number sequence: what is left out stays as it is. */
export type NumberSequenceChange = Pick<NumberSequence, 'name'> & Partial<NumberSequence>

/**
 * Adds a number sequence, which is fast unless said otherwise, or changes the one that is there; numbers go on where they are.
 * Throws  RequestRefused EA109 (400), for a new one without a format too.
 */
export async function setNumberSequence(
  db: Queryable,
  { name, format: given, next, gapless }: NumberSequenceChange,
): Promise<NumberSequence> {
  if (name.trim() === '' || name.length > 60) throw new RequestRefused(400, 'EA109', 'A number sequence needs a name')
  const format = given ?? (await findNumberSequence(db, name))?.format
  if (format === undefined) {
    throw new RequestRefused(400, 'EA109', `There is no number sequence '${name}' yet: a new one needs a format`)
  }
  if (!formatPattern.test(format) || format.length > 60) {
    throw new RequestRefused(400, 'EA109', `The format '${format.slice(0, 60)}' needs one run of # for the digits`)
  }
  const [sequence] = await db.query<NumberSequence>(
    `INSERT INTO entrepot.number_sequence AS s (name, format, next, gapless) VALUES ($1, $2, coalesce($3, 1), coalesce($4, false))
     ON CONFLICT (name) DO UPDATE SET format = excluded.format, gapless = coalesce($4, s.gapless), next = coalesce($3, s.next)
     RETURNING name, format, next, gapless`,
    [name, format, next ?? null, gapless ?? null],
  )
  return sequence!
}

/** The number sequence of this name. Throws RequestRefused EA109 (400). */
export async function getNumberSequence(db: Queryable, name: string): Promise<NumberSequence> {
  const sequence = await findNumberSequence(db, name)
  if (!sequence) {
    throw new RequestRefused(400, 'EA109', `There is no number sequence '${name.slice(0, 60)}': add it first`)
  }
  return sequence
}

async function findNumberSequence(db: Queryable, name: string): Promise<NumberSequence | undefined> {
  const [sequence] = await db.query<NumberSequence>(
    'SELECT name, format, next, gapless FROM entrepot.number_sequence WHERE name = $1',
    [name],
  )
  return sequence
}

/**
 * Takes numbers of a sequence, one after another. In a transaction nobody else takes any until it ends, and all are given
 * back when it rolls back.
 * Returns  the first of them.
 */
export async function takeNumbers(db: Queryable, name: string, count: number): Promise<number> {
  const [taken] = await db.query<{ next: number }>(
    'UPDATE entrepot.number_sequence SET next = next + $2 WHERE name = $1 RETURNING next',
    [name, count],
  )
  if (!taken) throw new RequestRefused(400, 'EA109', `There is no number sequence '${name.slice(0, 60)}' any more`)
  return taken.next - count
}

/** A number as its sequence writes it. One with more digits than its format has keeps them all. */
export function numberText(format: string, number: number): string {
  return format.replace(/#+/, (digits) => String(number).padStart(digits.length, '0'))
}

/** Six digits, which is what Dynamics 365's own sequences mostly have. */
const usualFormat = '######'

/** Adds a number sequence that a package names, unless it is there. */
export async function ensureNumberSequence(db: Queryable, name: string): Promise<void> {
  await db.query('INSERT INTO entrepot.number_sequence (name, format) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    name,
    usualFormat,
  ])
}
