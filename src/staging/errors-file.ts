import type { Entity } from '../entity'
import { quoteIdentifier, stagingTable } from '../entity/names'
import type { Context } from '../execution/context'
import { detectFormat } from '../format/detect'
import { recordWriter, type SourceFormat, sourceFormatNamed } from '../format/registry'
import { mapColumns } from './column-map'
import { compositeErrorsFile } from './composite-errors-file'

/** Records read at a time. */
const pageRecords = 1_000

/**
 * The records of an execution that are in error, in the format that they came in, ready to be corrected and sent again.
 * A record whose shape was wrong stands in it as it came, so that its trouble can be seen.
 * Yields  text of the file; nothing when there are no such records.
 */
export async function* errorsFile(context: Context, executionId: string): AsyncGenerator<string> {
  const works = await context.db.query<FailedWork>(
    `SELECT e.id, e.entity, e.source_columns AS "sourceColumns", e.staging_table AS "stagingTable", e.staged_records AS "stagedRecords", m.source_format AS "sourceFormat",
       m.payload, m.payload_location AS "payloadLocation"
     FROM entrepot.execution_entity e JOIN entrepot.execution x ON x.id = e.execution_id
     JOIN entrepot.message m ON m.id = x.message_id
     WHERE e.execution_id = $1 AND e.records_in_error > 0 ORDER BY e.id`,
    [executionId],
  )
  for (const work of works) {
    const entity = context.registry.find(work.entity)
    const composite = context.registry.findComposite(work.entity)
    if (entity) yield* failedRecords(context, entity, work)
    else if (composite) yield* compositeErrorsFile(context.db, composite, work)
  }
}

interface FailedWork {
  readonly id: number
  readonly entity: string
  readonly sourceColumns: string[] | null
  readonly stagingTable: string | null
  readonly stagedRecords: number
  readonly sourceFormat: string | null
  readonly payload: Buffer | null
  readonly payloadLocation: string | null
}

interface FailedRecord {
  readonly number: number
  readonly raw: string | null
  readonly values: (string | null)[]
}

async function* failedRecords(context: Context, entity: Entity, work: FailedWork): AsyncGenerator<string> {
  const header = work.sourceColumns ?? entity.columns.map(({ name }) => name)
  const { sources } = mapColumns(entity, header, { strict: false, company: '' })
  const staged = entity.columns.map(({ name }) => quoteIdentifier(name)).join(', ')
  const writer = recordWriter(await formatOf(context, work), entity.name, header)
  yield writer.header()
  for (let after = 0; ; ) {
    const records = await context.db.query<FailedRecord>(
      `SELECT _record_number AS number, _raw AS raw, ARRAY[${staged}]::text[] AS values
       FROM ${work.stagingTable ?? stagingTable(entity)}
       WHERE _execution_entity = $1 AND _state = 'E' AND _record_number > $2 ORDER BY _record_number LIMIT ${pageRecords}`,
      [work.id, after],
    )
    if (records.length === 0) break
    const lines = records.map(({ raw, values }) =>
      raw === null ? writer.record(inFileOrder(values, sources, header.length)) : `${raw}\r\n`,
    )
    yield lines.join('')
    after = records.at(-1)!.number
  }
  yield writer.footer()
}

/** The staged values under the columns that they came from; columns that the entity does not know stay empty. */
function inFileOrder(values: readonly (string | null)[], sources: readonly number[], width: number): (string | null)[] {
  const cells = new Array<string | null>(width).fill(null)
  sources.forEach((source, index) => {
    if (source !== -1) cells[source] = values[index] ?? null
  })
  return cells
}

async function formatOf({ payloads }: Context, work: FailedWork): Promise<SourceFormat> {
  if (work.sourceFormat !== null) return sourceFormatNamed(work.sourceFormat).format
  if (work.payload !== null) return detectFormat(work.payload.subarray(0, 64 * 1024)).format
  for await (const piece of payloads.open(work.payloadLocation!)) return detectFormat(Buffer.from(piece)).format
  return detectFormat(Buffer.alloc(0)).format
}
