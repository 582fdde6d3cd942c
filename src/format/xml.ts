import { MessageRejected } from '../errors'
import type { ReadLimits, RecordBlock, RecordShape, RecordSource } from './record-block'
import type { XmlFormat } from './source-format'
import { XmlBlockBuilder } from './xml-block'
import { XmlByteLane } from './xml-bytes'
import { decodeXml } from './xml-encoding'
import { XmlNames } from './xml-names'
import { XmlSaxesLane } from './xml-saxes'
import { XmlWindow } from './xml-window'

/**
 * Opens an XML file with one element a record, below a root of any name: fields are child elements, attributes, or both.
 * Names are compared without regard to letter case and namespace prefix; `<X/>`, `X=""` and `xsi:nil` are empty values,
 * a field that is left out has start -1; comments and processing instructions are dropped.
 * Faults of a record: ER105 field given twice, ER106 element in a field, ER107 text between fields.
 * Throws  MessageRejected EF101 empty, EF106 wrong bytes, EF107 record too large, EF110 no XML, EF201 not well-formed,
 *         EF202 DOCTYPE, EF203 nested too deep, EF204 no record; here or from `blocks`.
 * Source  XML 1.0 (fifth edition); namespaces are not resolved.
 */
export async function openXml(
  bytes: AsyncIterable<Uint8Array>,
  format: XmlFormat,
  shape: RecordShape,
  limits: ReadLimits,
): Promise<RecordSource> {
  return openXmlAs(usualReading, bytes, format, shape, limits)
}

/** `openXml`, read in a certain way. */
export async function openXmlAs(
  reading: XmlReading,
  bytes: AsyncIterable<Uint8Array>,
  format: XmlFormat,
  shape: RecordShape,
  limits: ReadLimits,
): Promise<RecordSource> {
  const chunks = await decodeXml(bytes, format)
  const names = new XmlNames(shape)
  const reader = new XmlReader(new XmlWindow(chunks, reading.stepBytes), names, limits, reading)
  await reader.readProlog()
  return { columns: shape.fieldNames, blocks: reader.blocks(shape.recordNames), unknownNames: names.unknown }
}

/** How a file is read; the records do not depend on it, which tests hold to. */
export interface XmlReading {
  /** Whether the byte lane reads what it can; without it all goes by the saxes lane. */
  readonly byteLane: boolean
  /** How much is read at a time, and looked through for the end of a tag before it is fed as it is. */
  readonly stepBytes: number
}

/** As much as a file stream hands out; a tag of the field's own tools has under 10 KB. */
const usualReading: XmlReading = { byteLane: true, stepBytes: 64 * 1024 }

const less = 0x3c
const greater = 0x3e

/** Names of the file that are shown where no record was found. */
const maxNamesShown = 5

/** Reads one file: the byte lane as far as it gets, then a record by the saxes lane, and so on. */
class XmlReader {
  readonly #block: XmlBlockBuilder
  readonly #saxes: XmlSaxesLane
  readonly #bytes: XmlByteLane | undefined

  constructor(
    private readonly window: XmlWindow,
    private readonly names: XmlNames,
    private readonly limits: ReadLimits,
    private readonly reading: XmlReading,
  ) {
    this.#block = new XmlBlockBuilder(names.fieldNames.length)
    this.#saxes = new XmlSaxesLane(names, this.#block, limits)
    this.#bytes = reading.byteLane ? new XmlByteLane(names, this.#block, limits) : undefined
  }

  /** Reads up to the first record. */
  async readProlog(): Promise<void> {
    try {
      await this.#checkStart()
      await this.#readBySaxes()
    } catch (error) {
      await this.window.close()
      throw error
    }
  }

