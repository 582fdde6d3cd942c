import { SaxesParser, type SaxesTagPlain } from 'saxes'
import { MessageRejected } from '../errors'
import type { ReadLimits, RecordFault } from './record-block'
import type { XmlBlockBuilder } from './xml-block'
import { isMarkupAttribute, type XmlNames } from './xml-names'

/** Records are two levels deep; a document of the field's own tools never exceeds ten. */
const maxDepth = 64
const maxNameLength = 256
const maxAttributes = 256

/** Where elements stand: the root, records, fields. */
const rootDepth = 1
const recordDepth = 2
const fieldDepth = 3

/** A parser's sentence may quote a name of any length. */
const maxSentenceLength = 200

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
export class XmlSaxesLane {
  /** Whether the last piece ended with the start tag of the root or with the end of an element at record level. */
  isBetweenRecords = false
  /** Whether what comes next stands before the root and outside of comments and processing instructions. */
  isInProlog = true
  /** Name of the element at record level that is open; its end tag ends a piece too. */
  openName: string | undefined
  readonly #parser = new SaxesParser({ xmlns: false, position: true, defaultXMLVersion: '1.0', forceXMLVersion: true })
  #depth = 0
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
  ) {
    this.#listen()
  }

  get line(): number {
    return this.#parser.line
  }

  /** Characters since the last line end. */
  get column(): number {
    return this.#parser.column
  }

  moveTo(line: number, column: number): void {
    this.#parser.line = line
    this.#parser.column = column
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

  /** Seven handlers and no more: with the eighth V8 keeps the parser as a dictionary, five times slower (measured). */
  #listen(): void {
    const parser = this.#parser
    parser.on('error', (error) => this.#refuse(error))
    parser.on('doctype', () => {
      throw this.#rejected('EF202', 'The XML has a document type declaration.')
    })
    parser.on('opentagstart', ({ name }) => this.#startTag(name))
    parser.on('opentag', (tag) => this.#openElement(tag))
    parser.on('closetag', ({ name }) => this.#closeElement(name))
    parser.on('text', (text) => this.#addText(text))
    parser.on('cdata', (text) => this.#addText(text))
  }

  #startTag(name: string): void {
    this.#sawEvent = true
    this.#depth += 1
    if (this.#depth > maxDepth) throw this.#rejected('EF203', `Elements are nested deeper than ${maxDepth} levels.`)
    this.#checkName(name)
    if (this.#depth === recordDepth && this.names.isRecord(name)) this.#beginRecord(name)
  }

  #checkName(name: string): void {
    if (name.length <= maxNameLength) return
    throw this.#rejected('EF203', `A name is longer than ${maxNameLength} characters: ${name.slice(0, 40)}…`)
  }

  #checkAttributes(attributes: Record<string, string>): void {
    let count = 0
    for (const name in attributes) {
      this.#checkName(name)
      count += 1
    }
    if (count > maxAttributes) {
      throw this.#rejected('EF203', `An element has more than ${maxAttributes} attributes.`)
    }
  }

  #openRoot(): void {
    this.isBetweenRecords = true
    const { version = '1.0' } = this.#parser.xmlDecl
    if (version !== '1.0') throw this.#rejected('EF201', `XML version ${version} is not read; 1.0 is.`)
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

  #openElement({ name, attributes }: SaxesTagPlain): void {
    this.#checkAttributes(attributes)
    if (this.#depth === rootDepth) this.#openRoot()
    else if (this.#depth === recordDepth) {
      this.openName = name
      if (this.#record === undefined) this.names.meetUnknown(name)
      else for (const attribute in attributes) this.#readAttribute(attribute, attributes[attribute]!)
    } else if (this.#record !== undefined) {
      if (this.#depth === fieldDepth) this.#openField(name, attributes)
      else if (this.#column !== -1) this.#addFault('ER106', `The field holds an element ${name}.`, this.#column)
    }
  }

  #readAttribute(name: string, value: string): void {
    if (isMarkupAttribute(name)) return
    const column = this.names.columnOf(name)
    if (column === -1) this.names.meetUnknown(name)
    else this.#give(column, name, value)
  }

  #openField(name: string, attributes: Record<string, string>): void {
    this.#column = this.names.columnOf(name)
    this.#value = ''
    if (this.#column === -1) this.names.meetUnknown(name)
    for (const attribute in attributes) {
      if (!isMarkupAttribute(attribute)) this.names.meetUnknown(`${name}/@${attribute}`)
    }
  }

  #addText(text: string): void {
    this.#sawEvent = true
    if (this.#depth === fieldDepth && this.#column !== -1) this.#value += text
    else if (this.#depth <= recordDepth && /[^ \t\r\n]/.test(text)) {
      if (this.#depth === rootDepth) this.names.meetUnknown('#text')
      else if (this.#record !== undefined) {
        this.#addFault('ER107', `Text stands between the fields: ${text.trim().slice(0, 40)}`)
      }
    }
  }

  #closeElement(name: string): void {
    this.#sawEvent = true
    if (this.#depth === fieldDepth && this.#column !== -1) {
      this.#give(this.#column, name, this.#value)
      this.#column = -1
      this.#value = ''
    } else if (this.#depth === recordDepth) {
      if (this.#record !== undefined) this.#endRecord(this.#record)
      this.openName = undefined
      this.isBetweenRecords = true
    } else if (this.#depth === rootDepth) this.isBetweenRecords = false
    this.#depth -= 1
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
    this.isInProlog = this.#depth === 0 && isAside
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

  #refuse(error: Error): never {
    const sentence = error.message.replace(/^\d+:\d+: /, '').slice(0, maxSentenceLength)
    if (sentence.startsWith('inappropriately located doctype')) {
      throw this.#rejected('EF202', 'The XML has a document type declaration.')
    }
    throw this.#rejected('EF201', `The XML is not well-formed: ${sentence}`)
  }

  #rejected(code: 'EF201' | 'EF202' | 'EF203', sentence: string): MessageRejected {
    const line = this.line
    const column = Math.max(1, this.column)
    return new MessageRejected(code, `${sentence.replace(/\.$/, '')} (line ${line}, column ${column}).`, {
      line,
      column,
    })
  }
}

/** Whether the text is one whole comment or processing instruction, with white space before it. */
function isCommentOrInstruction(text: string): boolean {
  if (text.endsWith('-->')) return /^\s*<!--/.test(text) && text.trimStart().length >= '<!---->'.length
  return text.endsWith('?>') && /^\s*<\?/.test(text)
}
