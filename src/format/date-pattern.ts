import type { FormatProblem } from './format-problem'

/** A compiled pattern: turns texts of its form into ISO 8601 and back. */
export interface DatePattern {
  /** Whether its texts say how far they are from UTC. */
  readonly hasOffset: boolean
  /** `yyyy-MM-dd`, or `yyyy-MM-ddTHH:mm:ss[.f…][±hh:mm]`; undefined for a text of another form. Days are not checked. */
  read(text: string): string | undefined
  /** The inverse; what the pattern has no place for is left out. Undefined for a text that is not ISO 8601. */
  write(iso: string): string | undefined
}

type Part = 'year' | 'month' | 'day' | 'hour' | 'hour12' | 'half' | 'minute' | 'second' | 'fraction' | 'offset'

interface Token {
  readonly part: Part
  /** Regular expression of its text. */
  readonly source: string
  /** Its number of digits varies, so that no digit may follow it. */
  readonly varies?: true
}

const digits = (part: Part, count: number): Token => ({ part, source: `\\d{${count}}` })
const upToTwoDigits = (part: Part): Token => ({ part, source: '\\d{1,2}', varies: true })

const dateTokens: Readonly<Record<string, Token>> = {
  yyyy: digits('year', 4),
  MM: digits('month', 2),
  M: upToTwoDigits('month'),
  dd: digits('day', 2),
  d: upToTwoDigits('day'),
}
const timeTokens: Readonly<Record<string, Token>> = {
  HH: digits('hour', 2),
  H: upToTwoDigits('hour'),
  hh: digits('hour12', 2),
  h: upToTwoDigits('hour12'),
  tt: { part: 'half', source: '[AaPp][Mm]' },
  mm: digits('minute', 2),
  ss: digits('second', 2),
  zzz: { part: 'offset', source: '[+-]\\d{2}:\\d{2}' },
  ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((count) => ['f'.repeat(count), digits('fraction', count)])),
}

/** A token by its letters, or text that stands in the pattern as it is. */
type Piece = { readonly letters: string; readonly token: Token } | { readonly literal: string }

/**
 * Compiles a pattern of Dynamics 365's (.NET's) letters: yyyy MM M dd d, and for date-times HH H hh h tt mm ss f…fffffff zzz.
 * Other characters stand for themselves, letters in apostrophes. Two-digit years and names of months are refused:
 * what they mean would be a guess.
 * Returns  the pattern, or all that is wrong with it as problems of `property`.
 */
export function datePattern(
  pattern: string,
  kind: 'date' | 'dateTime',
  property: string,
): DatePattern | readonly FormatProblem[] {
  const known = kind === 'date' ? dateTokens : { ...dateTokens, ...timeTokens }
  const { pieces, unknown } = piecesOf(pattern, known)
  const sentences = unknown.length > 0 ? unknown : contradictions(pieces, kind)
  if (sentences.length > 0) return sentences.map((sentence) => ({ property, sentence: `'${pattern}': ${sentence}` }))
  return compiled(pieces)
}

function piecesOf(pattern: string, known: Readonly<Record<string, Token>>): { pieces: Piece[]; unknown: string[] } {
  const pieces: Piece[] = []
  const unknown: string[] = []
  for (const [piece, quoted, letter] of pattern.matchAll(/'([^']*)'|([A-Za-z])\2*|[^A-Za-z]/g)) {
    const token = letter === undefined || !Object.hasOwn(known, piece) ? undefined : known[piece]
    if (token !== undefined) pieces.push({ letters: piece, token })
    else if (letter !== undefined) {
      const hint = piece === 'yy' ? 'a year has four digits, yyyy' : `the letters are ${Object.keys(known).join(' ')}`
      unknown.push(`${piece} is not known: ${hint}`)
    } else if (piece === "'") unknown.push('an apostrophe is not closed')
    else if (/\d/.test(piece)) unknown.push('digits cannot stand between its parts')
    else pieces.push({ literal: quoted ?? piece })
  }
  return { pieces, unknown }
}

