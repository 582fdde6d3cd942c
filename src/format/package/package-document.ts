import { MessageRejected } from '../../errors'
import { type ElementType, malformed, type Reading } from './package-element'
import { parseXml, writeXml, type XmlContent } from './package-xml'

/** A document of a package as a value, and what was noticed while reading it. */
export interface Read<T> {
  readonly value: T
  readonly notices: readonly string[]
}

/** A kind of document: its file name in the package and its root element. */
export interface DocumentKind<T> {
  readonly fileName: string
  readonly root: string
  readonly type: ElementType<T>
}

/** As .NET's DataContractSerializer writes them. */
const namespaces = {
  'xmlns:i': 'http://www.w3.org/2001/XMLSchema-instance',
  xmlns: 'http://schemas.microsoft.com/dynamics/2015/01/DataManagement',
}

/**
 * Reads a document of a package, in UTF-8 or UTF-16.
 * Throws  MessageRejected EF106, EF109, EF201 to EF203 for what is no XML, EF312 for another document or structure,
 *         EF313 for that of a template, EF314 for a value of another type.
 */
export async function readDocument<T>(kind: DocumentKind<T>, bytes: AsyncIterable<Uint8Array>): Promise<Read<T>> {
  const root = await parseXml(bytes, kind.fileName)
  const reading: Reading = { document: kind.fileName, place: '', notices: new Set() }
  if (/Template/i.test(root.name)) throw templateRefused(kind.fileName, root.name)
  if (root.name !== kind.root)
    throw malformed(`the root element is ${root.name.slice(0, 100)}, not ${kind.root}`, reading)
  return { value: kind.type.read(root, kind.root, reading), notices: [...reading.notices] }
}

/**
 * Writes a document of a package: UTF-8 without a byte order mark or declaration, in one line. Dynamics 365 writes
 * UTF-16 itself, and its own clients rewrite that as UTF-8: readers take both, and UTF-8 has half the bytes.
 */
export function writeDocument<T>(kind: DocumentKind<T>, value: T): Buffer {
  return Buffer.from(writeXml(kind.root, namespaces, kind.type.write(value) as XmlContent)) // a root is one record
}

/** Says that a package is one of a template, by its manifest's type. */
export function templateRefused(document: string, type: string): MessageRejected {
  const sentence = `The package is of another kind than data: ${document} is of type ${type.slice(0, 200)}.`
  return new MessageRejected('EF313', sentence)
}
