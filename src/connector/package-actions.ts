import { RequestRefused } from '../errors'
import { startLoaded } from '../execution/actions'
import { clean } from '../execution/clean'
import type { Context } from '../execution/context'
import type { ExecutionReport } from '../execution/report'
import { findExecution, findMessage, newestExecution } from '../execution/report'
import type { MessageState } from '../execution/states'
import { receivePackage } from '../source/receive-package'
import type { ActionParameters } from './action-body'
import { createBlob } from './blob-store'
import { blobIdOf, blobUrl } from './blob-url'
import { bareId } from './connector-url'
import type { Ring } from './enqueue'
import { errorFileUrl } from './error-file-routes'
import { entityOfExecution } from './execution-entity'
import { executionErrors } from './execution-errors'
import { takeBlob } from './take-blob'

/** What the actions of the package API work with. */
export interface ActionContext {
  readonly context: Context
  readonly ring: Ring
  /** The address that links begin with. */
  baseUrl(): string
  /** The key that links are signed with. */
  signingKey(): Promise<Buffer>
}

/** An action of the set `DataManagementDefinitionGroups`: what its answer's `value` is, and its type in the context URL. */
export interface PackageAction {
  readonly returns:
    | 'Edm.String'
    | 'Edm.Boolean'
    | 'Microsoft.Dynamics.DataEntities.DMFExecutionSummaryStatus'
    | 'Collection(Edm.String)'
  run(given: ActionContext, parameters: ActionParameters): Promise<unknown>
}

const action = (run: PackageAction['run'], returns: PackageAction['returns'] = 'Edm.String'): PackageAction => ({
  run,
  returns,
})

/** How long a link to upload or download is good: Dynamics 365 keeps such files for seven days. */
const linkMs = 7 * 24 * 3_600_000

/** The actions by name, as Dynamics 365 spells them. */
export const packageActions: Readonly<Record<string, PackageAction>> = {
  GetAzureWriteUrl: action(getAzureWriteUrl),
  ImportFromPackage: action(importFromPackage),
  ImportFromPackageAsync: action(importFromPackage),
  ImportFromDMTPackage: action(importFromPackage),
  GetExecutionSummaryStatus: action(
    async ({ context }, parameters) => (await executionOf(context, parameters)).status,
    'Microsoft.Dynamics.DataEntities.DMFExecutionSummaryStatus',
  ),
  GetExecutionSummaryPageUrl: action(async ({ context, baseUrl }, parameters) => {
    const { executionId } = await executionOf(context, parameters)
    return `${baseUrl()}/api/v1/executions/${encodeURIComponent(executionId)}`
  }),
  GetExecutionErrors: action(async ({ context }, parameters) =>
    JSON.stringify(await executionErrors(context, await executionOf(context, parameters))),
  ),
  GetEntityExecutionSummaryStatusList: action(async ({ context }, parameters) => {
    const { entities } = await executionOf(context, parameters)
    return entities.map((entity) => JSON.stringify(entitySummary(context, entity)))
  }, 'Collection(Edm.String)'),
  GenerateImportTargetErrorKeysFile: action(
    async (given, parameters) => (await errorFile(given, parameters, 'target-keys')) !== '',
    'Edm.Boolean',
  ),
  GetImportTargetErrorKeysFileUrl: action((given, parameters) => errorFile(given, parameters, 'target-keys')),
  GetImportStagingErrorFileUrl: action((given, parameters) => errorFile(given, parameters, 'staging')),
  GetMessageStatus: action(async ({ context: { db } }, parameters) => {
    const { status } = await findMessage(db, bareId(parameters.needed('messageId')))
    return messageStatuses[status]
  }),
  GetExecutionIdByMessageId: action(async ({ context: { db } }, parameters) => {
    const { executionId } = await findMessage(db, bareId(parameters.needed('messageId')))
    return executionId
  }),
  GetExportedPackageUrl: action(async ({ context }, parameters) => {
    await executionOf(context, parameters)
    return '' // an import has none
  }),
  DeleteExecutionHistoryJob: action(async ({ context }, parameters) => {
    const { executionId, finishedAt } = await executionOf(context, parameters)
    if (finishedAt === null) throw new RequestRefused(409, 'EA110', `The execution ${executionId} is still under way`)
    const now = new Date()
    const all = { payloadsBefore: now, stagingBefore: now, historyBefore: now }
    await clean(context, { ...all, scope: { executionId } })
    return ''
  }),
  // The list of entities is the hub's own: there is nothing to be made anew.
  InitializeDataManagement: action(async () => ''),
  InitializeDataManagementAsync: action(async () => ''),
  GetEntitySequence: action(async ({ context: { registry } }) =>
    JSON.stringify(
      registry.all.map(({ label, name }, index) => ({ EntityName: label, TargetEntity: name, Sequence: index + 1 })),
    ),
  ),
  ...Object.fromEntries(
    [
      'ExportToPackage',
      'ExportToPackageAsync',
      'ExportToPackageDelta',
      'ExportToPackagePreview',
      'ExportToPackagePreviewAsync',
      'ExportFromPackage',
      'ResetVersionToken',
    ].map((name) => [name, action(notYet(name))]),
  ),
}

