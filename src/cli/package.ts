import { once } from 'node:events'
import { createWriteStream, existsSync } from 'node:fs'
import { open as openHandle, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { finished } from 'node:stream/promises'
import { RequestRefused } from '../errors'
import type { ByteSource } from '../format/byte-source'
import { defaultArchiveLimits } from '../format/package/archive'
import { openPackage } from '../format/package/data-package'
import { describePackage, type PackageDescription } from '../format/package/describe-package'
import { entryNames } from '../format/package/entry-names'
import { type Hub, registry } from '../hub'
import { type DataProject, getProject, type ProjectEntity } from '../project/data-project'
import { buildPackage, type PackageFile } from '../source/package-build'
import { manifestFaults } from '../source/package-lines'
import { receive } from '../source/receive'
import { exitCodes } from './failure'
import { type ModeOptions, modeOf } from './import-mode'
import { checkReadable, openFile, unreadable } from './open-file'
import { runAndTell } from './run-and-tell'
import { readSample } from './sample'
import { withHub } from './session'
import { count, paint, print, printJson, secondsSince, size, table } from './terminal'

/** Shows what a data package holds, and what keeps this hub from taking it. */
export async function inspectPackage(file: string, { json }: { json?: boolean }): Promise<number> {
  const opened = await openAnywhere(file)
  try {
    const dataPackage = await openPackage(opened.source, defaultArchiveLimits)
    const faults = manifestFaults(dataPackage.manifest, registry)
    const description = { ...describePackage(dataPackage), faults }
    if (json) printJson(description)
    else printDescription(description)
    return faults.length === 0 ? exitCodes.good : exitCodes.refused
  } finally {
    await opened.close()
  }
}

/** A file of which any range can be read. Throws RequestRefused EA112. */
async function openAnywhere(file: string): Promise<{ source: ByteSource; close(): Promise<void> }> {
  await checkReadable(file)
  const handle = await openHandle(file).catch((error) => {
    throw unreadable(file, error)
  })
  const { size: bytes } = await handle.stat()
  const source: ByteSource = {
    bytes,
    open: (from, to) => (from < to ? handle.createReadStream({ start: from, end: to - 1, autoClose: false }) : none()),
  }
  return { source, close: () => handle.close() }
}

async function* none(): AsyncGenerator<Uint8Array> {}

function printDescription(shown: PackageDescription & { readonly faults: readonly string[] }): void {
  const { name, description, version, entities, notices, faults } = shown
  print(`${paint('bold', name)}  ${description}${version === null ? '' : paint('dim', `  version ${version}`)}`)
  print(
    table(entities, [
      { title: 'Order', text: ({ order }) => `${order.executionUnit}.${order.level}.${order.sequence}` },
      { title: 'Entity', text: ({ label }) => label, style: () => 'bold' },
      { title: 'File', text: ({ file }) => file ?? '' },
      { title: 'Size', isNumber: true, text: ({ bytes }) => size(bytes) },
      { title: 'Format', text: ({ format }) => format },
      {
        title: 'Mapping',
        text: ({ mappedFields }) => (mappedFields === null ? 'by name' : `${count(mappedFields)} fields`),
      },
      {
        title: 'Switches',
        text: ({ switches }) =>
          Object.entries(switches)
            .flatMap(([key, on]) => (on ? [key] : []))
            .join(', '),
      },
    ]),
  )
  for (const notice of notices) print(paint('yellow', `  ${notice}`))
  for (const fault of faults) print(paint('red', `  ${fault}`))
}

/** Where a package goes. */
export interface BuildOptions {
  readonly out?: string
  readonly json?: boolean
}

/** Builds a data package of a project from the files in a folder. Throws RequestRefused EA112, EA113, EA109. */
export function buildPackageFile(projectName: string, folder: string, { out, json }: BuildOptions): Promise<number> {
  return withHub('package', async (hub) => {
    const project = await getProject(hub.db, projectName)
    const names = await readdir(folder).catch((error) => {
      throw unreadable(folder, error)
    })
    const files = await packageFiles(
      hub,
      project,
      names.map((name) => path.join(folder, name)),
    )
    const target = out ?? `${project.name.replace(/[^\w.-]+/g, '_')}.zip`
    const bytes = await writeFile(target, buildPackage(hub.registry, project, files))
    const entities = files.map(({ line, name }) => ({ entity: line.entity, file: name }))
    if (json) printJson({ file: target, bytes, entities })
    else print(`${target}: ${size(bytes)}, ${entities.map(({ file }) => file).join(', ')}`)
    return exitCodes.good
  })
}

async function writeFile(target: string, bytes: AsyncIterable<Uint8Array>): Promise<number> {
  if (existsSync(target))
    throw new RequestRefused(400, 'EA113', `The file ${target} cannot be written: it is there already`)
  const stream = createWriteStream(target, { flags: 'wx' })
  let total = 0
  try {
    for await (const piece of bytes) {
      total += piece.length
      if (!stream.write(piece)) await once(stream, 'drain')
    }
    stream.end()
    await finished(stream)
    return total
  } catch (error) {
    stream.destroy()
    await rm(target, { force: true })
    throw error
  }
}

/**
 * The files of a project's entities among some, each found by the name that the project gives it, else by a name of its
 * entity.
 * Throws  RequestRefused EA109 (400) for an entity without a file, and for a file that is no entity's.
 */
async function packageFiles(hub: Hub, project: DataProject, files: readonly string[]): Promise<PackageFile[]> {
  const lines = project.entities.filter(({ disabled }) => !disabled)
  if (lines.length === 0) throw new RequestRefused(400, 'EA109', `The project ${project.name} has no entities to run`)
  const chosen = lines.map((line) => {
    const file = files.find((each) => isFileOf(hub, line, each))
    if (file !== undefined) return { line, file }
    const wanted = line.file ?? `${hub.registry.getImportable(line.entity).label}.csv`
    throw new RequestRefused(400, 'EA109', `There is no file for ${line.entity}: name it ${wanted}`, {
      entity: line.entity,
    })
  })
  return inPackage(hub, chosen)
}

function isFileOf({ registry }: Hub, { file, entity }: ProjectEntity, candidate: string): boolean {
  const name = path.basename(candidate).toLowerCase()
  if (file !== null) return name === file.toLowerCase()
  const found = registry.getImportable(entity)
  const names = [found.label, found.name, found.publicEntityName, 'fields' in found ? found.publicCollectionName : '']
  const stem = name.replace(/\.(?:csv|txt|tsv|tab|xml)$/, '')
  return names.some((known) => known.toLowerCase() === stem)
}

/** An entity of a project, and where its file is. */
interface ChosenFile {
  readonly line: ProjectEntity
  readonly file: string
}

/** The files as those of a package, in which each has a name of its own. */
function inPackage(hub: Hub, chosen: readonly ChosenFile[]): Promise<PackageFile[]> {
  const names = entryNames(chosen.map(({ file }) => file))
  return Promise.all(chosen.map((each, index) => packageFile(hub, each, names[index]!)))
}

async function packageFile({ registry }: Hub, { line, file }: ChosenFile, name: string): Promise<PackageFile> {
  await checkReadable(file)
  // A mapping of its own says all; without one the columns decide, but in the documents of a composite.
  const header =
    line.mapping === null && registry.find(line.entity)
      ? (await readSample(file, line.sourceFormat ?? undefined)).columns
      : []
  return { line, name, header, bytes: lazily(file) }
}

/** Opened when its turn comes. */
async function* lazily(file: string): AsyncGenerator<Uint8Array> {
  yield* (await openFile(file)).bytes
}

/** How a project is run. */
export interface RunOptions extends ModeOptions {
  readonly company?: string
  readonly json?: boolean
}

/** Runs a project with a package of its files, or with the files themselves, in this process. */
export function runProject(projectName: string, files: readonly string[], options: RunOptions): Promise<number> {
  return withHub('project', async (hub) => {
    const startedAt = performance.now()
    const project = await getProject(hub.db, projectName)
    const isPackage = files.length === 1 && /\.zip$/i.test(files[0]!)
    const bytes = isPackage
      ? (await openFile(files[0]!)).bytes
      : buildPackage(hub.registry, project, await chosenFiles(hub, project, files))
    const { executionId } = await receive(
      hub,
      {
        origin: 'cli',
        project: project.name,
        mode: modeOf(options),
        ...(isPackage ? { externalId: path.basename(files[0]!) } : {}),
        ...(options.company === undefined ? {} : { company: options.company }),
      },
      bytes,
    )
    return runAndTell(hub, executionId, { json: options.json, receiveSeconds: secondsSince(startedAt) })
  })
}

/** Files given as ENTITY=FILE, or by names that say whose they are; entities without a file are left out. */
async function chosenFiles(hub: Hub, project: DataProject, given: readonly string[]): Promise<PackageFile[]> {
  const chosen = given.map((text) => {
    const [, entityName, file] = /^([^=/\\]+)=(.+)$/s.exec(text) ?? []
    if (entityName === undefined || file === undefined) {
      const line = project.entities.find((each) => isFileOf(hub, each, text))
      if (line) return { line, file: text }
      throw new RequestRefused(
        400,
        'EA109',
        `The file ${text} is named after no entity of ${project.name}: write ENTITY=${text}`,
      )
    }
    const { name } = hub.registry.getImportable(entityName)
    const line = project.entities.find(({ entity }) => entity === name)
    if (line) return { line, file }
    throw new RequestRefused(400, 'EA105', `The project ${project.name} has no entity ${entityName}`)
  })
  const doubled = chosen.find(({ line }, index) => chosen.findIndex((other) => other.line === line) < index)
  if (doubled) {
    const { entity } = doubled.line
    throw new RequestRefused(400, 'EF317', `The entity ${entity} is given two files where one may be`, { entity })
  }
  return inPackage(hub, chosen)
}
