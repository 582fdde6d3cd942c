import type { XmlFormat } from './source-format'
import { escapeText } from './xml-writer'

/** A record to be written, with those that stand in it. */
export interface WrittenRecord {
  /** Name of its element. */
  readonly name: string
  /** Names and values of its fields in their order. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly children: readonly WrittenRecord[]
}

/** What stands before the first document. */
export function documentsHeader({ root }: Pick<XmlFormat, 'root'>): string {
  return `<?xml version="1.0" encoding="utf-8"?>\n<${root}>\n`
}

/** What stands behind the last document. */
export function documentsFooter({ root }: Pick<XmlFormat, 'root'>): string {
  return `</${root}>\n`
}

/** A document with its fields as elements and its records nested, a record a line; see `xmlWriter` for what a value may hold. */
export function documentText({ name, fields, children }: WrittenRecord, indent = '  '): string {
  const values = fields.map(([field, value]) =>
    value === '' ? `<${field}/>` : `<${field}>${escapeText(value)}</${field}>`,
  )
  if (children.length === 0) return `${indent}<${name}>${values.join('')}</${name}>\n`
  const below = children.map((child) => documentText(child, `${indent}  `))
  return `${indent}<${name}>${values.join('')}\n${below.join('')}${indent}</${name}>\n`
}
