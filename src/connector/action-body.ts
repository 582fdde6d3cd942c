import { RequestRefused } from '../errors'

/** The parameters of an action, as clients of Dynamics 365 write them. */
export interface ActionParameters {
  /**
   * The text of a parameter; undefined where it is missing or null. Quotes within that surround the whole are taken off.
   * Throws  RequestRefused EA109 (400) for a list or an object, and for a NUL character, which no text of the database can
   *         hold.
   */
  text(name: string): string | undefined
  /** As `text`, and undefined where there is nothing but white space. */
  filled(name: string): string | undefined
  /** As `filled`, and refused when there is none. Throws RequestRefused EA109 (400). */
  needed(name: string): string
  /** true, yes or 1, false, no or 0, in any letter case, as text or not. Throws RequestRefused EA109 (400) for others. */
  flag(name: string): boolean | undefined
}

const flags = new Map([
  ...['true', 'yes', '1'].map((text) => [text, true] as const),
  ...['false', 'no', '0'].map((text) => [text, false] as const),
])

/** An action's parameters are a few texts; a package's address is the longest. */
const maxBytes = 256 * 1024

/**
 * Reads the body of an action: names in any letter case, single quotes in place of double ones, an empty body, numbers and
 * booleans as texts.
 * Throws  RequestRefused EA109 (400) for what is no JSON object.
 */
export async function readActionBody(bytes: AsyncIterable<Uint8Array>): Promise<ActionParameters> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of bytes) {
    size += piece.length
    if (size > maxBytes) throw new RequestRefused(413, 'EA109', `The body has more than ${maxBytes} bytes`)
    pieces.push(piece)
  }
  return parametersOf(parse(Buffer.concat(pieces).toString('utf8')))
}

function parse(body: string): Map<string, unknown> {
  const text = body.replace(/^\uFEFF/, '').trim()
  if (text === '') return new Map()
  const value = parsed(text) ?? parsed(withDoubleQuotes(text))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RequestRefused(400, 'EA109', 'InvokeAction - Model state is invalid: the body is no JSON object')
  }
  return new Map(Object.entries(value).map(([name, each]) => [name.toLowerCase(), each]))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** PowerShell modules write `{'messageId':'…'}`. Within such texts a double quote would end them. */
function withDoubleQuotes(text: string): string {
  return text.replace(/"/g, '\\"').replace(/'/g, '"')
}

function parametersOf(values: ReadonlyMap<string, unknown>): ActionParameters {
  const text = (name: string) => {
    const value = values.get(name.toLowerCase())
    if (value === undefined || value === null) return undefined
    if (typeof value === 'object') throw invalid(name, `is ${shown(value)}, where a text may be`)
    const given = bareText(String(value))
    if (!given.includes('\0')) return given
    throw invalid(name, 'has a NUL character')
  }
  const filled = (name: string) => {
    const value = text(name)
    return value?.trim() ? value : undefined
  }
  return {
    text,
    filled,
    needed(name) {
      const value = filled(name)
      if (value !== undefined) return value
      throw invalid(name, 'is missing')
    },
    flag(name) {
      const raw = values.get(name.toLowerCase())
      const value = typeof raw === 'object' && raw !== null ? JSON.stringify(raw) : filled(name)
      const given = value === undefined ? undefined : flags.get(value.trim().toLowerCase())
      if (value === undefined || given !== undefined) return given
      throw invalid(name, `is ${shown(raw)}, where true or false may be`)
    },
  }
}

function invalid(name: string, why: string): RequestRefused {
  return new RequestRefused(400, 'EA109', `InvokeAction - Model state is invalid: ${name} ${why}`, { field: name })
}

function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 100)
}

/** Recurring Integrations Scheduler sends ids with the quotes of the JSON that it got them in. */
function bareText(text: string): string {
  const match = /^"(.*)"$/s.exec(text.trim())
  return match ? match[1]! : text
}