function notYet(name: string): PackageAction['run'] {
  return async () => {
    throw new RequestRefused(400, 'EX101', `${name} needs exports, which this version does not have`)
  }
}

/** `DMFMessageStatus` as the documentation names it. */
const messageStatuses: Readonly<Record<MessageState, string>> = {
  Enqueued: 'Enqueued',
  PreProcessing: 'Preprocessing',
  Processing: 'Processing',
  Processed: 'Processed',
  ProcessedWithErrors: 'ProcessedWithErrors',
  PreProcessingError: 'PreProcessingError',
  PostProcessingError: 'PostProcessingFailed',
  // There is no name for it; clients must see that it ended without success.
  Canceled: 'PostProcessingFailed',
}

/** The names that clients send tell nothing: one of them always sends the same. So each call is a file of its own. */
async function getAzureWriteUrl({ context, baseUrl, signingKey }: ActionContext, parameters: ActionParameters) {
  const expiresAt = new Date(Date.now() + linkMs)
  const blob = await createBlob(context.db, { name: parameters.filled('uniqueFileName') ?? 'package.zip', expiresAt })
  const url = blobUrl(baseUrl(), blob, 'rw', expiresAt, await signingKey())
  return JSON.stringify({ BlobId: `{${blob.blobId.toUpperCase()}}`, BlobUrl: url })
}

async function importFromPackage(
  { context, ring, signingKey }: ActionContext,
  parameters: ActionParameters,
): Promise<string> {
  const packageUrl = parameters.needed('packageUrl')
  const blobId = blobIdOf(packageUrl)
  if (blobId === undefined) {
    throw new RequestRefused(
      400,
      'EA109',
      'The packageUrl is none that GetAzureWriteUrl gave: other places are not read',
      {
        field: 'packageUrl',
      },
    )
  }
  const kept = await takeBlob(context, { blobId, url: packageUrl, key: await signingKey() })
  const execute = parameters.flag('execute') ?? true
  const received = await receivePackage(
    context,
    {
      origin: 'package',
      activityId: null,
      blocks: false,
      company: parameters.filled('legalEntityId')?.trim().toLowerCase() ?? null,
      externalId: kept.name,
      idempotencyKey: null,
      mode: 'import',
      executionId: parameters.filled('executionId'),
      project: parameters.filled('definitionGroupId'),
      overwrite: parameters.flag('overwrite') ?? false,
      execute,
      failOnError: parameters.flag('failOnError') ?? false,
    },
    kept,
  )
  if (received.isRepeat && execute) await startLoaded(context.db, received.executionId)
  ring(received)
  return received.executionId
}

/** An execution by its own id or its message's: clients of recurring integrations know the latter only. */
async function executionOf({ db }: Context, parameters: ActionParameters): Promise<ExecutionReport> {
  const id = parameters.needed('executionId')
  for (const find of [() => findExecution(db, id), () => newestExecution(db, bareId(id))]) {
    try {
      return await find()
    } catch (error) {
      if (!(error instanceof RequestRefused) || error.code !== 'EA108') throw error
    }
  }
  // Clients look for this sentence, and ask again.
  throw new RequestRefused(400, 'EA108', `Execution details were not found for execution id ${id.slice(0, 300)}`)
}

function entitySummary({ registry }: Context, entity: ExecutionReport['entities'][number]) {
  const { records } = entity
  return {
    EntityName: registry.find(entity.entity)?.label ?? entity.entity,
    StagingStatus: entity.stagingStatus,
    TargetStatus: entity.targetStatus,
    StagingRecordsCreatedCount: records.read,
    TargetRecordsCreatedCount: records.inserted,
    TargetRecordsUpdatedCount: records.updated,
    ErrorRecordsCount: records.error,
  }
}

/** A link to a file of an entity's errors; '' where there are none, or the execution leaves the entity out. */
async function errorFile(
  given: ActionContext,
  parameters: ActionParameters,
  kind: 'target-keys' | 'staging',
): Promise<string> {
  const { context, baseUrl, signingKey } = given
  const execution = await executionOf(context, parameters)
  const entity = await entityOfExecution(context, execution, parameters.needed('entityName'))
  // Clients ask for each entity of a manifest, disabled ones too, and do not bear a refusal.
  if (!entity) return ''
  const inError = kind === 'staging' ? entity.stagingErrors : Math.max(0, entity.records.error - entity.stagingErrors)
  if (inError === 0) return ''
  return errorFileUrl(baseUrl(), { workId: entity.workId, kind }, new Date(Date.now() + linkMs), await signingKey())
}
