import type { OutgoingHttpHeaders } from 'node:http'
import { receive } from '../../src/source/receive'
import { ringForReceived, type WorkerRole } from '../../src/work'
import { type RawAnswer, type RunningHub, runHub, send } from '../api/running-hub'
import { addMasterData } from '../helpers/build'
import { waitFor } from '../helpers/wait-for'
import { once } from './packages'

/** What the clients of Dynamics 365's package API have in common: how they call it, and how they read its answers. */

/** Starts a hub with its workers, and with the companies usmf and demf, currencies and the terms Net30 in its targets. */
export async function runContoso({
  roles,
  backend,
}: {
  roles?: readonly WorkerRole[]
  backend?: Parameters<typeof runHub>[0]
} = {}): Promise<RunningHub> {
  const running = await runHub(backend)
  const { hub, queues } = running
  await running.work(roles)
  await addMasterData({
    async deliver(entity, file) {
      const received = await receive(hub, { origin: 'cli', entity }, once(Buffer.from(file)))
      ringForReceived(queues, received)
      return received
    },
    run: async () => {
      await waitFor(async () => (await unfinished(running)) === 0, { what: 'the master data' })
    },
  })
  return running
}

async function unfinished({ hub }: RunningHub): Promise<number> {
  const [row] = await hub.db.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM entrepot.message WHERE finished_at IS NULL',
  )
  return row!.count
}

/** As all clients but PowerShell's write it. */
export const jsonHeaders = {
  authorization: 'Bearer some.access.token',
  accept: 'application/json',
  'content-type': 'application/json; charset=utf-8',
}

/** Where the actions are; a prefix may stand before it. */
export const actionsPath = '/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.'

/** Calls an action. Parameters that are a text are sent as they are. */
export function callAction(
  url: string,
  action: string,
  parameters: object | string,
  headers: OutgoingHttpHeaders = jsonHeaders,
): Promise<RawAnswer> {
  const body = Buffer.from(typeof parameters === 'string' ? parameters : JSON.stringify(parameters))
  return send(`${url}${actionsPath}${action}`, { headers: { ...headers, 'content-length': body.length }, body: [body] })
}

/**
 * The value of an answer as `JObject.Parse(body)["value"].ToString()` of Json.NET reads it: null is an empty text, booleans
 * begin with capitals, and a missing value fails.
 */
export function valueIn({ text }: RawAnswer): string {
  const { value } = JSON.parse(text)
  if (value === undefined) throw new Error(`The answer has no value: ${text}`)
  if (value === null) return ''
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Calls an action that must be answered 200, and reads its value. */
export async function valueFrom(url: string, action: string, parameters: object | string): Promise<string> {
  const answer = await callAction(url, action, parameters)
  if (answer.status !== 200) throw new Error(`${action} answered ${answer.status}: ${answer.text}`)
  return valueIn(answer)
}

/** What an action that failed says of it. */
export interface ActionError {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly hint: string
}

/** Calls an action that must fail, and reads the error as clients do: its reason is the inner one's message. */
export async function errorFrom(url: string, action: string, parameters: object | string): Promise<ActionError> {
  const { status, text } = await callAction(url, action, parameters)
  const { code, message: outer, innererror } = JSON.parse(text).error
  expect(outer).toBe('An error has occurred.')
  expect(innererror).toMatchObject({ type: 'System.InvalidOperationException', stacktrace: '' })
  const { message, hint } = innererror
  return { status, code, message, hint }
}

/** Asks for room for a package and puts it there in one piece. Gives the address to import from. */
export async function upload(url: string, bytes: Buffer): Promise<string> {
  const { BlobUrl } = JSON.parse(
    await valueFrom(url, 'GetAzureWriteUrl', { uniqueFileName: '3f2c7d5e-8a51-4b0e-9a44-0d1c6f6a1b7e' }),
  )
  const { status } = await put(BlobUrl, bytes)
  expect(status).toBe(201)
  return BlobUrl
}

/** Puts a file with the headers of Recurring Integrations Scheduler, which are fewer than those of any other client. */
export function put(blobUrl: string, bytes: Buffer): Promise<RawAnswer> {
  const headers = {
    'x-ms-date': new Date().toUTCString(),
    'x-ms-blob-type': 'BlockBlob',
    Overwrite: 'T',
    'content-length': bytes.length,
  }
  return send(blobUrl, { method: 'PUT', headers, body: [bytes] })
}

/** The parameters of ImportFromPackage. */
export interface ImportParameters {
  readonly packageUrl: string
  readonly definitionGroupId: string
  readonly executionId: string
  readonly execute: boolean
  readonly overwrite: boolean
  readonly legalEntityId: string
}

/** The status of an execution once it has come to its end. */
export function endStatus(url: string, executionId: string): Promise<string> {
  return waitFor(
    async () => {
      const status = await valueFrom(url, 'GetExecutionSummaryStatus', { executionId })
      return status !== 'NotRun' && status !== 'Executing' && status
    },
    { timeoutMs: 20_000, what: `the end of the execution ${executionId}` },
  )
}
