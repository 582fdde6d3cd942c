import { type Column, type CompositeEntity, companyColumn, type Entity, fieldTypes } from '../entity'
import { quoteIdentifier, stagingTable } from '../entity/names'
import { type RecordError, shownValue } from '../execution/record-error'
import type { DocumentFault } from '../format/document'
import type { Transaction } from '../platform/database'
import { blockOf } from './one-record-block'
import { RecordEncoder } from './record-encoder'

/** A document whose records have their numbers in the execution. */
export interface NumberedDocument {
  /** Number of its first record. */
  readonly number: number
  readonly line: number
  /** In the order of their numbers; none where the shape of the document is wrong. */
  readonly records: readonly NumberedRecord[]
  readonly fault?: DocumentFault
}

/** A record of a document. */
export interface NumberedRecord {
  readonly number: number
  readonly line: number
  /** Index of its entity among the members. */
  readonly member: number
  /** The record that it stands in; undefined for the first one. */
  readonly parent: NumberedRecord | undefined
  /** One a column of the member; undefined where the record does not give it. What it takes over is filled in. */
  readonly values: (string | undefined)[]
}

interface DocumentEncoderOptions {
  readonly executionEntityId: number
  /** Canonical company of records that name none. */
  readonly company: string | null
  readonly goodState: 'V' | 'R'
  /** Expected size of the source in bytes. */
  readonly sourceBytes: number
}

/** A value that a record takes over from the one that it stands in. */
interface HandedDown {
  /** Indexes of the columns here and there. */
  readonly own: number
  readonly theirs: number
  readonly column: Column
}

/** How many records a document counts for: one whose shape is wrong is a single record. */
export function sizeOf({ records }: { readonly records: readonly unknown[] }): number {
  return Math.max(1, records.length)
}

/**
 * Turns documents into rows of the members' staging tables, by the rules of `RecordEncoder`. A record takes over the key
 * of the record that it stands in, and its company, where it does not give them; another value is an error (ER109).
 * The neighbours of a record in error are left as they are: `spreadErrors` is for them.
 */
export class DocumentEncoder {
  /** Records of documents with errors so far: all of each. */
  recordsInError = 0
  /** Errors of the documents since they were last taken. */
  errors: RecordError[] = []
  readonly #entities: readonly Entity[]
  readonly #encoders: readonly RecordEncoder[]
  readonly #handedDown: readonly (readonly HandedDown[])[]
  readonly #given: readonly boolean[][]

  constructor(
    { members }: CompositeEntity,
    private readonly options: DocumentEncoderOptions,
  ) {
    this.#entities = members.map(({ entity }) => entity)
    this.#encoders = this.#entities.map((entity) => {
      const sources = entity.columns.map((_, index) => index)
      const company = entity.companySpecific ? options.company : null
      return new RecordEncoder(entity, { ...options, company, width: sources.length, sources })
    })
    this.#given = this.#entities.map(({ columns }) => columns.map(() => false))
    this.#handedDown = members.map(({ entity, parent, handedDown }) =>
      Object.entries(handedDown).map(([own, theirs]) => {
        const index = indexOf(entity, own)
        return { own: index, theirs: indexOf(members[parent]!.entity, theirs), column: entity.columns[index]! }
      }),
    )
  }

  /** Names of the columns that the documents give, each as `Member.Field`. */
  get given(): string[] {
    return this.#entities.flatMap(({ name, columns }, member) =>
      columns.filter((_, index) => this.#given[member]![index]).map((column) => `${name}.${column.name}`),
    )
  }

  /** How many bytes wait to be sent. */
  get size(): number {
    return this.#encoders.reduce((sum, { size }) => sum + size, 0)
  }

  /** Notes which columns a document gives, without encoding it: for those staged before a restart. */
  observe(document: NumberedDocument): void {
    this.#handDown(document)
    for (const { member, values } of document.records) {
      const given = this.#given[member]!
      values.forEach((value, index) => {
        if (value !== undefined) given[index] = true
      })
    }
  }

  encode(document: NumberedDocument): void {
    this.observe(document)
    const before = this.errors.length
    if (document.fault) this.#encodeFault(document, document.fault)
    for (const record of document.records) {
      const encoder = this.#encoders[record.member]!
      encoder.lead = this.#lead(document.number, record.parent?.number)
      encoder.encode(blockOf(record))
      this.#takeErrors(record.member)
    }
    this.#noteConflicts(document)
    if (this.errors.length > before) this.recordsInError += sizeOf(document)
  }

  /** Sends the rows encoded so far. */
  async send(tx: Transaction): Promise<void> {
    for (const [member, encoder] of this.#encoders.entries()) {
      if (encoder.size === 0) continue
      const copy = tx.copyIn(copyDocuments(this.#entities[member]!))
      await copy.write(encoder.take())
      await copy.end()
    }
  }

  #encodeFault({ number, line }: NumberedDocument, fault: DocumentFault): void {
    const [encoder] = this.#encoders
    const values = this.#entities[0]!.columns.map(() => undefined)
    encoder!.lead = this.#lead(number, undefined)
    encoder!.encode({ ...blockOf({ number, line, values }), faults: [{ ...fault, index: 0 }] })
    this.#takeErrors(0)
  }

  #lead(document: number, parent: number | undefined): Buffer {
    return Buffer.from(`${document}\t${parent ?? '\\N'}\t${this.options.executionEntityId}\t`)
  }

  #takeErrors(member: number): void {
    const encoder = this.#encoders[member]!
    const { name } = this.#entities[member]!
    for (const error of encoder.errors) this.errors.push({ ...error, entity: name })
    encoder.errors = []
  }

  #handDown({ records }: NumberedDocument): void {
    for (const { member, parent, values } of records) {
      for (const { own, theirs, column } of this.#handedDown[member]!) {
        const above = parent && this.#valueAbove(parent, theirs, column)
        if (above && !values[own]) values[own] = above
      }
    }
  }

  #noteConflicts({ records }: NumberedDocument): void {
    for (const { number, line, member, parent, values } of records) {
      for (const { own, theirs, column } of this.#handedDown[member]!) {
        const above = parent && this.#valueAbove(parent, theirs, column)
        const value = values[own]
        if (!above || !value || isSame(column, value, above)) continue
        const reason = `${column.name} '${shownValue(value)}' is not '${shownValue(above)}', that of the record it stands in`
        const entity = this.#entities[member]!.name
        this.errors.push({
          recordNumber: number,
          line,
          code: 'ER109',
          field: column.name,
          value: shownValue(value),
          reason,
          entity,
        })
      }
    }
  }

  #valueAbove({ values }: NumberedRecord, theirs: number, { name }: Column): string | undefined {
    return values[theirs] || (name === companyColumn ? (this.options.company ?? undefined) : undefined)
  }
}

/** Whether two texts of a field mean the same; one that is wrong in itself has an error of its own. */
function isSame(column: Column, one: string, other: string): boolean {
  if (one === other) return true
  const [left, right] = [one, other].map((text) => fieldTypes[column.field.type].parse(text, column.field))
  return typeof left !== 'string' || typeof right !== 'string' || left === right
}

function indexOf({ columns }: Entity, name: string): number {
  return columns.findIndex((column) => column.name === name)
}

/** COPY statement whose rows `RecordEncoder` writes behind the numbers of document and parent. */
function copyDocuments(entity: Entity): string {
  const names = entity.columns.map(({ name }) => quoteIdentifier(name))
  const own = '_document, _parent, _execution_entity, _record_number, _line, _state, _raw'
  return `COPY ${stagingTable(entity)} (${own}, ${names.join(', ')}) FROM STDIN`
}
