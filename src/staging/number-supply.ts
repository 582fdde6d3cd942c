import type { Queryable } from '../platform/database'
import type { FieldMap } from '../project/mapping'
import { getNumberSequence, type NumberSequence, numberText, takeNumbers } from '../project/number-sequence'

/** What a file goes on with, when its first block has had as many as it needs: its end, or a crash, loses no more. */
const numbersAhead = 5_000

/**
 * The numbers of one sequence while records are staged. Of a gapless one they are used up in the transaction of the
 * records; of others they are taken ahead, and what is left at the end is lost.
 */
export class NumberSupply {
  /** How many are given out so far; set back where a record that took some is in error after all. */
  used = 0
  private first = 0
  private until = 0

  /** `fields`: how many fields of a record take a number of it. */
  constructor(
    private readonly sequence: NumberSequence,
    private readonly fields: number,
  ) {}

  /** How many records can be given their numbers without more being taken. */
  get left(): number {
    return Math.floor((this.until - this.first - this.used) / this.fields)
  }

  /** The next number as its text; it is not taken yet. */
  get next(): string {
    return numberText(this.sequence.format, this.first + this.used)
  }

  /** Takes the next number, as its text. */
  take(): string {
    const { next } = this
    if (this.first + this.used >= this.until) throw new Error(`The numbers of ${this.sequence.name} are used up`)
    this.used++
    return next
  }

  /** Before a transaction: takes enough for so many records, where they are taken ahead. */
  async reserve(db: Queryable, records: number): Promise<void> {
    this.settle()
    if (this.sequence.gapless || this.left >= records) return
    const count = Math.max(records * this.fields, this.until === 0 ? 0 : numbersAhead)
    this.first = await takeNumbers(db, this.sequence.name, count)
    this.until = this.first + count
  }

  /**
   * In a transaction, before records are given numbers: of a gapless sequence all are there, and nobody else has them; of
   * others, with `records`, so many are taken here.
   */
  async begin(tx: Queryable, records = 0): Promise<void> {
    const { name, gapless } = this.sequence
    if (!gapless && records === 0) return
    this.used = 0
    const count = gapless ? 0 : records * this.fields
    this.first = await takeNumbers(tx, name, count)
    this.until = gapless ? Number.MAX_SAFE_INTEGER : this.first + count
  }

  /** In the same transaction, when they have theirs. */
  async end(tx: Queryable): Promise<void> {
    if (this.sequence.gapless) await takeNumbers(tx, this.sequence.name, this.used)
  }

  private settle(): void {
    this.first += this.used
    this.used = 0
  }
}

/**
 * Opens the sequences that a mapping names, in the order of their names: whoever takes numbers of several locks them in it.
 * Throws  RequestRefused EA109 for one that is not there.
 */
export async function openNumbers(
  db: Queryable,
  mapping: readonly FieldMap[] | undefined,
): Promise<Map<string, NumberSupply>> {
  const named = (mapping ?? []).flatMap(({ numberSequence }) => numberSequence ?? [])
  const supplies = new Map<string, NumberSupply>()
  for (const name of [...new Set(named)].sort()) {
    const fields = named.filter((each) => each === name).length
    supplies.set(name, new NumberSupply(await getNumberSequence(db, name), fields))
  }
  return supplies
}
