import { MessageRejected } from '../../errors'
import type { XmlContent, XmlElement } from './package-xml'
import { shownName } from './zip-names'

/** Where in a document an element is read, and what is noticed on the way. */
export interface Reading {
  /** As messages name it, e.g. `Manifest.xml`. */
  readonly document: string
  /** What of the document is read, e.g. `entity 'Colours'`; '' for the document itself. */
  readonly place: string
  readonly notices: Set<string>
}

/** How the content of an element becomes a value and back. */
export interface ElementType<T> {
  /** `element` is undefined where the document lacks it or says that it is nil. */
  read(element: XmlElement | undefined, name: string, reading: Reading): T
  /** Undefined leaves the element out. */
  write(value: T): XmlContent | readonly XmlContent[] | undefined
}

/** The elements of a record by the properties that they become; the name of the element comes first. */
export type RecordElements<T> = { readonly [K in keyof T]-?: readonly [name: string, type: ElementType<T[K]>] }

/** Beyond this many a list of notices helps nobody, and a hostile document could fill memory with it. */
const maxNotices = 100

const int32 = { least: -(2 ** 31), greatest: 2 ** 31 - 1 }

/** Text; '' where there is none. White space alone counts as none. */
export const text: ElementType<string> = {
  read: (element, name, reading) => (element === undefined ? '' : textIn(element, name, reading)),
  write: (value) => value,
}

/** Text that must be there and not empty. Throws EF312. */
export const mandatoryText: ElementType<string> = {
  read(element, name, reading) {
    const value = text.read(element, name, reading)
    if (value === '') throw malformed(`${name} is missing or empty`, reading)
    return value
  },
  write: (value) => value,
}

/** A whole number of 32 bits; `absent` where there is none. Throws EF314. */
export function whole(absent: number): ElementType<number> {
  return {
    read(element, name, reading) {
      const value = text.read(element, name, reading).trim()
      if (value === '') return absent
      const number = /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN
      if (number >= int32.least && number <= int32.greatest) return number
      throw wrongType(name, value, 'no whole number of 32 bits', reading)
    },
    write: (value) => String(value),
  }
}

/** A switch, read from true and false, Yes and No, 1 and 0 in any letter case; `absent` where there is none. Throws EF314. */
export function flag(absent: boolean, written: { true: string; false: string } = trueFalse): ElementType<boolean> {
  return {
    read(element, name, reading) {
      const value = text.read(element, name, reading).trim()
      if (value === '') return absent
      if (/^(?:true|yes|1)$/i.test(value)) return true
      if (/^(?:false|no|0)$/i.test(value)) return false
      throw wrongType(name, value, 'neither true nor false', reading)
    },
    write: (value) => written[`${value}`],
  }
}

const trueFalse = { true: 'true', false: 'false' }

/** An enumeration of Dynamics 365 that is a switch by its names. */
export function yesNo(absent: boolean): ElementType<boolean> {
  return flag(absent, { true: 'Yes', false: 'No' })
}

/** An element that older documents lack: undefined where it is left out or nil, and left out for undefined. */
export function optional<T>(type: ElementType<T>): ElementType<T | undefined> {
  return {
    read: (element, name, reading) => (element === undefined ? undefined : type.read(element, name, reading)),
    write: (value) => (value === undefined ? undefined : type.write(value)),
  }
}

/**
 * Elements of one name in an element; an empty list is written as nil.
 * Input   `labelOf` names an item in messages.
 */
export function listOf<T>(
  itemName: string,
  type: ElementType<T>,
  labelOf: (item: XmlElement, index: number) => string,
): ElementType<readonly T[]> {
  return {
    read(element, _name, reading) {
      const items: T[] = []
      for (const child of element?.children ?? []) {
        if (child.name !== itemName) {
          notice(reading, child.name)
          continue
        }
        const label = labelOf(child, items.length)
        const place = reading.place === '' ? label : `${label} of ${reading.place}`
        items.push(type.read(child, itemName, { ...reading, place }))
      }
      return items
    },
    write: (items) => (items.length === 0 ? null : { [itemName]: items.map((item) => contentOf(type.write(item))) }),
  }
}

/** An element of elements, in any order when read and in alphabetical order when written, as .NET's serializer wants it. */
export function record<T extends object>(elements: RecordElements<T>): ElementType<T> {
  const properties = Object.entries(elements) as [keyof T & string, RecordElements<T>[keyof T]][] // keys are T's own
  const names = new Set(properties.map(([, [name]]) => name))
  const inOrder = [...properties].sort(([, [a]], [, [b]]) => (a < b ? -1 : 1))
  return {
    read(element, _name, reading) {
      const children = childrenByName(element?.children ?? [], names, reading)
      const values = properties
        .map(([property, [name, type]]) => [property, type.read(children.get(name), name, reading)] as const)
        .filter(([, value]) => value !== undefined)
      return Object.fromEntries(values) as T // a property a type, as RecordElements says
    },
    write(value) {
      const contents = inOrder
        .map(([property, [name, type]]) => [name, type.write(value[property])] as const)
        .filter(([, content]) => content !== undefined)
      return Object.fromEntries(contents) as XmlContent // without undefined
    },
  }
}

/** What a document is not, with its place. */
export function malformed(sentence: string, { document, place }: Reading): MessageRejected {
  return new MessageRejected('EF312', `${document}: ${sentence}${place === '' ? '' : ` (${place})`}.`)
}

/** The text of an element's child, for messages. */
export function childText(element: XmlElement, name: string): string {
  return element.children.find((child) => child.name === name)?.text ?? ''
}

function childrenByName(
  children: readonly XmlElement[],
  known: ReadonlySet<string>,
  reading: Reading,
): ReadonlyMap<string, XmlElement> {
  const byName = new Map<string, XmlElement>()
  for (const child of children) {
    const { name, isNil } = child
    if (!known.has(name)) notice(reading, name)
    else if (byName.has(name)) throw malformed(`${name} is given twice`, reading)
    else if (!isNil) byName.set(name, child)
  }
  return byName
}

function textIn(element: XmlElement, name: string, reading: Reading): string {
  if (element.children.length > 0) throw malformed(`${name} holds other elements`, reading)
  return element.text
}

function notice({ document, notices }: Reading, name: string): void {
  if (notices.size < maxNotices)
    notices.add(`${document}: the element ${shownName(name)} is not known and was left out.`)
}

function wrongType(name: string, value: string, sentence: string, { document, place }: Reading): MessageRejected {
  const where = place === '' ? '' : ` of ${place}`
  return new MessageRejected('EF314', `${document}: ${name}${where} is ${shownName(value)}, which is ${sentence}.`)
}

/** A list holds elements, which are never left out. */
function contentOf(content: XmlContent | readonly XmlContent[] | undefined): XmlContent {
  return (content ?? null) as XmlContent // items are records, which write one
}
