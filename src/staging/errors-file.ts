import type { Entity } from '../entity'
import { quoteIdentifier, stagingTable } from '../entity/names'
import { RequestRefused } from '../errors'
import type { Context } from '../execution/context'
import { demandStaged } from '../execution/removed'
import { isAsItCame } from '../execution/staged-rows'
import { detectFormat } from '../format/detect'
import { peek } from '../format/peek'
import { type RecordWriter, recordWriter, type SourceFormat } from '../format/registry'
import type { EntitySettings } from '../project/entity-settings'
import { findSourceFormat } from '../project/source-format-store'
import { mapColumns, reasonColumn } from './column-map'
import { compositeErrorsFile } from './composite-errors-file'
import { type FieldWriting, writingsOf } from './field-writing'
import { type FilePlace, openFile } from './message-bytes'

/** Records read at a time. */
const pageRecords = 1_000

/** Which records in error are wanted, and how. */
export interface ErrorsChoice {
  /** Name of the entity; needed where several of the execution have records in error. */
  readonly entity?: string
  /** all; staging: those that were found wrong when they were staged; target: those that failed at promotion. */
  readonly which?: 'all' | 'staging' | 'target'
  /** Only the key fields, as an error keys file has them. */
  readonly keysOnly?: boolean
  /** A last column says what is wrong; whoever imports the file again leaves it out. */
  readonly withReason?: boolean
}

/**
 * The records of an execution's entity that are in error, in the format that they came in, ready to be corrected and sent
 * again. A record whose shape was wrong stands in it as it came, so that its trouble can be seen. A record that failed at
 * promotion was canonical by then, and is written as the source would write it.
 * Yields  text of the file, to be sent as UTF-8; nothing when there are no such records.
 * Throws  RequestRefused EA115 when the format was removed, EA109 (400) where the entity must be named, EA130 (410) when the
 *         clean-up has removed them.
 */
export async function* errorsFile(
  context: Context,
  executionId: string,
  choice: ErrorsChoice = {},
): AsyncGenerator<string> {
  await demandStaged(context.db, executionId)
  const works = await context.db.query<FailedWork>(
    `SELECT e.id, e.entity, e.source_columns AS "sourceColumns", e.staging_table AS "stagingTable",
       e.staged_records AS "stagedRecords", coalesce(e.source_format, m.source_format) AS "sourceFormat",
       coalesce(e.settings, '{}') AS settings, e.source_entry AS "sourceEntry", m.bytes AS "messageBytes", m.payload,
       m.payload_location AS "payloadLocation"
     FROM entrepot.execution_entity e JOIN entrepot.execution x ON x.id = e.execution_id
     JOIN entrepot.message m ON m.id = x.message_id
     WHERE e.execution_id = $1 AND e.records_in_error > 0 AND ($2::text IS NULL OR e.entity = $2) ORDER BY e.id`,
    [executionId, choice.entity ?? null],
  )
  if (works.length > 1) {
    const names = works.map(({ entity }) => entity).join(', ')
    throw new RequestRefused(
      400,
      'EA109',
      `Records of several entities are in error, which are files of their own: name one of ${names}`,
    )
  }
  for (const work of works) {
    const entity = context.registry.find(work.entity)
    const composite = context.registry.findComposite(work.entity)
    if (entity) yield* failedRecords(context, entity, work, choice)
    else if (composite) yield* compositeErrorsFile(context.db, composite, work)
  }
}

interface FailedWork extends FilePlace {
  readonly id: number
  readonly sourceColumns: string[] | null
  readonly stagingTable: string | null
  readonly stagedRecords: number
  readonly sourceFormat: string | null
  readonly settings: EntitySettings
}

interface FailedRecord {
  readonly number: number
  readonly raw: string | null
  readonly values: (string | null)[]
  readonly isAsItCame: boolean
  readonly reason: string
}

