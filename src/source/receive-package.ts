import { randomUUID } from 'node:crypto'
import type { EntityRegistry } from '../entity'
import { MessageRejected, RequestRefused } from '../errors'
import { knownCompanies } from '../execution/company'
import type { Context } from '../execution/context'
import type { ExecutionMode } from '../execution/mode'
import { defaultArchiveLimits } from '../format/package/archive'
import { type DataPackage, openPackage } from '../format/package/data-package'
import { payloadSource } from '../payload/payload-source'
import type { Transaction } from '../platform/database'
import { faultPoint } from '../platform/faults'
import { observe } from '../platform/observe'
import {
  type DataProject,
  findProject,
  maxNameLength,
  orderOf,
  overwriteProject,
  type ProjectEntity,
  settingsOf,
} from '../project/data-project'
import { withUnsaid } from '../project/mapping'
import { ensureNumberSequence } from '../project/number-sequence'
import { findSourceFormat } from '../project/source-format-store'
import { findStored, insertOnce, type NewMessage, type NewWork, type ReceivedMessage } from './message-insert'
import { type PackageProject, projectOfManifest } from './package-lines'

/** What is known of a package beside its bytes. */
export interface PackageDelivery {
  readonly origin: NewMessage['origin']
  /** GUID of the activity that it came through. */
  readonly activityId: string | null
  /** Whether successors of the same activity wait for it. */
  readonly blocks: boolean
  /** The data project that it is a run of, which stays as it is; without one, the manifest makes or overwrites one. */
  readonly runOf?: Pick<DataProject, 'name' | 'entities'> | undefined
  readonly company: string | null
  readonly externalId: string | null
  readonly idempotencyKey: string | null
  readonly mode: ExecutionMode
  /** The id that the execution is to have; a new one without it. */
  readonly executionId?: string | undefined
  /** Name of the data project that is made, in place of the manifest's. */
  readonly project?: string | undefined
  /** false: a project of that name must not be there. */
  readonly overwrite?: boolean
  /** false: the execution is only loaded, and begins with a retry. */
  readonly execute?: boolean
  /** Where an entity has errors nothing that follows in its unit is run, whatever the manifest says. */
  readonly failOnError?: boolean
}

/** The bytes of a message, kept. */
export type KeptMessageBytes = Pick<NewMessage, 'bytes' | 'sha256' | 'payload' | 'payloadLocation'>

/**
 * Makes a message of a data package whose bytes are kept: reads its manifest, makes or overwrites its data project, and
 * stores the message with an execution that has an entity for each of the package's files. All of it or nothing.
 * Throws  RequestRefused 400: EF3… what is wrong with the archive or its documents, EA102, EA105 (an entity that the project
 *         does not take), EA109 (no name, or too long a one), EF112, EP103 (a company that is not there), EA116, EA117
 *         (409). The bytes stay with the caller then.
 */
export async function receivePackage(
  context: Context,
  delivery: PackageDelivery,
  kept: KeptMessageBytes,
): Promise<ReceivedMessage> {
  const opened = await refusing(() => openPackage(payloadSource(context.payloads, kept), defaultArchiveLimits))
  const project = projectOfManifest(opened.manifest, context.registry)
  const lines = await linesFor(context, project, delivery)
  await checkFormats(context, project.name, lines)
  if (delivery.company !== null) await checkCompany(context, delivery.company, lines)
  const name = delivery.runOf?.name ?? delivery.project ?? project.name
  checkNames(name, delivery.executionId)
  const message: NewMessage = {
    id: randomUUID(),
    executionId: delivery.executionId ?? randomUUID(),
    activityId: delivery.activityId,
    entity: null,
    company: delivery.company,
    sourceFormat: null,
    externalId: delivery.externalId,
    origin: delivery.origin,
    idempotencyKey: delivery.idempotencyKey,
    blocks: delivery.blocks,
    project: name,
    mode: delivery.mode,
    works: worksOf(opened, lines, { registry: context.registry, execute: delivery.execute ?? true }),
    ...kept,
  }
  faultPoint('receive.beforeInsert')
  const received = await context.db.transaction(async (tx) => {
    const repeat = delivery.executionId === undefined ? undefined : await findRepeat(tx, message)
    if (repeat) return repeat
    // A dry run leaves everything as it is.
    if (!delivery.runOf && delivery.mode !== 'validate') {
      await overwriteProject(tx, { ...project, name }, lines, { overwrite: delivery.overwrite ?? true })
    }
    for (const { mapping } of lines) {
      for (const { numberSequence } of mapping ?? []) {
        if (numberSequence !== undefined) await ensureNumberSequence(tx, numberSequence)
      }
    }
    const stored = await insertOnce(tx, message)
    if (!stored.isRepeat) await noteAll(tx, stored.executionId, [...opened.notices, ...project.notices])
    return stored
  })
  faultPoint('receive.afterInsert')
  if (!received.isRepeat) {
    const { messageId } = received
    observe({
      at: 'message.received',
      messageId,
      bytes: kept.bytes,
      origin: delivery.origin,
      entity: `project ${name}`,
    })
  }
  return received
}

