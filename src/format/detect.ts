import { MessageRejected } from '../errors'
import { sniff } from './decode'
import { fileKindOf } from './signature'
import { type DelimitedFormat, type SourceFormat, type SourceFormatName, sourceFormats } from './source-format'

/** In order of preference. */
const delimitedNames = ['CSV-Comma', 'CSV-Semicolon', 'Tab-delimited', 'CSV-VerticalBar'] as const

/** Enough lines to tell a delimiter from a character that some value holds. */
const sampleLines = 10

/**
 * The source data format that the first bytes of a file show.
 * Input   some KB from the start; the file name decides only where the bytes don't.
 * Throws  MessageRejected EF110 for a zip file, EF109 for UTF-32.
 */
export function detectFormat(head: Buffer, fileName = ''): { name: SourceFormatName; format: SourceFormat } {
  const { text, encoding, isUtf16 } = textOf(head)
  const kind = fileKindOf(head) ?? fileKindOf(Buffer.from(text))
  if (kind === 'zip') {
    const sentence = 'The file is a zip file (a data package or an Excel workbook): these are not taken at this door.'
    throw new MessageRejected('EF110', sentence)
  }
  const isXml = kind === 'xml' || (text.trim() === '' && /\.xml$/i.test(fileName))
  const byText = isXml ? 'XML-Element' : delimitedNameOf(text, fileName)
  const name = byText === 'CSV-Comma' && isUtf16 ? 'CSV-Unicode' : byText
  const format = sourceFormats[name]
  return { name, format: encoding === undefined ? format : { ...format, encoding } }
}

/** The head as text, and its encoding where no byte order mark will say it. */
function textOf(head: Buffer): { text: string; encoding?: string; isUtf16: boolean } {
  const { encoding, markBytes } = sniff(head)
  const body = head.subarray(markBytes)
  if (encoding !== undefined) return { text: toText(body, encoding), isUtf16: encoding !== 'utf-8' }
  // The first character of a table or document is ASCII nearly always: in UTF-16 it has a zero byte.
  if (body[0] === 0 && body[1] !== 0) return { text: toText(body, 'utf-16be'), encoding: 'utf-16be', isUtf16: true }
  if (body[0] !== 0 && body[1] === 0) return { text: toText(body, 'utf-16le'), encoding: 'utf-16le', isUtf16: true }
  return { text: toText(body, 'utf-8'), isUtf16: false }
}

/** Not fatal: the head may end within a character, and code pages have the delimiters at the same bytes. */
function toText(bytes: Buffer, encoding: string): string {
  return new TextDecoder(encoding).decode(bytes)
}

function delimitedNameOf(text: string, fileName: string): SourceFormatName {
  const lines = linesOutsideQuotes(text)
  const separator = /^sep=(.)$/i.exec(lines[0] ?? '')?.[1]
  const byLine = delimitedNames.find((name) => delimiterOf(name) === separator)
  if (byLine !== undefined) return byLine
  const ranked = delimitedNames
    .map((name) => ({ name, ...countsOf(lines, delimiterOf(name)) }))
    .filter(({ inHeader }) => inHeader > 0)
    .sort((a, b) => b.agreeing - a.agreeing || b.inHeader - a.inHeader)
  const byName = /\.(?:tsv|tab)$/i.test(fileName) ? 'Tab-delimited' : 'CSV-Comma'
  return ranked[0]?.name ?? byName
}

function delimiterOf(name: (typeof delimitedNames)[number]): string {
  const format: DelimitedFormat = sourceFormats[name]
  return format.delimiter
}

/** How often the delimiter stands in the first line, and how many lines have it as often. */
function countsOf(lines: readonly string[], delimiter: string): { inHeader: number; agreeing: number } {
  const counts = lines.map((line) => line.split(delimiter).length - 1)
  const inHeader = counts[0] ?? 0
  return { inHeader, agreeing: counts.filter((count) => count === inHeader).length }
}

/** The first lines without what stands in quotes; a last line that the head may have cut only where it is the only one. */
function linesOutsideQuotes(text: string): readonly string[] {
  const lines = text.replace(/"[^"]*(?:"|$)/g, '').split(/[\r\n]+/)
  if (lines[0]?.trim() === '') lines.shift()
  if (lines.length > 1) lines.pop()
  return lines.slice(0, sampleLines)
}
