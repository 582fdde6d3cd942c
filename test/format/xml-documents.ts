import type { RecordShape, RecordSource } from '../../src/format/record-block'
import { defaultReadLimits } from '../../src/format/record-block'
import type { XmlFormat } from '../../src/format/source-format'
import { openXmlAs, type XmlReading } from '../../src/format/xml'
import { chunked, type Reading, readAll } from './reading'

export const xmlElement: XmlFormat = { kind: 'xml', style: 'element', root: 'Document' }
export const xmlAttribute: XmlFormat = { kind: 'xml', style: 'attribute', root: 'Document' }

/** The entity of these tests; the second record name is the short one. */
export const groups: RecordShape = {
  recordNames: ['CustCustomerGroupEntity', 'Group'],
  fieldNames: ['CustomerGroupId', 'Description', 'Id'],
}

export const bothLanes: XmlReading = { byteLane: true, stepBytes: 64 * 1024 }
export const saxesOnly: XmlReading = { byteLane: false, stepBytes: 64 * 1024 }

/** All that reading a document came to, with the unknown names. */
export interface XmlResult extends Reading {
  readonly unknown: readonly string[]
}

/** Reads a document of groups; text is taken as UTF-8. */
export async function readXml(
  document: Buffer | string,
  how: { reading?: XmlReading; format?: XmlFormat; maxRecordBytes?: number; shape?: RecordShape; chunk?: number } = {},
): Promise<XmlResult> {
  const { reading = bothLanes, format = xmlElement, shape = groups, chunk = 64 * 1024 } = how
  const limits = { maxRecordBytes: how.maxRecordBytes ?? defaultReadLimits.maxRecordBytes }
  let source: RecordSource | undefined
  const read = await readAll(async () => {
    source = await openXmlAs(reading, chunked(document, chunk), format, shape, limits)
    return source
  })
  // A document that fails in the middle of a tag has no settled unknown names: nobody asks for them.
  return { ...read, unknown: read.error === undefined ? [...(source?.unknownNames ?? [])] : [] }
}

/** The values of the records, for documents without faults. */
export async function valuesOf(document: Buffer | string, format?: XmlFormat): Promise<(readonly unknown[])[]> {
  const { records, error } = await readXml(document, format === undefined ? {} : { format })
  if (error !== undefined) throw new Error(`${error.code} ${error.message}`)
  return records.map((record) => record.values ?? ['fault', record.fault?.code])
}
