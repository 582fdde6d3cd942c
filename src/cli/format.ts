import { RequestRefused } from '../errors'
import type { SourceFormat } from '../format/registry'
import {
  findSourceFormat,
  type KnownFormat,
  listSourceFormats,
  putSourceFormat,
  removeSourceFormat,
} from '../project/source-format-store'
import { exitCodes } from './failure'
import { withHub } from './session'
import { paint, print, printJson, table } from './terminal'

/** What the command line says of a format: properties of its definition, by their options' names. */
export interface SetFormatOptions {
  readonly definition?: string
  readonly json?: boolean
  readonly xml?: boolean
  readonly header?: boolean
  readonly [option: string]: string | boolean | undefined
}

/** Options that give a property of the definition its text: flags, property, description. */
const textOptions = [
  ['--delimiter <text>', 'delimiter', 'what stands between fields'],
  ['--qualifier <sign>', 'qualifier', "stands around fields that hold the delimiter; '' for none"],
  ['--row-delimiter <text>', 'rowDelimiter', 'the only text that ends a record; else any line end does'],
  ['--escape <sign>', 'escape', 'makes the next character literal inside a qualified field'],
  ['--comment <text>', 'comment', 'lines that begin with it are skipped'],
  ['--style <style>', 'style', 'of XML that is written: element or attribute'],
  ['--root <name>', 'root', 'root element of XML that is written'],
  ['--encoding <name>', 'encoding', 'encoding or code page of files that do not say theirs'],
  ['--decimal <sign>', 'decimalSeparator', 'stands before decimals: . or ,'],
  ['--group <sign>', 'groupSeparator', 'may stand between groups of three digits'],
  ['--date <pattern>', 'dateFormat', 'such as dd.MM.yyyy'],
  ['--date-time <pattern>', 'dateTimeFormat', 'such as "dd.MM.yyyy HH:mm:ss"'],
  ['--time-zone <name>', 'timeZone', 'of date-times without an offset, such as Europe/Berlin'],
] as const

/** The options of `format set`, with their descriptions. */
export const formatOptions: readonly (readonly [flags: string, description: string])[] = [
  ...textOptions.map(([flags, , description]) => [flags, description] as const),
  ['--no-header', 'the first record is none of names: fields stand in declared order'],
  ['--xml', 'the format is XML'],
  ['--definition <json>', 'all of it as JSON, instead of the options above'],
]

/** Lists the source data formats. */
export function listFormats({ json }: { json?: boolean }): Promise<number> {
  return withHub('format', async ({ db }) => {
    const formats = await listSourceFormats(db)
    if (json) printJson(formats.map(described))
    else {
      print(
        table(formats, [
          { title: 'Name', text: ({ name }) => name, style: () => 'bold' },
          { title: 'From', text: ({ isBuiltIn }) => (isBuiltIn ? 'built in' : 'own') },
          { title: 'Definition', text: ({ format }) => summary(format) },
        ]),
      )
    }
    return exitCodes.good
  })
}

/** Shows one format, property by property. */
export function showFormat(name: string, { json }: { json?: boolean }): Promise<number> {
  return withHub('format', async ({ db }) => {
    const known = await findSourceFormat(db, name)
    if (json) printJson(described(known))
    else tellFormat(known)
    return exitCodes.good
  })
}

/** Adds a format or replaces its definition. Throws RequestRefused EA109 saying all that is wrong, EA110, EA115. */
export function setFormat(name: string, options: SetFormatOptions): Promise<number> {
  const definition = definitionOf(options)
  return withHub('format', async ({ db }) => {
    const known = await putSourceFormat(db, name, definition)
    if (options.json) printJson(described(known))
    else tellFormat(known)
    return exitCodes.good
  })
}

/** Removes a format. */
export function removeFormat(name: string): Promise<number> {
  return withHub('format', async ({ db }) => {
    await removeSourceFormat(db, name)
    print(`The source data format ${name} is removed`)
    return exitCodes.good
  })
}

function definitionOf(options: SetFormatOptions): Readonly<Record<string, unknown>> {
  if (options.definition !== undefined) return parsed(options.definition)
  const texts = textOptions.flatMap(([flags, property]) => {
    const text = options[optionName(flags)]
    return typeof text === 'string' ? [[property, unescaped(text)]] : []
  })
  const header = options.header === false ? { hasHeader: false } : {}
  return { kind: options.xml ? 'xml' : 'delimited', ...header, ...Object.fromEntries(texts) }
}

/** `rowDelimiter` of `--row-delimiter <text>`, as commander names it. */
function optionName(flags: string): string {
  return flags.replace(/^--| .*$/g, '').replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

function parsed(json: string): Readonly<Record<string, unknown>> {
  try {
    const definition: unknown = JSON.parse(json)
    if (typeof definition === 'object' && definition !== null) return definition as Record<string, unknown>
  } catch {
    // Said below, as of any other text that is no object.
  }
  throw new RequestRefused(400, 'EA109', `The definition is no JSON object: ${json.slice(0, 60)}`)
}

const escapes: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '\\': '\\' }

/** Shells pass `\t` and `\n` on as they are written. */
function unescaped(text: string): string {
  return text.replace(/\\([tnr\\])/g, (_, letter: string) => escapes[letter]!)
}

function described({ name, isBuiltIn, format }: KnownFormat): object {
  return { name, isBuiltIn, definition: format }
}

function tellFormat({ name, isBuiltIn, format }: KnownFormat): void {
  print(`${paint('bold', name)}  ${isBuiltIn ? 'built in' : 'own'}`)
  print(
    table(propertiesOf(format), [
      { title: 'Property', text: ([property]) => property },
      { title: 'Value', text: ([, value]) => JSON.stringify(value) },
    ]),
  )
}

const propertyOrder: readonly string[] = ['kind', 'hasHeader', ...textOptions.map(([, property]) => property)]

/** The database keeps no order of properties; people see them in that of the options. */
function propertiesOf(format: SourceFormat): [property: string, value: unknown][] {
  return Object.entries(format).sort(([a], [b]) => propertyOrder.indexOf(a) - propertyOrder.indexOf(b))
}

function summary(format: SourceFormat): string {
  return propertiesOf(format)
    .filter(([property]) => property !== 'kind')
    .map(([property, value]) => `${property} ${JSON.stringify(value)}`)
    .join(', ')
}
