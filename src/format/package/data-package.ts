import { MessageRejected } from '../../errors'
import type { ByteSource } from '../byte-source'
import type { Archive, ArchiveEntry, ArchiveLimits } from './archive'
import { manifestFileName, readManifest, writeManifest } from './manifest'
import type { Manifest, ManifestEntity } from './manifest-types'
import type { Read } from './package-document'
import { type PackageFile, packageFiles } from './package-files'
import { headerFileName, type PackageHeader, readPackageHeader, writePackageHeader } from './package-header'
import { shownName } from './zip-names'
import { openArchive } from './zip-reader'
import { type FileToWrite, writeArchive } from './zip-writer'

/** A data package of Dynamics 365: what it says of itself, and the file of each of its entities. */
export interface DataPackage {
  /** Undefined where the package has none. */
  readonly header: PackageHeader | undefined
  readonly manifest: Manifest
  /** In the order of the manifest; a disabled entity without a file is left out. */
  readonly files: readonly PackageFile[]
  /** What is odd about the package and was put up with; sentences. */
  readonly notices: readonly string[]
  /**
   * Reads the file of an entity; several may be read at once.
   * Throws  MessageRejected EF306 and EF307, as `Archive.open` does.
   */
  open(file: PackageFile): AsyncIterable<Uint8Array>
}

/** Longer lists of names help nobody. */
const maxNamesShown = 10

/**
 * Opens a data package: the zip, its header and manifest, and which file is whose. No file of an entity is read yet.
 * Throws  MessageRejected EF301 to EF307 for the zip, EF306 for an Excel workbook, EF311 without a manifest, EF106, EF109, EF201 to EF203 and EF312
 *         to EF314 for the manifest and the header, EF315 to EF318 for what the manifest lists.
 *         What the source throws passes through.
 */
export async function openPackage(source: ByteSource, limits: ArchiveLimits): Promise<DataPackage> {
  const archive = await openArchive(source, limits)
  const manifestEntry = entryNamed(archive, manifestFileName)
  if (manifestEntry === undefined) throw isWorkbook(archive) ? workbook() : noManifest(archive)
  const headerEntry = entryNamed(archive, headerFileName)
  const header = headerEntry && (await readPackageHeader(archive.open(headerEntry)))
  const manifest = await readManifest(archive.open(manifestEntry))
  const others = archive.entries.filter((entry) => entry !== manifestEntry && entry !== headerEntry)
  const files = packageFiles(manifest.value.entities, others)
  return {
    header: header?.value,
    manifest: manifest.value,
    files,
    notices: noticesOf(header, manifest, unnamed(others, files)),
    open: ({ entry }) => archive.open(entry),
  }
}

/** What a package is written from. */
export interface PackageToWrite {
  readonly header: PackageHeader
  readonly manifest: Manifest
  /** Opens the file of an entity, when its turn comes. */
  readonly open: (entity: ManifestEntity) => AsyncIterable<Uint8Array>
}

/**
 * Writes a data package: manifest, header, then the files of the entities in the order of the manifest.
 * Yields  the zip in pieces; the same for the same values and files.
 * Throws  what reading the files throws; an Error for two entities of one file and for names that no file may have.
 */
export function writePackage({ header, manifest, open }: PackageToWrite): AsyncGenerator<Buffer, void, undefined> {
  function* files(): Generator<FileToWrite> {
    yield { name: manifestFileName, bytes: oneBuffer(writeManifest(manifest)) }
    yield { name: headerFileName, bytes: oneBuffer(writePackageHeader(header)) }
    for (const entity of manifest.entities) yield { name: entity.inputFilePath, bytes: open(entity) }
  }
  return writeArchive(files())
}

async function* oneBuffer(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

/** In the root, in any letter case; the archive has no two that differ in case alone. */
function entryNamed({ entries }: Archive, name: string): ArchiveEntry | undefined {
  return entries.find((entry) => entry.name.toLowerCase() === name.toLowerCase())
}

/** Source: ECMA-376 part 2, 10.1.2.2: the file that every Office document begins with; those of Excel have a folder xl. */
function isWorkbook(archive: Archive): boolean {
  const hasTypes = entryNamed(archive, '[Content_Types].xml') !== undefined
  return hasTypes && archive.entries.some(({ name }) => name.toLowerCase().startsWith('xl/'))
}

function workbook(): MessageRejected {
  const sentence = 'The file is an Excel workbook, which is not read: save the sheet as CSV and send that.'
  return new MessageRejected('EF306', sentence)
}

function noManifest({ entries }: Archive): MessageRejected {
  const nested = entries.find(({ name }) => name.toLowerCase().endsWith(`/${manifestFileName.toLowerCase()}`))
  const found = nested === undefined ? '' : ` ${shownName(nested.name)} stands in a folder.`
  return new MessageRejected('EF311', `The package has no ${manifestFileName} in its root.${found}`)
}

function unnamed(entries: readonly ArchiveEntry[], files: readonly PackageFile[]): readonly ArchiveEntry[] {
  const named = new Set(files.map(({ entry }) => entry))
  return entries.filter((entry) => !named.has(entry))
}

function noticesOf(
  header: Read<PackageHeader> | undefined,
  manifest: Read<Manifest>,
  extra: readonly ArchiveEntry[],
): readonly string[] {
  const noHeader = header === undefined ? [`The package has no ${headerFileName}.`] : []
  const names = extra.slice(0, maxNamesShown).map(({ name }) => shownName(name))
  const more = extra.length > names.length ? ` and ${extra.length - names.length} more` : ''
  const unused = extra.length === 0 ? [] : [`The manifest does not name ${names.join(', ')}${more}.`]
  return [...noHeader, ...(header?.notices ?? []), ...manifest.notices, ...unused]
}
