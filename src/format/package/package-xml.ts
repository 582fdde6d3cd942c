import { Builder, Parser } from 'xml2js'
import { MessageRejected, textOf } from '../../errors'
import { decode } from '../decode'
import { peek } from '../peek'
import { declarationBytes, declaredEncoding } from '../xml-encoding'
import { notXml } from '../xml-writer'

/** An element: its name without a prefix, its own text, whether it is `i:nil`, and the elements in it, in their order. */
export interface XmlElement {
  readonly name: string
  readonly text: string
  readonly isNil: boolean
  readonly children: readonly XmlElement[]
}

/** What an element is written with: text, null for `i:nil`, elements by their names, or several of one name. */
export type XmlContent = string | null | { readonly [name: string]: XmlContent | readonly XmlContent[] }

/** In UTF-8, whatever the document's encoding; a manifest with 10,000 mapped fields has half of it. */
const maxDocumentBytes = 8 * 1024 ** 2

/** Twice those of such a manifest; as many take 100 MB and two seconds to read. */
const maxElements = 200_000

/** The deepest element of a manifest is the eighth. */
const maxDepth = 64

/** Keys that no element can be named by, as XML allows none of these in a name. */
const keys = { attrkey: '#attributes', charkey: '#text', childkey: '#children' }

/** What xml2js makes of an element with these keys. */
interface ParsedElement {
  readonly '#name': string
  readonly '#text'?: string
  readonly '#attributes'?: Readonly<Record<string, string>>
  readonly '#children'?: readonly ParsedElement[]
}

/**
 * Reads a small document whole; namespaces are left out, comments and instructions are dropped.
 * Input   `document` names the document in messages.
 * Throws  MessageRejected EF106 wrong bytes, EF109 encoding, EF201 not well-formed, EF202 DOCTYPE, EF203 too deep,
 *         EF312 too large.
 * Source  XML 1.0 (fifth edition).
 */
export async function parseXml(bytes: AsyncIterable<Uint8Array>, document: string): Promise<XmlElement> {
  try {
    const text = await textOfDocument(bytes)
    refuseDoctype(text)
    return toElement(parse(text))
  } catch (error) {
    if (!(error instanceof MessageRejected)) throw error
    throw new MessageRejected(error.code, `${document}: ${error.message}`, error.place, { cause: error })
  }
}

/** A document in one line: what .NET's DataContractSerializer writes, `<X />` for no text. */
export function writeXml(root: string, namespaces: Readonly<Record<string, string>>, content: XmlContent): string {
  const builder = new Builder({
    ...keys,
    headless: true,
    renderOpts: { pretty: false, ...{ spaceBeforeSlash: ' ' } }, // the types leave this option of xmlbuilder out
  })
  return builder.buildObject({ [root]: { [keys.attrkey]: namespaces, ...(forBuilder(content) as object) } })
}

async function textOfDocument(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const { head, rest } = await peek(bytes, declarationBytes)
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of decode(rest(), declaredEncoding(head))) {
    length += piece.length
    if (length > maxDocumentBytes) {
      throw new MessageRejected('EF312', `The document is larger than ${maxDocumentBytes} bytes.`)
    }
    pieces.push(piece)
  }
  const text = Buffer.concat(pieces).toString('utf8')
  if (text.search(notXml) !== -1) throw new MessageRejected('EF201', 'The XML has a control character.')
  return text
}

/**
 * Refuses a DOCTYPE wherever it stands, in a comment too: where comments and instructions end is for the parser to say,
 * and who guesses it otherwise overlooks one.
 */
function refuseDoctype(text: string): void {
  if (/<!doctype/i.test(text)) throw new MessageRejected('EF202', 'The XML has a document type declaration.')
}

/**
 * Parses at one go and up to the first fault. xml2js' own way in steps never answers when a step fails, and left to
 * itself it goes on behind a fault: a document of faults alone would take it a minute.
 */
function parse(text: string): ParsedElement {
  const bounds = new Bounds()
  const parser = new Parser({
    ...keys,
    explicitRoot: false,
    explicitChildren: true,
    preserveChildrenOrder: true,
    explicitCharkey: true,
    tagNameProcessors: [(name) => bounds.open(name)],
    validator: (_path: string, _before: unknown, element: unknown) => bounds.close(element),
  })
  let root: ParsedElement | null = null
  let failure: unknown
  parser.on('error', (error: unknown) => {
    failure ??= error
    throw error
  })
  // At the end of the root it would drop the listener, and with it what is wrong behind the root.
  parser.reset = () => {}
  try {
    parser.parseString(text, (_error, result: ParsedElement | null) => {
      root = result
    })
  } catch (error) {
    failure ??= error
  }
  if (failure instanceof MessageRejected) throw failure
  if (failure !== undefined) throw new MessageRejected('EF201', notWellFormed(failure), {}, { cause: failure })
  if (root === null) throw new MessageRejected('EF201', 'The document has no element.')
  return root
}

/** Counts the elements as they open and close, as xml2js builds whatever it is given. */
class Bounds {
  #count = 0
  #depth = 0

  open(name: string): string {
    if (this.#depth === 0 && this.#count > 0) throw new MessageRejected('EF201', 'The XML has a second root element.')
    this.#count += 1
    this.#depth += 1
    if (this.#count > maxElements) {
      throw new MessageRejected('EF312', `The document has more than ${maxElements} elements.`)
    }
    if (this.#depth > maxDepth) {
      throw new MessageRejected('EF203', `The XML is nested deeper than ${maxDepth} elements.`)
    }
    return name.slice(name.indexOf(':') + 1)
  }

  close<T>(element: T): T {
    this.#depth -= 1
    return element
  }
}

function notWellFormed(error: unknown): string {
  const [sentence = '', line = ''] = textOf(error).split('\n')
  const place = /^Line: (\d+)$/.exec(line)?.[1]
  return `The XML is not well-formed: ${sentence}${place === undefined ? '' : ` (line ${Number(place) + 1})`}.`
}

function toElement(parsed: ParsedElement): XmlElement {
  const isNil = Object.entries(parsed['#attributes'] ?? {}).some(
    ([name, value]) => /(?:^|:)nil$/.test(name) && /^\s*(?:true|1)\s*$/.test(value),
  )
  const children = (parsed['#children'] ?? []).map(toElement)
  return { name: parsed['#name'], text: parsed['#text'] ?? '', isNil, children }
}

function forBuilder(content: XmlContent | readonly XmlContent[]): unknown {
  if (content === null) return { [keys.attrkey]: { 'i:nil': 'true' } }
  if (typeof content === 'string') return content.replace(notXml, '\ufffd')
  if (isSeveral(content)) return content.map(forBuilder)
  return Object.fromEntries(Object.entries(content).map(([name, each]) => [name, forBuilder(each)]))
}

/** Array.isArray does not tell read-only arrays from objects. */
function isSeveral(content: XmlContent | readonly XmlContent[]): content is readonly XmlContent[] {
  return Array.isArray(content)
}
