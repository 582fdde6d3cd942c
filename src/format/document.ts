import type { ErrorCode } from '../errors'

/** What a reader must know of a composite entity to find its documents: its members, each before those that stand in it. */
export interface DocumentShape {
  readonly members: readonly MemberShape[]
}

/** An entity whose records stand in documents. */
export interface MemberShape {
  /** Names that its elements may have, compared without regard to case. */
  readonly recordNames: readonly string[]
  /** Field names in declared order. */
  readonly fieldNames: readonly string[]
  /** Index of the member that its records stand in; -1 for the first one, whose records begin the documents. */
  readonly parent: number
}

/** One document of a composite entity, as it was read. */
export interface SourceDocument {
  /** Line (1-based) on which it starts. */
  readonly line: number
  /** In document order, each before those that stand in it; none where the shape of the document is wrong. */
  readonly records: readonly DocumentRecord[]
  readonly fault?: DocumentFault
}

/** A record of a document. */
export interface DocumentRecord {
  /** Index of its entity among the members. */
  readonly member: number
  /** Index of the record that it stands in, among the document's records; -1 for the first one. */
  readonly parent: number
  readonly line: number
  /** One a field of the member, in its order; undefined where the record does not give it. */
  readonly values: (string | undefined)[]
}

/** Why the records of a document cannot be told; the text is kept whole, so that it can be corrected. */
export interface DocumentFault {
  readonly code: ErrorCode
  /** A sentence with the values in it. */
  readonly reason: string
  /** Name of the field, where one is at fault. */
  readonly column?: string
  readonly text: string
}
