import { createHash, randomUUID } from 'node:crypto'
import { type CompositeEntity, type Entity, nearest } from '../entity'
import { RequestRefused } from '../errors'
import type { Context } from '../execution/context'
import type { ExecutionMode } from '../execution/mode'
import { storable } from '../execution/storable'
import { type SourceFormatName, sourceFormatNamed } from '../format/registry'
import { faultPoint } from '../platform/faults'
import { observe } from '../platform/observe'
import { type Activity, getActivity } from '../project/activity'
import { settingsOf } from '../project/data-project'
import type { EntitySettings } from '../project/entity-settings'
import { insertMessage, type NewMessage, type ReceivedMessage } from './message-insert'

/** What a producer says about the file that it sends. */
export interface Delivery {
  /** Which door the message came through. */
  readonly origin: 'http' | 'queue' | 'cli'
  /** GUID of the activity; without one the message is an ad-hoc import. */
  readonly activityId?: string
  /** Any name of the entity; may be left out where the activity takes only one. */
  readonly entity?: string
  readonly company?: string
  /** The producer's own name for the message, such as a file name. */
  readonly externalId?: string
  /** Name of a source data format; left out, the activity's or else the detected one. */
  readonly sourceFormat?: string
  /** The same key with the same bytes is the same message, however often it is sent. */
  readonly idempotencyKey?: string
  /** What is to be done with it; import if left out. */
  readonly mode?: ExecutionMode
}

/** The one entity of a message that is no package. */
const singleWork = { state: 'Staging', sourceEntry: null, sourceBytes: null, sourceFormat: null, order: null } as const

/** Payloads up to this size are kept in the message's row: one write instead of two, and 64 KB is a few hundred records. */
const inlineBytes = 64 * 1024

/**
 * Keeps a message: its bytes, itself and its execution. When this returns everything is durable.
 * Input   the bytes, which are read to their end.
 * Throws  RequestRefused EA101 to EA106, EA109, EA111, or what reading the bytes throws; Unavailable ES102, ES105.
 *         Nothing is left behind then.
 */
export async function receive(
  context: Context,
  delivery: Delivery,
  bytes: AsyncIterable<Uint8Array>,
): Promise<ReceivedMessage> {
  const target = await resolveDelivery(context, delivery)
  const payload = await takeIn(context, bytes)
  try {
    const message: NewMessage = {
      id: randomUUID(),
      executionId: randomUUID(),
      activityId: target.activity?.id ?? null,
      entity: target.entity.name,
      company: target.company,
      sourceFormat: target.sourceFormat,
      externalId: textOrNull(delivery.externalId?.slice(0, 500)),
      origin: delivery.origin,
      idempotencyKey: textOrNull(delivery.idempotencyKey),
      blocks: target.activity?.ordered ?? false,
      project: target.activity?.project ?? null,
      mode: delivery.mode ?? 'import',
      works: [
        { ...singleWork, entity: target.entity.name, settings: target.settings, isComposite: target.isComposite },
      ],
      ...payload,
    }
    faultPoint('receive.beforeInsert')
    const received = await insertMessage(context.db, message)
    faultPoint('receive.afterInsert')
    if (received.isRepeat) await forget(context, payload)
    else {
      observe({
        at: 'message.received',
        messageId: received.messageId,
        bytes: payload.bytes,
        origin: delivery.origin,
        entity: target.entity.name,
      })
    }
    return received
  } catch (error) {
    await forget(context, payload)
    throw error
  }
}

/** Messages that come together share a statement: a text that Postgres refuses would fail the others too. */
function textOrNull(text: string | undefined): string | null {
  return text === undefined ? null : storable(text)
}

interface ResolvedDelivery {
  readonly activity: Activity | undefined
  readonly entity: Entity | CompositeEntity
  readonly isComposite: boolean
  readonly company: string | null
  readonly sourceFormat: SourceFormatName | null
  readonly settings: EntitySettings | null
}