/** What can never pass is the answer to the request, as nothing is kept of it. */
async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof MessageRejected)) throw error
    throw new RequestRefused(400, error.code, error.message, error.place)
  }
}

/**
 * The entities that are run, in the order of the manifest. In a run of a project they have its settings, and its mapping
 * where the manifest has none. What a manifest cannot say of a mapping they have of the project that is there already.
 */
async function linesFor(
  { db }: Context,
  { name, lines }: PackageProject,
  { runOf, project, failOnError }: PackageDelivery,
): Promise<ProjectEntity[]> {
  const known = runOf ?? (await findProject(db, project ?? name))
  const ownOf = ({ entity }: ProjectEntity) => known?.entities.find((own) => own.entity === entity)
  const enabled = lines
    .filter((line) => !line.disabled && !(runOf && ownOf(line)?.disabled))
    .map((line) => ({
      ...line,
      mapping: line.mapping && withUnsaid(line.mapping, ownOf(line)?.mapping ?? null),
      failExecutionUnitOnError: failOnError || line.failExecutionUnitOnError,
    }))
  if (enabled.length === 0) {
    throw new RequestRefused(400, 'EF315', `All entities of the package '${name}' are disabled: there is nothing to do`)
  }
  if (!runOf) return enabled
  return enabled.map((line) => {
    const own = ownOf(line)
    if (!own) {
      throw new RequestRefused(400, 'EA105', `The project ${runOf.name} does not take ${line.entity}`, {
        entity: line.entity,
      })
    }
    const { truncateEntityData, importThreshold, taskCount } = own
    return {
      ...line,
      truncateEntityData,
      importThreshold,
      taskCount,
      mapping: line.mapping ?? own.mapping,
      sourceFormat: line.sourceFormat ?? own.sourceFormat,
    }
  })
}

function checkNames(project: string, executionId = ''): void {
  if (project.trim() === '') {
    throw new RequestRefused(400, 'EA109', 'The package names no data project: name one as definitionGroupId', {
      field: 'definitionGroupId',
    })
  }
  for (const [field, text] of Object.entries({ definitionGroupId: project, executionId })) {
    if (text.length <= maxNameLength && !/\p{Cc}/u.test(text)) continue
    const needs = `may have at most ${maxNameLength} printable characters`
    throw new RequestRefused(400, 'EA109', `The ${field} ${needs}`, { field })
  }
}

async function checkFormats({ db }: Context, packageName: string, lines: readonly ProjectEntity[]): Promise<void> {
  for (const { entity, sourceFormat } of lines) {
    if (sourceFormat === null) continue
    try {
      await findSourceFormat(db, sourceFormat)
    } catch (error) {
      if (!(error instanceof RequestRefused)) throw error
      const message = `The entity ${entity} of the package '${packageName}' cannot be read: ${error.message}`
      throw new RequestRefused(400, error.code, message, { entity })
    }
  }
}

async function checkCompany(
  { db, registry }: Context,
  company: string,
  lines: readonly ProjectEntity[],
): Promise<void> {
  const isNeeded = lines.some(({ entity }) => registry.findImportable(entity)?.companySpecific)
  if (!isNeeded || (await knownCompanies(db, registry, [company])).has(company)) return
  throw new RequestRefused(400, 'EP103', `The legal entity '${company}' does not exist`, { value: company })
}

function worksOf(
  { files }: DataPackage,
  lines: readonly ProjectEntity[],
  { registry, execute }: { registry: EntityRegistry; execute: boolean },
): NewWork[] {
  return lines.map((line) => {
    const file = files.find(({ entity }) => entity.inputFilePath === line.file)!
    const label = file.entity.entityName.trim()
    const settings = settingsOf(line)
    return {
      entity: line.entity,
      state: execute ? 'Staging' : 'NotRun',
      sourceEntry: file.entry.name,
      sourceBytes: file.entry.bytes,
      sourceFormat: line.sourceFormat,
      order: orderOf(line),
      settings: registry.find(label) ? settings : { ...settings, label },
      isComposite: registry.findComposite(line.entity) !== undefined,
    }
  })
}

/**
 * A client that did not hear our answer asks again, with the id that it made: the same package is the same execution.
 * Requests with one id follow one another.
 */
async function findRepeat(tx: Transaction, { executionId, sha256 }: NewMessage): Promise<ReceivedMessage | undefined> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 5))', [executionId])
  const known = await findStored(tx, 'x.id = $1', [executionId])
  if (!known) return undefined
  if (!known.sha256.equals(sha256)) {
    throw new RequestRefused(409, 'EA117', `The execution id '${executionId}' was used for another package`)
  }
  const { messageId, works } = known
  return { messageId, executionId, works, isRepeat: true }
}

async function noteAll(tx: Transaction, executionId: string, notices: readonly string[]): Promise<void> {
  await tx.query(
    'INSERT INTO entrepot.execution_log (execution_id, text) SELECT $1, text FROM unnest($2::text[]) AS text',
    [executionId, notices],
  )
}
