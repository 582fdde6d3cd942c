import { SaxesParser, type SaxesTagPlain } from 'saxes'
import { MessageRejected } from '../errors'

/** A document of the field's own tools never exceeds ten levels. */
const maxDepth = 64
const maxNameLength = 256
const maxAttributes = 256

/** A parser's sentence may quote a name of any length. */
const maxSentenceLength = 200

/** What a document holds, in its order; `depth` of the parser is that of the element which is meant. */
export interface XmlEvents {
  /** The name of a start tag is read, with the character behind it; its attributes are not. */
  startTag(name: string): void
  openElement(name: string, attributes: Readonly<Record<string, string>>): void
  /** Text or CDATA, references replaced, perhaps not all of the element's. */
  addText(text: string): void
  closeElement(name: string): void
}

/**
 * Parses XML that comes in pieces, and says what is wrong with it. Namespaces are not resolved.
 * Throws  MessageRejected EF201 not well-formed, EF202 DOCTYPE, EF203 depth, names, attributes.
 * Source  XML 1.0 (fifth edition).
 */
export class XmlParser {
  /** How many elements are open; the root is at depth 1. */
  depth = 0
  readonly #parser = new SaxesParser({ xmlns: false, position: true, defaultXMLVersion: '1.0', forceXMLVersion: true })

  constructor(private readonly events: XmlEvents) {
    this.#listen()
  }

  get line(): number {
    return this.#parser.line
  }

  /** Characters since the last line end. */
  get column(): number {
    return this.#parser.column
  }

  /** How many UTF-16 units of the document are read: within an event, up to the end of what it is about. */
  get position(): number {
    return this.#parser.position
  }

  moveTo(line: number, column: number): void {
    this.#parser.line = line
    this.#parser.column = column
  }

  write(piece: string): void {
    this.#parser.write(piece)
  }

  /** Ends the document. Throws MessageRejected EF201 where an element is still open. */
  close(): void {
    this.#parser.close()
  }

  /** Seven handlers and no more: with the eighth V8 keeps the parser as a dictionary, five times slower (measured). */
  #listen(): void {
    const parser = this.#parser
    const { events } = this
    parser.on('error', (error) => this.#refuse(error))
    parser.on('doctype', () => {
      throw this.#rejected('EF202', 'The XML has a document type declaration.')
    })
    parser.on('opentagstart', ({ name }) => this.#startTag(name))
    parser.on('opentag', (tag) => this.#openElement(tag))
    parser.on('closetag', ({ name }) => {
      events.closeElement(name)
      this.depth -= 1
    })
    parser.on('text', (text) => events.addText(text))
    parser.on('cdata', (text) => events.addText(text))
  }

  #startTag(name: string): void {
    this.depth += 1
    if (this.depth > maxDepth) throw this.#rejected('EF203', `Elements are nested deeper than ${maxDepth} levels.`)
    this.#checkName(name)
    this.events.startTag(name)
  }

  #openElement({ name, attributes }: SaxesTagPlain): void {
    this.#checkAttributes(attributes)
    if (this.depth === 1) this.#checkVersion()
    this.events.openElement(name, attributes)
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

  #checkVersion(): void {
    const { version = '1.0' } = this.#parser.xmlDecl
    if (version !== '1.0') throw this.#rejected('EF201', `XML version ${version} is not read; 1.0 is.`)
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
