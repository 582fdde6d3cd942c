import type { Entity } from '../entity'
import { writeCopyText } from '../entity/field-bytes'
import type { ErrorCode } from '../errors'
import { type RecordError, shownValue } from '../execution/record-error'
import { storable } from '../execution/storable'
import { type RecordBlock, type RecordFault, textAt } from '../format/record-block'
import {
  type ColumnPlan,
  columnPlan,
  fieldFault,
  notGiven,
  readCell,
  readNumber,
  takesBlankForNone,
} from './column-plan'
import type { EncoderOptions } from './encoder-options'
import { KeySet } from './key-set'
import type { NumberSupply } from './number-supply'
import { ruleErrors } from './rule-errors'

const tab = 9
const newline = 10
const errorState = Buffer.from('E')

/** Buffer of a large source; grows for a single larger record. */
const bufferBytes = 1024 * 1024
/** Room for the numbers and state before the fields. */
const prefixBytes = 100
/** Room beside twice its source bytes that a byte rule may use. */
const fieldSlackBytes = 64

/**
 * Turns blocks of records into rows for COPY (text format) of a staging table: checks each field on its bytes and
 * writes its canonical text; a record with errors is written with its own texts and state E, and its errors are kept apart.
 * Rows   _execution_entity, _record_number, _line, _state, _raw, then the entity's columns.
 */
export class RecordEncoder {
  /** Errors of the records encoded since they were last taken. */
  errors: RecordError[] = []
  recordsInError = 0
  /** What each row begins with, in front of the record number. */
  lead: Buffer
  /** Which of the entity's columns the source has given at least once. */
  readonly given: boolean[]
  /** Which of the entity's columns some record has left out though the source could give it. */
  private readonly leftOut: boolean[]

  private readonly keys: KeySet
  private out: Buffer
  private at = 0
  private readonly width: number
  private readonly goodState: Buffer
  private readonly plans: readonly ColumnPlan[]
  private readonly supplies: readonly NumberSupply[]
  private readonly asksRules: boolean

  constructor(
    private readonly entity: Entity,
    options: EncoderOptions,
  ) {
    this.width = options.width
    this.keys = new KeySet(options.groupKeys)
    this.lead = Buffer.from(`${options.executionEntityId}\t`)
    this.goodState = Buffer.from(options.goodState ?? 'V')
    this.out = Buffer.allocUnsafe(Math.min(bufferBytes, options.sourceBytes * 2 + prefixBytes * 20))
    this.plans = entity.columns.map((column, index) =>
      columnPlan(column, options.sources[index]!, options.company, options.readings?.[index]),
    )
    this.supplies = this.plans.flatMap(({ numbers }) => numbers ?? [])
    this.asksRules = entity.validateRecord !== undefined && (options.asksRules ?? true)
    this.given = this.plans.map(({ isFilled }) => isFilled)
    this.leftOut = this.plans.map(() => false)
  }

  /** Whether a column is given by some records and left out by others. */
  get isSparse(): boolean {
    return this.given.some((isGiven, column) => isGiven && this.leftOut[column])
  }

  /** Numbers of the good records whose key occurred before; null when not known. */
  get repeats(): readonly number[] | null {
    return this.keys.repeats
  }

  /** How many bytes wait to be taken. */
  get size(): number {
    return this.at
  }

  /** Hands over the rows written so far; the encoder goes on in another buffer. */
  take(): Buffer {
    const rows = this.out.subarray(0, this.at)
    this.out = Buffer.allocUnsafe(this.out.length)
    this.at = 0
    return rows
  }

  /** Encodes the records of a block from index `from` on. */
  encode(block: RecordBlock, from = 0): void {
    let nextFault = block.faults.findIndex(({ index }) => index >= from)
    if (nextFault === -1) nextFault = block.faults.length
    for (let r = from; r < block.count; r++) {
      const fault = block.faults[nextFault]
      if (fault?.index === r) {
        nextFault++
        this.writeFault(block, fault)
      } else if (!this.writeRecord(block, r)) {
        this.writeRecordInError(block, r)
      }
    }
  }

  /** Notes which columns a block gives, without encoding it: for records staged before a restart. */
  observe(block: RecordBlock): void {
    this.keys.giveUp()
    for (let r = 0; r < block.count; r++) {
      this.plans.forEach((plan, c) => {
        if (plan.source !== -1) this.noteGiven(c, block.starts[r * this.width + plan.source]! >= 0)
      })
    }
  }

  /** Notes of a record that it gives a column, or leaves it out, or may do either: its texts may be corrected. */
  private noteGiven(c: number, isGiven: boolean): void {
    const { isFilled, ignoresBlank } = this.plans[c]!
    if (isGiven) this.given[c] = true
    if (ignoresBlank || (!isGiven && !isFilled)) this.leftOut[c] = true
  }

  /** Writes a good record; false, with nothing written, when something is wrong with it. */
  private writeRecord(block: RecordBlock, r: number): boolean {
    if (this.supplies.length === 0) return this.writeFields(block, r)
    const used = this.supplies.map((supply) => supply.used)
    const isGood = this.writeFields(block, r)
    // A record in error gets its number when it is good.
    if (!isGood) for (const [index, supply] of this.supplies.entries()) supply.used = used[index]!
    return isGood
  }

  private writeFields(block: RecordBlock, r: number): boolean {
    const rowAt = this.at
    this.writePrefix(block, r, this.goodState)
    this.keys.begin()
    for (let c = 0; c < this.plans.length; c++) {
      const plan = this.plans[c]!
      this.out[this.at++] = tab
      const cellAt = this.at
      if (!this.writeCell(block, r, c, plan)) return this.rewind(rowAt)
      if (plan.column.isKey) this.keys.feed(this.out, cellAt, this.at)
    }
    if (this.asksRules && ruleErrors(this.entity, this.plans, block, this.width, r).length > 0)
      return this.rewind(rowAt)
    this.out[this.at++] = newline
    this.keys.add(block.firstRecordNumber + r)
    return true
  }