/** Decides entity, company and format; refuses before a byte is read. */
async function resolveDelivery(context: Context, delivery: Delivery): Promise<ResolvedDelivery> {
  const activity = delivery.activityId === undefined ? undefined : await knownActivity(context, delivery.activityId)
  if (activity && !activity.enabled) {
    throw new RequestRefused(403, 'EA111', `The activity ${activity.name} is disabled`)
  }
  const entity = chooseEntity(context, delivery.entity, activity)
  const line = activity?.entities.find((taken) => taken.entity === entity.name)
  const sourceFormat = delivery.sourceFormat ?? line?.sourceFormat ?? null
  const company = textOrNull(delivery.company?.trim().toLowerCase()) || activity?.company || null
  return {
    activity,
    entity,
    isComposite: context.registry.findComposite(entity.name) !== undefined,
    company,
    settings: line ? settingsOf(line) : null,
    sourceFormat: sourceFormat === null ? null : sourceFormatNamed(sourceFormat).name,
  }
}

function chooseEntity(
  { registry }: Context,
  name: string | undefined,
  activity: Activity | undefined,
): Entity | CompositeEntity {
  const wanted = name?.trim()
  if (!wanted) {
    if (activity?.entities.length === 1) return registry.getImportable(activity.entities[0]!.entity)
    const choice = activity ? `one of ${activity.entities.map(({ entity }) => entity).join(', ')}` : 'an entity'
    throw new RequestRefused(400, 'EA106', `The message does not say which entity it holds: name ${choice}`)
  }
  const entity = registry.getImportable(wanted)
  const taken = activity?.entities.map((line) => line.entity)
  if (taken && !taken.includes(entity.name)) {
    const near = nearest(entity.name, taken)
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    throw new RequestRefused(400, 'EA105', `The activity ${activity!.name} does not take ${entity.label}${hint}`)
  }
  return entity
}

/** Activities are asked for with every message and seldom change: an answer is good for a second. */
const activityAgeMs = 1_000
const knownActivities = new WeakMap<Context['db'], Map<string, { activity: Activity; until: number }>>()

async function knownActivity({ db }: Context, id: string): Promise<Activity> {
  let known = knownActivities.get(db)
  if (!known) {
    known = new Map()
    knownActivities.set(db, known)
  }
  const cached = known.get(id)
  if (cached && cached.until > performance.now()) return cached.activity
  const activity = await getActivity(db, id)
  if (known.size > 1_000) known.clear()
  known.set(id, { activity, until: performance.now() + activityAgeMs })
  return activity
}

type KeptPayload = Pick<NewMessage, 'bytes' | 'sha256' | 'payload' | 'payloadLocation'>

/** Reads the bytes to their end and keeps them: in the row when they are few, else in the payload store. */
async function takeIn(context: Context, source: AsyncIterable<Uint8Array>): Promise<KeptPayload> {
  const hash = createHash('sha256')
  let bytes = 0
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      bytes += piece.length
      if (bytes > context.limits.maxMessageBytes) {
        throw new RequestRefused(413, 'EA104', `The message has more than ${context.limits.maxMessageBytes} bytes`)
      }
      hash.update(piece)
      yield piece
    }
  }
  const pieces = counted()
  const head: Uint8Array[] = []
  for (let size = 0; size <= inlineBytes; ) {
    const { done, value } = await pieces.next()
    if (done) return { bytes, sha256: hash.digest(), payload: Buffer.concat(head), payloadLocation: null }
    head.push(value)
    size += value.length
  }
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    yield* head.splice(0)
    yield* pieces
  }
  const payloadLocation = await context.payloads.keep(whole())
  return { bytes, sha256: hash.digest(), payload: null, payloadLocation }
}

async function forget({ payloads }: Context, { payloadLocation }: KeptPayload): Promise<void> {
  // Left behind bytes cost space only; the error that brought us here matters more.
  if (payloadLocation !== null) await payloads.remove(payloadLocation).catch(() => undefined)
}