async function* failedRecords(
  context: Context,
  entity: Entity,
  work: FailedWork,
  choice: ErrorsChoice,
): AsyncGenerator<string> {
  const layout = layoutOf(entity, work, choice)
  const format = await formatOf(context, work)
  const columns = [...layout.header, ...(choice.withReason ? [reasonColumn] : [])]
  const writer = recordWriter(format, entity.name, columns)
  const written = writingsOf(format, entity, work.settings.mapping)
  // The mark says that this is UTF-8, whatever code page the format has for files without one.
  const start = (format.kind === 'delimited' && format.encoding !== undefined ? '\uFEFF' : '') + writer.header()
  let isBegun = false
  for (let after = 0; ; ) {
    const records = await readFailed(context, entity, work, choice, after)
    if (records.length === 0) break
    if (!isBegun) yield start
    isBegun = true
    yield records.map((record) => lineOf(record, writer, layout, written, choice)).join('')
    after = records.at(-1)!.number
  }
  if (isBegun) yield writer.footer()
}

/** The columns of the file, and which of them each column of the entity goes to. */
interface Layout {
  readonly header: readonly string[]
  readonly sources: readonly number[]
}

function layoutOf(entity: Entity, { sourceColumns, settings }: FailedWork, { keysOnly }: ErrorsChoice): Layout {
  if (keysOnly) {
    const keys = entity.columns.filter(({ isKey }) => isKey)
    return {
      header: keys.map(({ name }) => name),
      sources: entity.columns.map((column) => keys.indexOf(column)),
    }
  }
  const header = sourceColumns ?? entity.columns.map(({ name }) => name)
  const { mapping } = settings
  return { header, ...mapColumns(entity, header, { strict: false, company: '', ...(mapping ? { mapping } : {}) }) }
}

function readFailed(
  { db }: Context,
  entity: Entity,
  { id, stagingTable: own }: FailedWork,
  { which = 'all', keysOnly = false }: ErrorsChoice,
  after: number,
): Promise<FailedRecord[]> {
  const staged = entity.columns.map(({ name }) => quoteIdentifier(name)).join(', ')
  const condition = which === 'all' ? '' : `AND ${which === 'target' ? 'NOT ' : ''}${isAsItCame}`
  return db.query<FailedRecord>(
    `SELECT _record_number AS number, _raw AS raw, ARRAY[${staged}]::text[] AS values, ${isAsItCame} AS "isAsItCame",
       (SELECT string_agg(r.code || ': ' || r.reason, '; ' ORDER BY r.step DESC, r.code) FROM entrepot.record_error r
        WHERE r.execution_entity = s._execution_entity AND r.record_number = s._record_number) AS reason
     FROM ${own ?? stagingTable(entity)} s
     WHERE _execution_entity = $1 AND _state = 'E' AND _record_number > $2 ${condition}
       ${keysOnly ? 'AND _raw IS NULL' : ''}
     ORDER BY _record_number LIMIT ${pageRecords}`,
    [id, after],
  )
}

function lineOf(
  { raw, values, isAsItCame: isRaw, reason }: FailedRecord,
  writer: RecordWriter,
  { header, sources }: Layout,
  written: readonly FieldWriting[],
  { withReason }: ErrorsChoice,
): string {
  if (raw !== null) return writer.raw(raw)
  const texts = isRaw ? values : values.map((value, index) => value && written[index]!(value))
  const cells = inFileOrder(texts, sources, header.length)
  return writer.record(withReason ? [...cells, reason] : cells)
}

/** The staged values under the columns that they came from; columns that the entity does not know stay empty. */
function inFileOrder(values: readonly (string | null)[], sources: readonly number[], width: number): (string | null)[] {
  const cells = new Array<string | null>(width).fill(null)
  sources.forEach((source, index) => {
    if (source !== -1) cells[source] = values[index] ?? null
  })
  return cells
}

/** From this much of a file its format is told. */
const headBytes = 64 * 1024

async function formatOf(context: Context, work: FailedWork): Promise<SourceFormat> {
  if (work.sourceFormat !== null) return (await findSourceFormat(context.db, work.sourceFormat)).format
  // Its bytes may be gone before its staged records: they are written as CSV then.
  if (work.payload === null && work.payloadLocation === null) return detectFormat(Buffer.alloc(0)).format
  const { head, close } = await peek(await openFile(context, work), headBytes)
  await close()
  return detectFormat(head).format
}
