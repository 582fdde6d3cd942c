/** A delimited text file (RFC 4180 and its relatives). */
export interface DelimitedFormat {
  readonly kind: 'delimited'
  /** One or more characters between fields. */
  readonly delimiter: string
  /** One character around fields that hold the delimiter, or '' for none. */
  readonly qualifier: string
  /** Whether the first line names the columns; else the fields stand in declared order. */
  readonly hasHeader: boolean
  /** Encoding where no byte order mark says another; default utf-8. */
  readonly encoding?: string
  /** A character that makes the next one literal inside a quoted field; default: the qualifier, doubled. */
  readonly escape?: string
  /** Lines that start with this text are skipped. */
  readonly comment?: string
}

/** An XML file with one element a record; both styles are read whatever `style` says, `style` decides how it is written. */
export interface XmlFormat {
  readonly kind: 'xml'
  readonly style: 'element' | 'attribute'
  readonly root: string
  /** Encoding where neither a byte order mark nor the declaration says one; default utf-8. */
  readonly encoding?: string
}

export type SourceFormat = DelimitedFormat | XmlFormat

const delimited = (delimiter: string): DelimitedFormat => ({
  kind: 'delimited',
  delimiter,
  qualifier: '"',
  hasHeader: true,
})
const xml = (style: XmlFormat['style']): XmlFormat => ({ kind: 'xml', style, root: 'Document' })

/** The source data formats that Entrepot knows by name, spelt as Dynamics 365 spells them. */
export const sourceFormats = {
  'CSV-Comma': delimited(','),
  'CSV-Semicolon': delimited(';'),
  'CSV-VerticalBar': delimited('|'),
  'CSV-Unicode': { ...delimited(','), encoding: 'utf-16le' },
  'Tab-delimited': delimited('\t'),
  'XML-Element': xml('element'),
  'XML-Attribute': xml('attribute'),
} as const satisfies Record<string, SourceFormat>

export type SourceFormatName = keyof typeof sourceFormats
