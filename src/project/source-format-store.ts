import { RequestRefused } from '../errors'
import { readDefinition } from '../format/definition'
import {
  builtInFormat,
  isWorkbookName,
  type NamedFormat,
  type SourceFormat,
  sourceFormats,
  unknownFormat,
} from '../format/registry'
import type { Database, Queryable } from '../platform/database'

/** A source data format as a hub knows it. */
export interface KnownFormat extends NamedFormat {
  /** Built-in formats are the same in every hub: they are neither replaced nor removed. */
  readonly isBuiltIn: boolean
}

/** All formats: the built-in ones, then those of this hub by name. */
export async function listSourceFormats(db: Queryable): Promise<KnownFormat[]> {
  const builtIn = Object.entries(sourceFormats).map(([name, format]) => ({ name, format, isBuiltIn: true }))
  const own = await db.query<NamedFormat>(
    'SELECT name, definition AS format FROM entrepot.source_data_format ORDER BY lower(name)',
  )
  return [...builtIn, ...own.map((each) => ({ ...each, isBuiltIn: false }))]
}

/** Formats are looked up with every message and seldom change: an answer is good for a second. */
const formatAgeMs = 1_000
const knownFormats = new WeakMap<Queryable, Map<string, { found: KnownFormat; until: number }>>()

/**
 * The format of a name, in upper or lower case.
 * Throws  RequestRefused EA115 with the status given, listing the names.
 */
export async function findSourceFormat(db: Queryable, name: string, status = 400): Promise<KnownFormat> {
  const builtIn = builtInFormat(name)
  if (builtIn !== undefined) return { ...builtIn, isBuiltIn: true }
  const wanted = name.trim().toLowerCase()
  const known = knownFormats.get(db) ?? new Map<string, { found: KnownFormat; until: number }>()
  knownFormats.set(db, known)
  const cached = known.get(wanted)
  if (cached && cached.until > performance.now()) return cached.found
  const [own] = isName(wanted)
    ? await db.query<NamedFormat>(
        'SELECT name, definition AS format FROM entrepot.source_data_format WHERE lower(name) = lower($1)',
        [wanted],
      )
    : []
  if (own === undefined) {
    known.delete(wanted)
    throw unknownFormat(name, await namesOf(db), status)
  }
  const found = { ...own, isBuiltIn: false }
  if (known.size > 1_000) known.clear()
  known.set(wanted, { found, until: performance.now() + formatAgeMs })
  return found
}

/** Names for a sentence, few enough to be read. */
async function namesOf(db: Queryable): Promise<string[]> {
  const own = await db.query<{ name: string }>(
    'SELECT name FROM entrepot.source_data_format ORDER BY lower(name) LIMIT 20',
  )
  return [...Object.keys(sourceFormats), ...own.map(({ name }) => name)]
}

/**
 * Adds a format, or replaces the definition of one; messages that come later, and retries, are read by the new one.
 * Input   `definition`: as `readDefinition` takes it.
 * Throws  RequestRefused EA109 (400) for a wrong name or definition, EA115 (400) for one of Excel's; EA110 (409) for a name that is built in, and while a
 *         message of the format is being staged: going on after a restart it would be read by two definitions.
 */
export async function putSourceFormat(
  db: Database,
  name: string,
  definition: Readonly<Record<string, unknown>>,
): Promise<KnownFormat & { readonly isNew: boolean }> {
  const trimmed = name.trim()
  refuseBuiltIn(trimmed, 'replaced')
  if (!isName(trimmed)) {
    throw new RequestRefused(
      400,
      'EA109',
      `The name '${name.slice(0, 60)}' cannot be used: it has up to 60 letters, digits, spaces and ._- and begins with a letter or digit`,
    )
  }
  if (isWorkbookName(trimmed)) throw unknownFormat(trimmed, [])
  const format: SourceFormat = readDefinition(definition)
  const [saved] = await db.transaction(async (tx) => {
    await refuseWhileStaging(tx, trimmed)
    return tx.query<{ name: string; isNew: boolean }>(
      `INSERT INTO entrepot.source_data_format (name, definition) VALUES ($1, $2::jsonb)
       ON CONFLICT (lower(name)) DO UPDATE SET definition = excluded.definition RETURNING name, xmax = 0 AS "isNew"`,
      [trimmed, JSON.stringify(format)],
    )
  })
  knownFormats.delete(db)
  return { ...saved!, format, isBuiltIn: false }
}

/**
 * Removes a format. Messages that name it and are not staged yet are rejected when their turn comes.
 * Throws  RequestRefused EA115 (404); EA110 (409) for a built-in one, and while a data project uses it.
 */
export async function removeSourceFormat(db: Database, name: string): Promise<void> {
  refuseBuiltIn(name, 'removed')
  const { name: known } = await findSourceFormat(db, name, 404)
  const projects = await db.transaction(async (tx) => {
    const users = await tx.query<{ project: string }>(
      'SELECT DISTINCT project FROM entrepot.data_project_entity WHERE source_format = $1 ORDER BY project LIMIT 5',
      [known],
    )
    if (users.length === 0) await tx.query('DELETE FROM entrepot.source_data_format WHERE name = $1', [known])
    return users.map(({ project }) => project)
  })
  knownFormats.delete(db)
  if (projects.length === 0) return
  throw refused(`The source data format '${known}' is used by the data project ${projects.join(', ')}`)
}

/** Long enough for what people call their formats; what else a name may hold must not matter in a path or on a command line. */
function isName(name: string): boolean {
  return /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,59}$/u.test(name)
}

function refuseBuiltIn(name: string, verb: 'replaced' | 'removed'): void {
  const builtIn = builtInFormat(name)
  if (builtIn) throw refused(`The source data format '${builtIn.name}' is built in: it cannot be ${verb}`)
}

async function refuseWhileStaging(tx: Queryable, name: string): Promise<void> {
  const under = await tx.query<{ id: string }>(
    `SELECT m.id FROM entrepot.execution_entity e JOIN entrepot.execution x ON x.id = e.execution_id
     JOIN entrepot.message m ON m.id = x.message_id
     WHERE e.state = 'Staging' AND e.epoch > 0 AND lower(m.source_format) = lower($1) LIMIT 1`,
    [name],
  )
  if (under[0]) throw refused(`The message ${under[0].id} is being staged in the source data format '${name}'`)
}

function refused(message: string): RequestRefused {
  return new RequestRefused(409, 'EA110', message)
}
