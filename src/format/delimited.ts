import { MessageRejected, RequestRefused } from '../errors'
import { decode } from './decode'
import { ByteLane, isByteDialect } from './delimited-bytes'
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
  const separator = /^sep=([^\r\n"])(?:\r\n|\n|\r|$)/i.exec(text.head.toString('utf8'))
  // A separator that is the qualifier can only be text.
  const [line = '', delimiter = format.delimiter] = separator?.[1] === format.qualifier ? [] : (separator ?? [])
  const dialect = { ...format, delimiter }
  const options = { maxRecordBytes, blockBytes, firstLine: line === '' ? 1 : 2 }
  const bytes = text.rest(Buffer.byteLength(line))
  return isByteDialect(dialect) ? new ByteLane(bytes, dialect, options) : new PapaparseLane(bytes, dialect, options)
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

function checkDialect({ delimiter, qualifier, escape: sign = '', comment = '' }: DelimitedFormat): void {
  const refuse = (sentence: string) => {
    throw new RequestRefused(400, 'EA109', sentence)
  }
  // papaparse takes none of these as delimiter and would use a comma without a word.
  if (delimiter === '' || /[\r\n"\uFEFF]/.test(delimiter)) {
    refuse(`The delimiter ${JSON.stringify(delimiter)} cannot be used: it may not be empty, a quote or a line end.`)
  }
  if (qualifier.length > 1 || /[\r\n]/.test(qualifier) || (qualifier !== '' && delimiter.includes(qualifier))) {
    refuse(
      `The qualifier ${JSON.stringify(qualifier)} cannot be used: it is one character that the delimiter does not hold.`,
    )
  }
  if (sign.length > 1 || /[\r\n]/.test(sign)) {
    refuse(`The escape character ${JSON.stringify(sign)} cannot be used: it is one character, no line end.`)
  }
  if (/[\r\n]/.test(comment) || (comment !== '' && comment === delimiter)) {
    refuse(`The comment sign ${JSON.stringify(comment)} cannot be used: it is no line end and not the delimiter.`)
  }
}