function contradictions(pieces: readonly Piece[], kind: 'date' | 'dateTime'): string[] {
  const tokens = pieces.flatMap((piece) => ('token' in piece ? [piece.token] : []))
  const count = (part: Part) => tokens.filter((token) => token.part === part).length
  const found: string[] = []
  for (const part of ['year', 'month', 'day'] as const) if (count(part) === 0) found.push(`it has no ${part}`)
  for (const part of new Set(tokens.map((token) => token.part))) {
    if (count(part) > 1) found.push(`it has the ${part} twice`)
  }
  if (kind === 'dateTime') {
    if (count('hour') + count('hour12') !== 1) found.push('it needs one hour, HH or hh')
    if (count('minute') === 0) found.push('it has no minute')
    if (count('hour12') !== count('half')) found.push('hh and tt go together')
    if (count('fraction') > count('second')) found.push('it has fractions of no second')
  }
  const clash = pieces.findIndex((piece, at) => isVarying(piece) && startsWithDigit(pieces[at + 1]))
  if (clash !== -1) found.push('where a number of one or two digits ends cannot be seen: put a sign behind it')
  return found
}

function isVarying(piece: Piece): boolean {
  return 'token' in piece && piece.token.varies === true
}

function startsWithDigit(piece: Piece | undefined): boolean {
  return piece !== undefined && 'token' in piece && piece.token.source.startsWith('\\d')
}

function compiled(pieces: readonly Piece[]): DatePattern {
  const source = pieces.map((piece) => ('token' in piece ? `(${piece.token.source})` : escaped(piece.literal))).join('')
  const form = new RegExp(`^${source}$`)
  const parts = pieces.flatMap((piece) => ('token' in piece ? [piece.token.part] : []))
  const hasTime = parts.includes('minute')
  return {
    hasOffset: parts.includes('offset'),
    read(text) {
      const match = form.exec(text)
      if (match === null) return undefined
      const found: Partial<Record<Part, string>> = {}
      for (const [at, part] of parts.entries()) found[part] = match[at + 1]!
      return isoOf(found, hasTime)
    },
    write(iso) {
      const found = partsOf(iso)
      return found && pieces.map((piece) => ('token' in piece ? written(piece, found) : piece.literal)).join('')
    },
  }
}

function escaped(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

function isoOf(found: Partial<Record<Part, string>>, hasTime: boolean): string | undefined {
  const two = (text: string | undefined = '0') => text.padStart(2, '0')
  const day = `${found.year}-${two(found.month)}-${two(found.day)}`
  if (!hasTime) return day
  const hour = found.hour12 === undefined ? found.hour : hourOfDay(Number(found.hour12), found.half ?? '')
  if (hour === undefined) return undefined
  const fraction = found.fraction === undefined ? '' : `.${found.fraction}`
  return `${day}T${two(hour)}:${two(found.minute)}:${two(found.second)}${fraction}${found.offset ?? ''}`
}

/** 12 AM is midnight, 12 PM is noon; no clock shows 0 or 13. */
function hourOfDay(hour: number, half: string): string | undefined {
  if (hour < 1 || hour > 12) return undefined
  return String((hour % 12) + (half.toUpperCase() === 'PM' ? 12 : 0))
}

const isoPattern = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?([+-]\d{2}:\d{2})?)?$/

function partsOf(iso: string): Record<Part, string> | undefined {
  const match = isoPattern.exec(iso)
  if (match === null) return undefined
  const [year, month, day, hour = '00', minute = '00', second = '00', fraction = '', offset = '+00:00'] = match.slice(1)
  const hour12 = String(Number(hour) % 12 || 12)
  const half = Number(hour) < 12 ? 'AM' : 'PM'
  return { year: year!, month: month!, day: day!, hour, hour12, half, minute, second, fraction, offset }
}

function written({ letters, token }: { letters: string; token: Token }, found: Record<Part, string>): string {
  const text = found[token.part]
  if (token.part === 'fraction') return text.slice(0, letters.length).padEnd(letters.length, '0')
  if (token.part === 'half' || token.part === 'offset') return text
  return String(Number(text)).padStart(letters.length, '0')
}
