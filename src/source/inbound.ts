import { RequestRefused } from '../errors'
import type { Context } from '../execution/context'
import type { ReceivedMessage } from './message-insert'
import { receive } from './receive'

/** Largest payload of a job of the inbound queue, in bytes: Redis keeps jobs in memory. */
const maxJobPayloadBytes = 256 * 1024

/** Properties of a job of the inbound queue and the type each must have. */
const properties = {
  activityId: 'string',
  entity: 'string',
  company: 'string',
  externalId: 'string',
  payload: 'string',
  encoding: 'string',
} as const
type Property = keyof typeof properties
type InboundJob = Partial<Record<Property, string>>

/**
 * Keeps what a producer put into the BullMQ queue `inbound` as a message. The job's id makes it the same message when the
 * job runs again.
 * Input   `{ activityId, entity?, company?, externalId?, payload, encoding? }`; `payload` is text, or base64 with
 *         `encoding: 'base64'`.
 * Throws  RequestRefused EA107 that names the property, or what `receive` throws.
 */
export function receiveJob(context: Context, data: unknown, jobId: string): Promise<ReceivedMessage> {
  const job = checkJob(data)
  const payload = decodePayload(job)
  const { activityId, entity, company, externalId } = job
  return receive(
    context,
    {
      origin: 'queue',
      idempotencyKey: `inbound job ${jobId}`,
      ...(activityId === undefined ? {} : { activityId }),
      ...(entity === undefined ? {} : { entity }),
      ...(company === undefined ? {} : { company }),
      ...(externalId === undefined ? {} : { externalId }),
    },
    inOnePiece(payload),
  )
}

async function* inOnePiece(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}

function refused(property: string, trouble: string): RequestRefused {
  return new RequestRefused(400, 'EA107', `The property ${property} ${trouble}`, { field: property })
}

function checkJob(data: unknown): InboundJob {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new RequestRefused(400, 'EA107', 'The job data must be an object with the properties activityId and payload')
  }
  for (const [name, value] of Object.entries(data)) {
    if (!Object.hasOwn(properties, name))
      throw refused(name, `is not known; known are ${Object.keys(properties).join(', ')}`)
    const isLeftOut = value === undefined || (value === null && name !== 'payload')
    if (!isLeftOut && typeof value !== 'string') throw refused(name, `must be a string, not ${typeof value}`)
  }
  const job: InboundJob = Object.fromEntries(Object.entries(data).filter(([, value]) => typeof value === 'string'))
  if (!job.activityId) throw refused('activityId', 'is missing: name the activity by its GUID')
  if (job.payload === undefined) throw refused('payload', 'is missing: put the file into it')
  return job
}

function decodePayload({ payload = '', encoding }: InboundJob): Buffer {
  if (encoding !== undefined && encoding !== 'base64' && encoding !== 'utf8') {
    throw refused('encoding', `must be 'base64' or left out, not '${encoding.slice(0, 40)}'`)
  }
  if (payload.length > maxJobPayloadBytes * 2) throw tooLarge()
  if (encoding === 'base64' && !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(payload)) throw refused('payload', 'is not base64')
  const bytes = Buffer.from(payload, encoding === 'base64' ? 'base64' : 'utf8')
  if (bytes.length > maxJobPayloadBytes) throw tooLarge()
  return bytes
}

function tooLarge(): RequestRefused {
  return refused('payload', `has more than ${maxJobPayloadBytes} bytes: send larger files by HTTP`)
}
