import type { RecordShape } from './record-block'

/** Beyond this many the list helps nobody, and a hostile file could fill memory with it. */
const maxUnknownNames = 100

/** What an XML Schema instance says about an element rather than of the record (XML Schema 1.0 part 1, 2.6). */
const instanceNames = new Set(['nil', 'type', 'schemalocation', 'nonamespaceschemalocation'])

/**
 * The names that an XML file is read by: letter case and namespace prefixes make no difference.
 * Maps and sets only, so that `__proto__` and its like are names as any other.
 */
export class XmlNames {
  /** Names met that are no record and no field, as spelt in the file; at most 100. */
  readonly unknown = new Set<string>()
  readonly fieldNames: readonly string[]
  readonly #records: ReadonlySet<string>
  readonly #columns = new Map<string, number>()

  constructor(shape: RecordShape) {
    this.fieldNames = shape.fieldNames
    this.#records = new Set(shape.recordNames.map((name) => name.toLowerCase()))
    shape.fieldNames.forEach((name, column) => {
      const key = name.toLowerCase()
      if (!this.#columns.has(key)) this.#columns.set(key, column)
    })
  }

  isRecord(name: string): boolean {
    return this.#records.has(localName(name).toLowerCase())
  }

  /** The column of a field, or -1 for a name that is no field. */
  columnOf(name: string): number {
    return this.#columns.get(localName(name).toLowerCase()) ?? -1
  }

  meetUnknown(name: string): void {
    if (this.unknown.size < maxUnknownNames) this.unknown.add(name)
  }
}

/** The name without its namespace prefix. */
export function localName(name: string): string {
  return name.slice(name.lastIndexOf(':') + 1)
}

/** Whether an attribute speaks of the markup (namespaces, `xml:space`, `xsi:nil` …) and so is never a field. */
export function isMarkupAttribute(name: string): boolean {
  if (name === 'xmlns') return true
  const colon = name.indexOf(':')
  if (colon === -1) return false
  const prefix = name.slice(0, colon)
  return prefix === 'xmlns' || prefix === 'xml' || instanceNames.has(name.slice(colon + 1).toLowerCase())
}
