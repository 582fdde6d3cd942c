import type { RecordWriter } from './record-writer'
import type { XmlFormat } from './source-format'

/**
 * Writes records as XML-Element or XML-Attribute, with upper-case names as Dynamics 365 writes them, a record a line;
 * null leaves a field out, '' writes it empty.
 * What the reader gets back is what was written (CR, LF and tabs are written as references where a parser would
 * change them), but for one thing: a character that XML cannot hold (control characters, lone surrogates, U+FFFE,
 * U+FFFF) is written as U+FFFD.
 */
export function xmlWriter(format: XmlFormat, recordName: string, columns: readonly string[]): RecordWriter {
  const name = recordName.toUpperCase()
  const fields = columns.map((column) => column.toUpperCase())
  return {
    header: () => `<?xml version="1.0" encoding="utf-8"?>\n<${format.root}>\n`,
    record: (values) =>
      format.style === 'element' ? elements(name, fields, values) : attributes(name, fields, values),
    raw: (text) => `${text}\n`,
    footer: () => `</${format.root}>\n`,
  }
}

type Values = readonly (string | null)[]

function elements(name: string, fields: readonly string[], values: Values): string {
  let text = `<${name}>`
  fields.forEach((field, column) => {
    const value = values[column] ?? null
    if (value !== null) text += value === '' ? `<${field}/>` : `<${field}>${escapeText(value)}</${field}>`
  })
  return `${text}</${name}>\n`
}

function attributes(name: string, fields: readonly string[], values: Values): string {
  let text = `<${name}`
  fields.forEach((field, column) => {
    const value = values[column] ?? null
    if (value !== null) text += ` ${field}="${escapeAttribute(value)}"`
  })
  return `${text}/>\n`
}

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

/** What XML 1.0 cannot hold (production 2); with the u flag surrogates match only where they stand alone. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
export const notXml = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]/gu
const textSpecials = /[&<>\r]/g
const attributeSpecials = /[&<>"\t\n\r]/g

/** A value as the text of an element. */
export function escapeText(value: string): string {
  return value.replace(notXml, '\ufffd').replace(textSpecials, reference)
}

function escapeAttribute(value: string): string {
  return value.replace(notXml, '\ufffd').replace(attributeSpecials, reference)
}

function reference(character: string): string {
  return references[character] ?? character
}