  async *blocks(recordNames: readonly string[]): AsyncGenerator<RecordBlock, void, undefined> {
    try {
      while (this.window.length > 0 || (await this.window.more())) {
        if (!(await this.#readByBytes())) await this.#readBySaxes()
        if (this.#block.isFull) yield this.#block.take()
      }
      this.#saxes.close()
      if (this.#block.total === 0) throw noRecords(recordNames, this.names.unknown)
      if (this.#block.count > 0) yield this.#block.take()
    } finally {
      await this.window.close()
    }
  }

  /** Reads what has the regular shape; false where the saxes lane has to go on. */
  async #readByBytes(): Promise<boolean> {
    const { window } = this
    const lane = this.#bytes
    if (lane === undefined || !this.#saxes.isBetweenRecords) return false
    lane.line = this.#saxes.line
    const from = window.start
    window.start = lane.scan(window.bytes, from, window.end)
    if (window.start > from) this.#saxes.moveTo(lane.line, window.columnAt(window.start))
    if (lane.stop === 'full') return true
    return lane.stop === 'incomplete' && window.length <= this.limits.maxRecordBytes && (await window.more())
  }

  /** Reads to the end of an element at record level (or of the root's start tag), or to the end of the window. */
  async #readBySaxes(): Promise<void> {
    const { window } = this
    const saxes = this.#saxes
    while (window.length > 0) {
      let end = this.#pieceEnd()
      if (end === -1) {
        const tag = this.#lastTag()
        const isOneTag = tag === window.start
        if (window.length < (isOneTag ? this.limits.maxRecordBytes : this.reading.stepBytes)) {
          if (await window.more()) continue
        }
        end = isOneTag || tag === -1 ? window.end : tag
      }
      const piece = window.bytes.toString('utf8', window.start, end)
      if (saxes.isInProlog) refuseDoctype(piece, saxes.line)
      saxes.feed(piece, end - window.start)
      window.start = end
      window.setColumn(end, saxes.column)
      if (saxes.isBetweenRecords) return
    }
  }

  /** The end of the next piece, after the `>` of the next tag, or of the end tag of the record under way; -1 where none is here. */
  #pieceEnd(): number {
    const { bytes, start, end } = this.window
    const { openName } = this.#saxes
    const from = openName === undefined ? start : bytes.indexOf(`</${openName}`, start)
    if (from === -1) return -1
    const found = bytes.indexOf(greater, from)
    return found === -1 || found >= end ? -1 : found + 1
  }

  /** Where the last tag of the window starts, or -1: no tag is cut in two, so that none is overlooked. */
  #lastTag(): number {
    const { bytes, start, end } = this.window
    const found = bytes.subarray(start, end).lastIndexOf(less)
    return found === -1 ? -1 : start + found
  }

  async #checkStart(): Promise<void> {
    const { window } = this
    while (await window.more()) {
      const start = window.bytes.toString('utf8', window.start, Math.min(window.end, window.start + 200)).trimStart()
      if (start.startsWith('<')) return
      if (start !== '') {
        throw notXml(start)
      }
    }
    throw emptyXml()
  }
}

/** Throws at once for a document type declaration: saxes would read it to its end first. */
function refuseDoctype(piece: string, lineBefore: number): void {
  const [blank = ''] = /^\s*/.exec(piece) ?? []
  if (!piece.startsWith('<!DOCTYPE', blank.length)) return
  const line = lineBefore + blank.split(/\r\n?|\n/).length - 1
  throw new MessageRejected('EF202', `The XML has a document type declaration (line ${line}).`, { line })
}

/** Says of a file how it starts, where that is not as XML does. */
export function notXml(start: string): MessageRejected {
  return new MessageRejected('EF110', `The file is no XML: it starts with ${JSON.stringify(start.slice(0, 20))}.`, {
    line: 1,
  })
}

export function emptyXml(): MessageRejected {
  return new MessageRejected('EF101', 'The file is empty.')
}

/** Says that none of the elements below the root has one of these names. */
export function noRecords(recordNames: readonly string[], found: ReadonlySet<string>): MessageRejected {
  const shown = [...found].slice(0, maxNamesShown).join(', ')
  return new MessageRejected(
    'EF204',
    `No element below the root is named ${recordNames.join(' or ')}; found: ${shown === '' ? 'none' : shown}.`,
  )
}
