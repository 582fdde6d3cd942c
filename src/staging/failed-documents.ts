import type { CompositeEntity } from '../entity'
import { quoteIdentifier, stagingTable } from '../entity/names'
import type { Queryable } from '../platform/database'
import type { NumberedDocument, NumberedRecord } from './document-encoder'

/** Bounds of what is read at a time; a single document may exceed them. */
const pageRecords = 5_000
const pageTextLength = 8 * 1024 * 1024
const pageDocuments = 1_000

/** A document in error, from its staged texts. */
export interface FailedDocument extends Omit<NumberedDocument, 'fault'> {
  /** Its text, where its shape is wrong; null where its records are there. */
  readonly text: string | null
}

/** Which documents are looked for. */
export interface FailedDocumentsQuery {
  readonly executionEntityId: number
  /** How many records the execution has staged. */
  readonly stagedRecords: number
  /** Only documents behind this record. */
  readonly after: number
  /** Those whose shape is wrong as well. */
  readonly withText: boolean
}

/** The next documents of an execution that are in error, in their order; none at the end. */
export async function failedDocuments(
  db: Queryable,
  { members }: CompositeEntity,
  query: FailedDocumentsQuery,
): Promise<FailedDocument[]> {
  const page = firstPage(await listFailed(db, stagingTable(members[0]!.entity), query))
  const last = page.at(-1)
  if (last === undefined) return []
  const numbers = page.map(({ number }) => number)
  const rows: StagedRow[] = []
  for (const [member, { entity }] of members.entries()) {
    const columns = entity.columns.map(({ name }) => quoteIdentifier(name)).join(', ')
    const found = await db.query<StagedRow>(
      `SELECT ${member} AS member, _document AS document, _parent AS parent, _record_number AS number, _line AS line,
         _raw AS raw, ARRAY[${columns}]::text[] AS values
       FROM ONLY ${stagingTable(entity)}
       WHERE _execution_entity = $1 AND _record_number BETWEEN $2 AND $3 AND _document = ANY($4)`,
      [query.executionEntityId, numbers[0], last.number + last.records - 1, numbers],
    )
    rows.push(...found)
  }
  rows.sort((a, b) => a.number - b.number)
  return documentsOf(rows)
}

interface ListedDocument {
  readonly number: number
  readonly records: number
  readonly textLength: number
}

/** A document's records have consecutive numbers: it ends where the next one begins. */
function listFailed(db: Queryable, root: string, query: FailedDocumentsQuery): Promise<ListedDocument[]> {
  const { executionEntityId, stagedRecords, after, withText } = query
  return db.query<ListedDocument>(
    `SELECT number, records, "textLength" FROM (
       SELECT _record_number AS number, _state, _raw IS NULL AS is_whole, coalesce(length(_raw), 0) AS "textLength",
         lead(_record_number, 1, $2::bigint + 1) OVER (ORDER BY _record_number) - _record_number AS records
       FROM ONLY ${root} WHERE _execution_entity = $1 AND _record_number > $3) d
     WHERE _state = 'E' AND (is_whole OR $4) ORDER BY number LIMIT ${pageDocuments}`,
    [executionEntityId, stagedRecords, after, withText],
  )
}

function firstPage(listed: readonly ListedDocument[]): ListedDocument[] {
  let records = 0
  let textLength = 0
  const end = listed.findIndex((document, index) => {
    records += document.records
    textLength += document.textLength
    return index > 0 && (records > pageRecords || textLength > pageTextLength)
  })
  return listed.slice(0, end === -1 ? listed.length : end)
}

interface StagedRow {
  readonly member: number
  readonly document: number
  readonly parent: number | null
  readonly number: number
  readonly line: number
  readonly raw: string | null
  readonly values: (string | null)[]
}

/** Input: rows by their numbers, so that a record comes behind the one that it stands in. */
function documentsOf(rows: readonly StagedRow[]): FailedDocument[] {
  const documents: (FailedDocument & { records: NumberedRecord[] })[] = []
  const byNumber = new Map<number, NumberedRecord>()
  for (const { member, document, parent, number, line, raw, values } of rows) {
    if (number === document) documents.push({ number, line, text: raw, records: [] })
    if (raw !== null) continue
    const texts = values.map((value) => value ?? undefined)
    const record = { member, number, line, values: texts, parent: parent === null ? undefined : byNumber.get(parent) }
    byNumber.set(number, record)
    documents.at(-1)!.records.push(record)
  }
  return documents
}
