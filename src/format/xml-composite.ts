import { MessageRejected } from '../errors'
import type { DocumentShape, SourceDocument } from './document'
import type { ReadLimits } from './record-block'
import type { XmlFormat } from './source-format'
import { emptyXml, noRecords, notXml } from './xml'
import { type BuiltDocument, XmlDocumentBuilder } from './xml-document-builder'
import { decodeXml } from './xml-encoding'
import { XmlParser } from './xml-parser'

/** An opened file of documents. */
export interface DocumentSource {
  /** In file order. Throws MessageRejected (EF…) where the file is unreadable from some place on. */
  readonly documents: AsyncIterable<SourceDocument>
  /** Names met so far that are no record and no field where they stand, as spelt in the file; at most 100. */
  readonly unknownNames: ReadonlySet<string>
}

/**
 * Opens an XML file of a composite entity, with one element a document, below a root of any name. Within the element of a
 * record stand its fields (child elements, attributes, or both) and the elements of records that belong to it, in any
 * order. Names and values are read as those of flat XML files are (see `openXml`).
 * Faults of a document: ER105 field given twice, ER106 element in a field, ER107 text between fields, ER108 record in the
 * wrong place.
 * Throws  MessageRejected EF101 empty, EF106 wrong bytes, EF107 document too large, EF110 no XML, EF201 not well-formed,
 *         EF202 DOCTYPE, EF203 nested too deep, EF204 no document; all from `documents`.
 */
export function openDocuments(
  bytes: AsyncIterable<Uint8Array>,
  format: Pick<XmlFormat, 'encoding'>,
  shape: DocumentShape,
  limits: ReadLimits,
): DocumentSource {
  const reader = new DocumentReader(shape, limits)
  return { documents: reader.read(bytes, format), unknownNames: reader.unknownNames }
}

/** Feeds a parser, and keeps the source of the document under way. */
class DocumentReader {
  readonly unknownNames: ReadonlySet<string>
  readonly #builder: XmlDocumentBuilder
  readonly #parser: XmlParser
  /** The source from position `#base` on. */
  #source = ''
  #base = 0
  /** Bytes of the document under way; else of what the parser may still hold. */
  #heldBytes = 0

  constructor(
    private readonly shape: DocumentShape,
    private readonly limits: ReadLimits,
  ) {
    this.#builder = new XmlDocumentBuilder(shape, () => this.#tagAt())
    this.#parser = new XmlParser(this.#builder)
    this.#builder.parser = this.#parser
    this.unknownNames = this.#builder.unknown
  }

  async *read(
    bytes: AsyncIterable<Uint8Array>,
    format: Pick<XmlFormat, 'encoding'>,
  ): AsyncGenerator<SourceDocument, void, undefined> {
    let found = false
    for await (const piece of checkedStart(await decodeXml(bytes, format))) {
      this.#feed(piece)
      const { documents } = this.#builder
      this.#builder.documents = []
      found ||= documents.length > 0
      for (const document of documents) yield this.#finished(document)
      this.#forgetSource(Buffer.byteLength(piece))
    }
    this.#parser.close()
    if (!found) throw noRecords(this.shape.members[0]!.recordNames, this.unknownNames)
  }

  #feed(piece: string): void {
    this.#source += piece
    this.#builder.sawEvent = false
    this.#parser.write(piece)
  }

  #finished({ start, end, fault, ...document }: BuiltDocument): SourceDocument {
    const text = this.#source.slice(start - this.#base, end - this.#base)
    if (Buffer.byteLength(text) > this.limits.maxRecordBytes) throw this.#tooLarge(document.line)
    return { ...document, ...(fault === undefined ? {} : { fault: { ...fault, text } }) }
  }

  /** Keeps the document under way, or the tag that may have been cut in two. */
  #forgetSource(pieceBytes: number): void {
    const { openDocument, sawEvent } = this.#builder
    const tag = Math.max(0, this.#source.lastIndexOf('<'))
    const from = openDocument === undefined ? tag : openDocument.start - this.#base
    this.#source = this.#source.slice(from)
    this.#base += from
    // Without an event all of the piece is added to what the parser holds, such as a comment that does not end.
    this.#heldBytes = sawEvent ? Buffer.byteLength(this.#source) : this.#heldBytes + pieceBytes
    if (this.#heldBytes > this.limits.maxRecordBytes) throw this.#tooLarge(openDocument?.line)
  }

  /** The start tag whose name was read just now, with the character behind it, which may end a line. */
  #tagAt(): { start: number; line: number } {
    const end = this.#parser.position - this.#base
    const after = this.#source[end - 1]
    const line = this.#parser.line - (after === '\n' || after === '\r' ? 1 : 0)
    return { start: this.#base + this.#source.lastIndexOf('<', end - 1), line }
  }

  #tooLarge(line: number | undefined): MessageRejected {
    const place = line ?? this.#parser.line
    const what = line === undefined ? 'What stands before line' : 'The document that starts on line'
    return new MessageRejected('EF107', `${what} ${place} is larger than ${this.limits.maxRecordBytes} bytes.`, {
      line: place,
    })
  }
}

/** The text of the file, of which the first pieces show whether it is XML. */
async function* checkedStart(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let start: string | undefined = ''
  for await (const chunk of chunks) {
    const piece = chunk.toString()
    if (start !== undefined) {
      start = (start + piece).trimStart().slice(0, 20)
      if (start !== '' && !start.startsWith('<')) throw notXml(start)
      if (start !== '') start = undefined
    }
    yield piece
  }
  if (start !== undefined) throw emptyXml()
}
