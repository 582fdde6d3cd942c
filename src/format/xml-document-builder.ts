import type { DocumentFault, DocumentRecord, DocumentShape, SourceDocument } from './document'
import { isMarkupAttribute, localName, XmlNames } from './xml-names'
import type { XmlEvents, XmlParser } from './xml-parser'

/** Where elements stand: the root, the documents. */
const rootDepth = 1
const documentDepth = 2

/** An open element within a document: a record of a member, a field of the record around it, or neither. */
interface OpenElement {
  readonly name: string
  readonly record?: number
  readonly member?: number
  readonly column?: number
  value: string
}

/** A document under way. */
interface OpenDocument {
  readonly line: number
  /** Where it starts in the source, in UTF-16 units. */
  readonly start: number
  readonly records: DocumentRecord[]
  readonly open: OpenElement[]
  fault?: Omit<DocumentFault, 'text'>
}

/** A document that was read, and where it stands in the source, in UTF-16 units. */
export interface BuiltDocument extends Omit<SourceDocument, 'fault'> {
  readonly start: number
  readonly end: number
  readonly fault?: Omit<DocumentFault, 'text'>
}

/** Makes documents of what a parser reads. */
export class XmlDocumentBuilder implements XmlEvents {
  /** What it is fed by; set before the first event. */
  parser!: XmlParser
  /** Finished documents; whoever reads them takes them away. */
  documents: BuiltDocument[] = []
  /** Whether something was read since it was last set to false. */
  sawEvent = false
  /** Names met that are no record and no field where they stand, as spelt in the file. */
  readonly unknown: ReadonlySet<string>
  readonly #names: readonly XmlNames[]
  readonly #members = new Map<string, number>()
  #document: OpenDocument | undefined
  #tagLine = 1

  /** Input: `tagAt`: the position and line of the start tag whose name and next character were read just now. */
  constructor(
    private readonly shape: DocumentShape,
    private readonly tagAt: () => { start: number; line: number },
  ) {
    this.#names = shape.members.map((member) => new XmlNames(member))
    this.unknown = this.#names[0]!.unknown
    shape.members.forEach(({ recordNames }, member) => {
      for (const name of recordNames) this.#members.set(name.toLowerCase(), member)
    })
  }

  /** The start and the line of the document that is open. */
  get openDocument(): { readonly start: number; readonly line: number } | undefined {
    return this.#document
  }

  startTag(): void {
    this.sawEvent = true
    const { start, line } = this.tagAt()
    this.#tagLine = line
    if (this.parser.depth === documentDepth) this.#document = { start, line, records: [], open: [] }
  }

  openElement(name: string, attributes: Readonly<Record<string, string>>): void {
    this.sawEvent = true
    const { depth } = this.parser
    if (depth === rootDepth) return
    if (depth === documentDepth) this.#openDocument(name)
    else if (this.#document !== undefined) this.#openWithin(this.#document, name)
    const element = this.#document?.open.at(-1)
    if (element !== undefined) this.#readAttributes(element, attributes)
  }

  addText(text: string): void {
    this.sawEvent = true
    const element = this.#document?.open.at(-1)
    if (element?.column !== undefined) element.value += text
    else if (/[^ \t\r\n]/.test(text)) {
      if (this.parser.depth === rootDepth) this.#meetUnknown('#text')
      else if (element?.record !== undefined) {
        this.#addFault({ code: 'ER107', reason: `Text stands between the fields: ${text.trim().slice(0, 40)}` })
      }
    }
  }

  closeElement(name: string): void {
    this.sawEvent = true
    const document = this.#document
    const element = document?.open.pop()
    if (document === undefined || element === undefined) return
    if (element.column !== undefined) this.#give(document, element.record!, element.column, name, element.value)
    if (document.open.length > 0) return
    const { fault, line, start } = document
    const end = this.parser.position
    const records = fault === undefined ? document.records : []
    this.documents.push({ start, end, line, records, ...(fault === undefined ? {} : { fault }) })
    this.#document = undefined
  }

  #openDocument(name: string): void {
    const member = this.#memberOf(name)
    if (member === undefined) {
      this.#meetUnknown(name)
      this.#document = undefined
      return
    }
    this.#openRecord(this.#document!, name, 0, -1)
    // Left out of the file without a word, it would be lost.
    if (member > 0) this.#misplaced(name, member, 'by itself')
  }

  #openWithin(document: OpenDocument, name: string): void {
    const around = document.open.at(-1)!
    const member = this.#memberOf(name)
    const isChild = member !== undefined && this.shape.members[member]!.parent === around.member
    if (around.member !== undefined && isChild) {
      this.#openRecord(document, name, member, around.record!)
      return
    }
    const column = around.member === undefined ? -1 : this.#names[around.member]!.columnOf(name)
    if (column !== -1) {
      document.open.push({ name, record: around.record!, column, value: '' })
      return
    }
    document.open.push({ name, value: '' })
    if (around.column !== undefined) {
      const of = this.#columnName(document, around.record!, around.column)
      this.#addFault({ code: 'ER106', reason: `The field holds an element ${name}.`, ...of })
    } else if (member !== undefined) this.#misplaced(name, member, `in ${around.name}`)
    else if (around.member !== undefined) this.#meetUnknown(name)
  }

  #openRecord(document: OpenDocument, name: string, member: number, parent: number): void {
    const values = new Array<string | undefined>(this.#names[member]!.fieldNames.length).fill(undefined)
    const record = document.records.push({ member, parent, line: this.#tagLine, values }) - 1
    document.open.push({ name, record, member, value: '' })
  }

  #readAttributes(element: OpenElement, attributes: Readonly<Record<string, string>>): void {
    const { name, record, member, column } = element
    if (record === undefined) return
    for (const attribute in attributes) {
      if (isMarkupAttribute(attribute)) continue
      const given = member === undefined ? -1 : this.#names[member]!.columnOf(attribute)
      if (given !== -1) this.#give(this.#document!, record, given, attribute, attributes[attribute]!)
      else this.#meetUnknown(column === undefined ? attribute : `${name}/@${attribute}`)
    }
  }

  #give({ records }: OpenDocument, record: number, column: number, name: string, value: string): void {
    const { values } = records[record]!
    if (values[column] === undefined) values[column] = value
    else {
      const of = this.#columnName(this.#document!, record, column)
      this.#addFault({ code: 'ER105', reason: `The field ${name} is given twice.`, ...of })
    }
  }

  #columnName({ records }: OpenDocument, record: number, column: number): { column: string } {
    return { column: this.#names[records[record]!.member]!.fieldNames[column]! }
  }

  #misplaced(name: string, member: number, where: string): void {
    const parent = this.shape.members[this.shape.members[member]!.parent]
    const place = parent === undefined ? 'below the root element' : `in ${parent.recordNames[0]}`
    this.#addFault({ code: 'ER108', reason: `${name} stands ${where} instead of ${place}.` })
  }

  /** The first thing wrong with a document names it. */
  #addFault(fault: Omit<DocumentFault, 'text'>): void {
    if (this.#document !== undefined) this.#document.fault ??= fault
  }

  #memberOf(name: string): number | undefined {
    return this.#members.get(localName(name).toLowerCase())
  }

  #meetUnknown(name: string): void {
    this.#names[0]!.meetUnknown(name)
  }
}