  /** Writes one cell of a good record; false when something is wrong with it. */
  private writeCell({ bytes, starts, ends }: RecordBlock, r: number, c: number, plan: ColumnPlan): boolean {
    const { source } = plan
    const start = source === -1 ? -1 : starts[r * this.width + source]!
    if (start === -1) {
      if (plan.numbers !== undefined) return this.writeNone(c, plan)
      if (source !== -1 && !plan.isFilled) this.leftOut[c] = true
      this.writeBytes(plan.absent)
      return source === -1 || !plan.refusesAbsent
    }
    const end = ends[r * this.width + source]!
    if (start === end && plan.convert === undefined) {
      if (takesBlankForNone(plan)) return this.writeNone(c, plan)
      this.given[c] = true
      this.writeBytes(plan.empty)
      return !plan.refusesEmpty
    }
    this.makeRoom((end - start) * 2)
    const next = plan.rule(bytes, start, end, this.out, this.at)
    if (next !== -1) {
      this.given[c] = true
      this.at = next
      return true
    }
    const read = readCell(plan, bytes.toString('utf8', start, end))
    if (read === undefined) return this.writeNone(c, plan)
    this.given[c] = true
    if (typeof read !== 'string') return false
    this.writeText(read)
    return true
  }

  /** Writes the number that stands in for a value that is not given, or that it is not given. */
  private writeNone(c: number, plan: ColumnPlan): boolean {
    if (plan.numbers === undefined) {
      this.leftOut[c] = true
      this.writeBytes(notGiven)
      return true
    }
    const number = readNumber(plan, plan.numbers.take())
    if (typeof number !== 'string') return false
    this.writeText(number)
    return true
  }

  private rewind(rowAt: number): false {
    this.at = rowAt
    return false
  }

  /** Writes a record with its texts as they came, and notes all of its errors. */
  private writeRecordInError(block: RecordBlock, r: number): void {
    this.recordsInError++
    const before = this.errors.length
    this.writePrefix(block, r, errorState)
    for (let c = 0; c < this.plans.length; c++) {
      const plan = this.plans[c]!
      const text = textAt(block, this.width, r, plan.source)
      if (plan.source !== -1) this.noteGiven(c, text !== undefined)
      this.out[this.at++] = tab
      if (text === undefined) this.writeBytes(plan.isFilled ? notGiven : plan.absent)
      else this.writeText(storable(text))
      const fault = fieldFault(plan, text)
      if (fault) this.note(block, r, fault.code, plan.column.name, text ?? null, fault.reason)
    }
    this.out[this.at++] = newline
    if (this.errors.length === before && this.asksRules)
      this.errors.push(...ruleErrors(this.entity, this.plans, block, this.width, r))
  }

  /** Writes a record that has no fields because its shape is wrong. */
  private writeFault(block: RecordBlock, fault: RecordFault): void {
    this.recordsInError++
    const text = storable(fault.text)
    this.writePrefix(block, fault.index, errorState, text)
    for (let c = 0; c < this.plans.length; c++) {
      this.out[this.at++] = tab
      this.makeRoom(0)
      this.writeBytes(notGiven)
    }
    this.out[this.at++] = newline
    this.note(block, fault.index, fault.code, fault.column ?? null, text, fault.reason)
  }

  private note(
    block: RecordBlock,
    r: number,
    code: ErrorCode,
    field: string | null,
    value: string | null,
    reason: string,
  ): void {
    const shown = value === null ? null : shownValue(value)
    const recordNumber = block.firstRecordNumber + r
    this.errors.push({ recordNumber, line: block.lines[r]!, code, field, value: shown, reason })
  }

  private writePrefix(block: RecordBlock, r: number, state: Buffer, raw?: string): void {
    this.makeRoom(prefixBytes)
    this.writeBytes(this.lead)
    this.writeNumber(block.firstRecordNumber + r)
    this.out[this.at++] = tab
    this.writeNumber(block.lines[r]!)
    this.out[this.at++] = tab
    this.writeBytes(state)
    this.out[this.at++] = tab
    if (raw === undefined) this.writeBytes(notGiven)
    else this.writeText(raw)
  }

  private writeNumber(value: number): void {
    let digits = 1
    for (let limit = 10; value >= limit; limit *= 10) digits++
    let rest = value
    for (let i = this.at + digits - 1; i >= this.at; i--) {
      const quotient = Math.floor(rest / 10)
      this.out[i] = 48 + rest - quotient * 10
      rest = quotient
    }
    this.at += digits
  }

  private writeBytes(bytes: Buffer): void {
    if (this.out.length - this.at < bytes.length + fieldSlackBytes) this.makeRoom(bytes.length)
    for (let i = 0; i < bytes.length; i++) this.out[this.at++] = bytes[i]!
  }

  private writeText(text: string): void {
    const bytes = Buffer.from(text)
    this.makeRoom(bytes.length * 2)
    this.at = writeCopyText(bytes, 0, bytes.length, this.out, this.at)
  }

  /** Sees to it that `bytes` more, and some slack, fit into the buffer. */
  private makeRoom(bytes: number): void {
    const needed = this.at + bytes + fieldSlackBytes
    if (needed <= this.out.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.out.length * 2, needed))
    this.out.copy(larger, 0, 0, this.at)
    this.out = larger
  }
}
