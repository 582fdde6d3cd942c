/**
 * How a format writes numbers and dates. What is left out is as everywhere else: a dot before the decimals, no groups,
 * ISO 8601, and UTC where a date-time has no offset.
 */
export interface Conventions {
  readonly decimalSeparator?: '.' | ','
  /** Stands between groups of three digits; a number may also come without groups. */
  readonly groupSeparator?: GroupSeparator
  /** Pattern of dates, such as `dd.MM.yyyy`: see `datePattern`. */
  readonly dateFormat?: string
  /** Pattern of date-times, such as `dd.MM.yyyy HH:mm:ss` or `M/d/yyyy h:mm:ss tt`. */
  readonly dateTimeFormat?: string
  /** IANA name of the time zone in which date-times without an offset are meant. */
  readonly timeZone?: string
}

/** The signs that people put between groups of digits: among them ’ and the two spaces that do not break. */
export const groupSeparators = [',', '.', ' ', "'", '\u2019', '\u00a0', '\u202f'] as const
export type GroupSeparator = (typeof groupSeparators)[number]

/** A delimited text file (RFC 4180 and its relatives). */
export interface DelimitedFormat extends Conventions {
  readonly kind: 'delimited'
  /** One or more characters between fields. */
  readonly delimiter: string
  /** One character around fields that hold the delimiter, or '' for none. */
  readonly qualifier: string
  /** Whether the first line names the columns; else the fields stand in declared order. */
  readonly hasHeader: boolean
  /** The only text that ends a record; left out, LF, CRLF and a lone CR do. */
  readonly rowDelimiter?: string
  /** Encoding where no byte order mark says another; default utf-8. */
  readonly encoding?: string
  /** A character that makes the next one literal inside a quoted field; default: the qualifier, doubled. */
  readonly escape?: string
  /** Lines that start with this text are skipped. */
  readonly comment?: string
}

/** An XML file with one element a record; both styles are read whatever `style` says, `style` decides how it is written. */
export interface XmlFormat extends Conventions {
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

/** The source data formats that every hub knows by name, spelt as Dynamics 365 spells them. */
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
