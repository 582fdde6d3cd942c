import type { Queryable } from '../platform/database'
import type { FieldMap } from '../project/mapping'
import { getNumberSequence, type NumberSequence, numberText, takeNumbers } from '../project/number-sequence'

/** Numbers are taken ahead by so many: a crash loses no more of a sequence that may have gaps. */
const numbersAhead = 5_000

/**
 * The numbers of one sequence while records are staged. Of a gapless one they are used up in the transaction of the
 * records; of others they are taken ahead, and what is left at the end is lost.
 */
export class NumberSupply {
  /** How many are given out so far; set back where a record that took some is in error after all. */
  used = 0
  private next = 0
  private until = 0

  constructor(private readonly sequence: NumberSequence) {}

  /** How many records can be given a number without more being taken. */
  get left(): number {
    return this.until - this.next - this.used
  }

  /** The next number as its text. */
  take(): string {
    if (this.left <= 0) throw new Error(`The numbers of ${this.sequence.name} are used up`)
    return numberText(this.sequence.format, this.next + this.used++)
  }

  /** Before a transaction: takes enough for so many records, where they are taken ahead. */
  async reserve(db: Queryable, records: number): Promise<void> {
    this.settle()
    if (this.sequence.gapless || this.left >= records) return
    const count = Math.max(records, numbersAhead)
    this.next = await takeNumbers(db, this.sequence.name, count)
    this.until = this.next + count
  }

  /**
   * In a transaction, before records are given numbers: of a gapless sequence all are there, and nobody else has them; of
   * others, with `records`, so many are taken here.
   */
  async begin(tx: Queryable, records = 0): Promise<void> {
    const { name, gapless } = this.sequence
    if (!gapless && records === 0) return
    this.used = 0
    this.next = await takeNumbers(tx, name, gapless ? 0 : records)
    this.until = gapless ? Number.MAX_SAFE_INTEGER : this.next + records
  }

  /** In the same transaction, when they have theirs. */
  async end(tx: Queryable): Promise<void> {
    if (this.sequence.gapless) await takeNumbers(tx, this.sequence.name, this.used)
  }

  private settle(): void {
    this.next += this.used
    this.used = 0
  }
}

/** Opens the sequences that a mapping names. Throws RequestRefused EA109 for one that is not there. */
export async function openNumbers(
  db: Queryable,
  mapping: readonly FieldMap[] | undefined,
): Promise<Map<string, NumberSupply>> {
  const names = new Set((mapping ?? []).flatMap(({ numberSequence }) => numberSequence ?? []))
  const supplies = new Map<string, NumberSupply>()
  for (const name of names) supplies.set(name, new NumberSupply(await getNumberSequence(db, name)))
  return supplies
}
