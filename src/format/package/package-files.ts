import { nearest } from '../../entity'
import { MessageRejected } from '../../errors'
import type { ArchiveEntry } from './archive'
import type { ManifestEntity } from './manifest-types'
import { shownName, twinKey, withoutIllegalCharacters } from './zip-names'

/** An entity of a package and its file. */
export interface PackageFile {
  readonly entity: ManifestEntity
  readonly entry: ArchiveEntry
}

/** Longer lists of names help nobody. */
const maxNamesShown = 10

/**
 * The file of each entity, in the order of the manifest: by its exact name, else without regard to letter case and to
 * characters that no file name may have, because Dynamics 365 drops these. A disabled entity may lack its file.
 * Throws  MessageRejected EF315 file missing, EF316 two entities of one file, EF317 entity twice, EF318 no entity.
 */
export function packageFiles(
  entities: readonly ManifestEntity[],
  entries: readonly ArchiveEntry[],
): readonly PackageFile[] {
  if (entities.length === 0) throw new MessageRejected('EF318', 'The manifest lists no entity.')
  refuseTwice(entities)
  const find = finder(entries)
  const owners = new Map<ArchiveEntry, ManifestEntity>()
  for (const entity of entities) {
    const entry = find(entity)
    if (entry === undefined && entity.disable) continue
    if (entry === undefined) throw missing(entity, entries)
    const owner = owners.get(entry)
    if (owner !== undefined) throw oneFile(owner, entity, entry)
    owners.set(entry, entity)
  }
  return [...owners].map(([entry, entity]) => ({ entity, entry }))
}

function refuseTwice(entities: readonly ManifestEntity[]): void {
  const names = new Set<string>()
  for (const { entityName } of entities) {
    const key = entityName.trim().toLowerCase()
    if (names.has(key)) {
      throw new MessageRejected('EF317', `The manifest lists the entity ${shownName(entityName)} twice.`, {
        entity: entityName,
      })
    }
    names.add(key)
  }
}

function finder(entries: readonly ArchiveEntry[]): (entity: ManifestEntity) => ArchiveEntry | undefined {
  const exact = new Map(entries.map((entry) => [entry.name, entry]))
  const alike = new Map<string, ArchiveEntry[]>()
  for (const entry of entries) {
    const key = plainName(entry.name)
    alike.set(key, [...(alike.get(key) ?? []), entry])
  }
  return ({ inputFilePath }) => {
    const found = exact.get(inputFilePath)
    if (found !== undefined || inputFilePath === '') return found
    // More than one is none: a guess could import the wrong file.
    const candidates = alike.get(plainName(inputFilePath)) ?? []
    return candidates.length === 1 ? candidates[0] : undefined
  }
}

function plainName(name: string): string {
  return twinKey(withoutIllegalCharacters(name)).trim()
}

function missing({ entityName, inputFilePath }: ManifestEntity, entries: readonly ArchiveEntry[]): MessageRejected {
  const place = { entity: entityName }
  const entity = `The manifest names for the entity ${shownName(entityName)}`
  if (inputFilePath === '') return new MessageRejected('EF315', `${entity} no file.`, place)
  const names = entries.map(({ name }) => name)
  const shown = names.slice(0, maxNamesShown).map(shownName).join(', ')
  const more = names.length > maxNamesShown ? ` and ${names.length - maxNamesShown} more` : ''
  const there = names.length === 0 ? 'The zip has no data file.' : `There are: ${shown}${more}.`
  const plainNames = names.map(plainName)
  const near = names[plainNames.indexOf(nearest(plainName(inputFilePath), plainNames) ?? '')]
  const meant = near === undefined ? '' : ` Is ${shownName(near)} meant?`
  const sentence = `${entity} the file ${shownName(inputFilePath)}, which is not in the zip.${meant} ${there}`
  return new MessageRejected('EF315', sentence, place)
}

function oneFile(first: ManifestEntity, second: ManifestEntity, { name }: ArchiveEntry): MessageRejected {
  const names = `${shownName(first.entityName)} and ${shownName(second.entityName)}`
  return new MessageRejected('EF316', `The entities ${names} both name the file ${shownName(name)}.`, {
    entity: second.entityName,
  })
}
