import { MessageRejected } from '../errors'
import type { ReadLimits, RecordFault } from './record-block'
import type { XmlBlockBuilder } from './xml-block'
import { isMarkupAttribute, type XmlNames } from './xml-names'
import { type XmlEvents, XmlParser } from './xml-parser'

/** Where elements stand: the root, records, fields. */
const rootDepth = 1
const recordDepth = 2
const fieldDepth = 3

/** A record under way. */
interface OpenRecord {
  readonly line: number
  readonly values: (string | undefined)[]
  fault?: Omit<RecordFault, 'index' | 'text'>
}

/**
 * Reads any well-formed document with saxes, and says what is wrong with the others.
 * Fed in pieces none of which goes beyond the end of an element at record level: after a piece for which
 * `isBetweenRecords` holds, another reader may read some records and `moveTo` where this one goes on.
 * Throws  MessageRejected EF201 not well-formed, EF202 DOCTYPE, EF203 depth, names, attributes, EF107 size.
 */
export class XmlSaxesLane implements XmlEvents {
  /** Whether the last piece ended with the start tag of the root or with the end of an element at record level. */
  isBetweenRecords = false
  /** Whether what comes next stands before the root and outside of comments and processing instructions. */
  isInProlog = true
  /** Name of the element at record level that is open; its end tag ends a piece too. */
  openName: string | undefined
  readonly #parser = new XmlParser(this)
  #record: OpenRecord | undefined
  /** The column of the field that is open, -1 in an unknown one or in none. */
  #column = -1
  #value = ''
  /** Source since the record began, else since the last event; saxes holds as much. */
  #source = ''
  #sourceBytes = 0
  #sawEvent = false

  constructor(
    private readonly names: XmlNames,
    private readonly block: XmlBlockBuilder,
    private readonly limits: ReadLimits,
  ) {}

  get line(): number {
    return this.#parser.line
  }

  /** Characters since the last line end. */
  get column(): number {
    return this.#parser.column
  }

  moveTo(line: number, column: number): void {
    this.#parser.moveTo(line, column)
  }

  /** Reads the next piece of the document; `bytes` is its length in UTF-8. */
  feed(piece: string, bytes: number): void {
    this.isBetweenRecords = false
    this.#sawEvent = false
    this.#source += piece
    this.#sourceBytes += bytes
    this.#parser.write(piece)
    if (this.#record === undefined) this.#forgetSource()
    if (this.#sourceBytes > this.limits.maxRecordBytes) throw this.#tooLarge()
  }

  /** Ends the document. Throws MessageRejected EF201 where an element is still open. */
  close(): void {
    this.#parser.close()
  }

  startTag(name: string): void {
    this.#sawEvent = true
    if (this.#parser.depth === recordDepth && this.names.isRecord(name)) this.#beginRecord(name)
  }

  #beginRecord(name: string): void {
    const start = this.#source.lastIndexOf('<')
    this.#source = this.#source.slice(start)
    this.#sourceBytes = Buffer.byteLength(this.#source)
    // saxes has read the character after the name already, and the line that it may end.
    const after = this.#source[1 + name.length]
    const line = this.#parser.line - (after === '\n' || after === '\r' ? 1 : 0)
    this.#record = { line, values: [] }
  }

  openElement(name: string, attributes: Readonly<Record<string, string>>): void {
    const { depth } = this.#parser
    if (depth === rootDepth) this.isBetweenRecords = true
    else if (depth === recordDepth) {
      this.openName = name
      if (this.#record === undefined) this.names.meetUnknown(name)
      else for (const attribute in attributes) this.#readAttribute(attribute, attributes[attribute]!)
    } else if (this.#record !== undefined) {
      if (depth === fieldDepth) this.#openField(name, attributes)
      else if (this.#column !== -1) this.#addFault('ER106', `The field holds an element ${name}.`, this.#column)
    }
  }

  #readAttribute(name: string, value: string): void {
    if (isMarkupAttribute(name)) return
    const column = this.names.columnOf(name)
    if (column === -1) this.names.meetUnknown(name)
    else this.#give(column, name, value)
  }

  #openField(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#column = this.names.columnOf(name)
    this.#value = ''
    if (this.#column === -1) this.names.meetUnknown(name)
    for (const attribute in attributes) {
      if (!isMarkupAttribute(attribute)) this.names.meetUnknown(`${name}/@${attribute}`)
    }
  }

  addText(text: string): void {
    const { depth } = this.#parser
    this.#sawEvent = true
    if (depth === fieldDepth && this.#column !== -1) this.#value += text
    else if (depth <= recordDepth && /[^ \t\r\n]/.test(text)) {
      if (depth === rootDepth) this.names.meetUnknown('#text')
      else if (this.#record !== undefined) {
        this.#addFault('ER107', `Text stands between the fields: ${text.trim().slice(0, 40)}`)
      }
    }
  }

  closeElement(name: string): void {
    const { depth } = this.#parser
    this.#sawEvent = true
    if (depth === fieldDepth && this.#column !== -1) {
      this.#give(this.#column, name, this.#value)
      this.#column = -1
      this.#value = ''
    } else if (depth === recordDepth) {
      if (this.#record !== undefined) this.#endRecord(this.#record)
      this.openName = undefined
      this.isBetweenRecords = true
    } else if (depth === rootDepth) this.isBetweenRecords = false
  }

  #give(column: number, name: string, value: string): void {
    const record = this.#record
    if (record === undefined) return
    if (record.values[column] === undefined) record.values[column] = value
    else this.#addFault('ER105', `The field ${name} is given twice.`, column)
  }

  /** The first thing wrong with a record names it. */
  #addFault(code: RecordFault['code'], reason: string, column?: number): void {
    if (this.#record === undefined || this.#record.fault !== undefined) return
    const fieldName = column === undefined ? undefined : this.names.fieldNames[column]
    this.#record.fault = { code, reason, ...(fieldName === undefined ? {} : { column: fieldName }) }
  }

  #endRecord({ line, values, fault }: OpenRecord): void {
    if (this.#sourceBytes > this.limits.maxRecordBytes) throw this.#tooLarge()
    if (fault === undefined) this.block.add(values, line, this.#sourceBytes)
    else this.block.addFault({ ...fault, text: this.#source }, line, this.#sourceBytes)
    this.#record = undefined
  }

  /** Outside of records, keeps what saxes may still hold: an unfinished comment, or a tag cut in two from its `<` on. */
  #forgetSource(): void {
    const isAside = isCommentOrInstruction(this.#source)
    this.isInProlog = this.#parser.depth === 0 && isAside
    if (!isAside && !this.#sawEvent) return
    const holdsNothing = isAside || this.isBetweenRecords || this.openName !== undefined
    this.#source = holdsNothing ? '' : this.#source.trimStart()
    this.#sourceBytes = Buffer.byteLength(this.#source)
  }

  #tooLarge(): MessageRejected {
    const line = this.#record?.line ?? this.line
    const what = this.#record === undefined ? 'What stands before line' : 'The record that starts on line'
    return new MessageRejected('EF107', `${what} ${line} is larger than ${this.limits.maxRecordBytes} bytes.`, { line })
  }
}

/** Whether the text is one whole comment or processing instruction, with white space before it. */
function isCommentOrInstruction(text: string): boolean {
  if (text.endsWith('-->')) return /^\s*<!--/.test(text) && text.trimStart().length >= '<!---->'.length
  return text.endsWith('?>') && /^\s*<\?/.test(text)
}
