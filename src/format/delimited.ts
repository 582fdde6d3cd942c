import { MessageRejected } from '../errors'
import { decode } from './decode'
import { ByteLane, isByteDialect } from './delimited-bytes'
import { checkDialect } from './delimited-dialect'
import type { DelimitedLane } from './delimited-lane'
import { PapaparseLane } from './delimited-papaparse'
import { type Peeked, peek } from './peek'
import { blockBytes, type ReadLimits, type RecordBlock, type RecordShape, type RecordSource } from './record-block'
import { fileKindOf } from './signature'
import type { DelimitedFormat } from './source-format'

export { delimitedWriter } from './delimited-writer'

/** Room for blank lines before the first character, and for Excel's `sep=` line. */
const headBytes = 1024

/**
 * Opens a delimited file: decodes it, reads the header and chooses the lane.
 * Input   bytes in the encoding of their byte order mark or of the format; an Excel line `sep=;` sets the delimiter.
 *         Without a header the columns are the entity's fields in declared order.
 * Throws  MessageRejected EF101 for a file without any record or header (without header: from `blocks`),
 *         EF110 for XML and zip, EF105 to EF107 and EF109 as the decoder and the lanes say, ER102 and ER103 for a header
 *         with wrong quotes; RequestRefused 400 EA109 for a dialect that contradicts itself.
 */
export async function openDelimited(
  bytes: AsyncIterable<Uint8Array>,
  format: DelimitedFormat,
  shape: RecordShape,
  limits: ReadLimits,
): Promise<RecordSource> {
  checkDialect(format)
  const raw = await peek(bytes, 4)
  await refuseOtherKind(raw)
  const text = await peek(decode(raw.rest(), format.encoding), headBytes)
  await refuseOtherKind(text)
  const lane = openLane(text, format, limits)
  if (!format.hasHeader) return sourceOf(shape.fieldNames, orEmpty(lane.blocks(shape.fieldNames)))
  try {
    const header = await lane.header()
    if (header === undefined) throw emptyFile()
    const columns = header.map((name) => name.trim())
    return sourceOf(columns, lane.blocks(columns))
  } catch (error) {
    await lane.close()
    throw error
  }
}

function openLane(text: Peeked, format: DelimitedFormat, { maxRecordBytes }: ReadLimits): DelimitedLane {
  const [line = '', delimiter = format.delimiter] = separatorLine(text, format) ?? []
  const dialect = { ...format, delimiter }
  const options = { maxRecordBytes, blockBytes, firstLine: line === '' ? 1 : 2 }
  const bytes = text.rest(Buffer.byteLength(line))
  return isByteDialect(dialect) ? new ByteLane(bytes, dialect, options) : new PapaparseLane(bytes, dialect, options)
}

/** Excel's line `sep=;` with its end, and the delimiter that it names. */
function separatorLine(text: Peeked, { qualifier, rowDelimiter }: DelimitedFormat): readonly string[] | undefined {
  const [line = '', separator, end] = /^sep=([^\r\n"])(\r\n|\n|\r|$)/i.exec(text.head.toString('utf8')) ?? []
  // A separator that is the qualifier can only be text, and so can a line that goes on.
  if (separator === undefined || separator === qualifier) return undefined
  return end === '' || rowDelimiter === undefined || rowDelimiter === end ? [line, separator] : undefined
}

function sourceOf(columns: readonly string[], blocks: AsyncIterable<RecordBlock>): RecordSource {
  return { columns, blocks, unknownNames: new Set() }
}

async function* orEmpty(blocks: AsyncIterable<RecordBlock>): AsyncGenerator<RecordBlock, void, undefined> {
  let isEmpty = true
  for await (const block of blocks) {
    isEmpty = false
    yield block
  }
  if (isEmpty) throw emptyFile()
}

function emptyFile(): MessageRejected {
  return new MessageRejected('EF101', 'The file is empty: it holds no header and no record.')
}

async function refuseOtherKind(source: Peeked): Promise<void> {
  const kind = fileKindOf(source.head)
  if (kind === undefined) return
  await source.close()
  const noun = kind === 'xml' ? 'an XML document' : 'a zip file (a data package or an Excel workbook)'
  throw new MessageRejected('EF110', `A delimited file is expected, and this is ${noun}.`, { line: 1 })
}
