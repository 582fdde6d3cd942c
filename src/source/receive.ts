import { createHash, randomUUID } from 'node:crypto'
import { type CompositeEntity, type Entity, nearest } from '../entity'
import { RequestRefused, Unavailable } from '../errors'
import type { Context } from '../execution/context'
import type { ExecutionMode } from '../execution/mode'
import { storable } from '../execution/storable'
import { peek } from '../format/peek'
import { fileKindOf } from '../format/signature'
import { faultPoint } from '../platform/faults'
import { observe } from '../platform/observe'
import { type Activity, getActivity } from '../project/activity'
import { getProject, settingsOf } from '../project/data-project'
import type { EntitySettings } from '../project/entity-settings'
import { findSourceFormat } from '../project/source-format-store'
import { insertMessage, type NewMessage, type ReceivedMessage } from './message-insert'
import { type KeptMessageBytes, receivePackage } from './receive-package'

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
  /** Name of the data project that a package is a run of, where it comes through no activity. */
  readonly project?: string
  /** What is to be done with it; import if left out. */
  readonly mode?: ExecutionMode
}

/** The one entity of a message that is no package. */
const singleWork = { state: 'Staging', sourceEntry: null, sourceBytes: null, sourceFormat: null, order: null } as const

/** Payloads up to this size are kept in the message's row: one write instead of two, and 64 KB is a few hundred records. */
export const inlineBytes = 64 * 1024

/**
 * Keeps a message: its bytes, itself and its execution. When this returns everything is durable.
 * Input   the bytes, which are read to their end.
 * Throws  RequestRefused EA101 to EA106, EA109, EA111, EA115, or what reading the bytes throws; Unavailable ES102, ES105.
 *         Nothing is left behind then.
 */
export async function receive(
  context: Context,
  delivery: Delivery,
  bytes: AsyncIterable<Uint8Array>,
): Promise<ReceivedMessage> {
  const target = await resolveDelivery(context, delivery)
  const { head, rest, close } = await peek(bytes, signatureBytes)
  const isPackage = fileKindOf(head) === 'zip'
  if (!isPackage && target.entity === undefined) {
    await close()
    throw entityMissing(target.activity)
  }
  const kept = await takeIn(context, rest())
  try {
    const facts = {
      activityId: target.activity?.id ?? null,
      company: target.company,
      externalId: textOrNull(delivery.externalId?.slice(0, 500)),
      origin: delivery.origin,
      idempotencyKey: textOrNull(delivery.idempotencyKey),
      blocks: target.activity?.ordered ?? false,
      mode: delivery.mode ?? 'import',
    }
    const received = isPackage
      ? await receivePackage(context, { ...facts, runOf: await runOf(context, delivery, target) }, kept)
      : await receiveFile(context, { ...facts, ...fileFacts(target, target.entity!), ...kept })
    if (received.isRepeat) await forget(context, kept)
    return received
  } catch (error) {
    // After a lost answer to the commit the message may be there, and needs its bytes.
    if (!(error instanceof Unavailable)) await forget(context, kept)
    throw error
  }
}

/** The data project that a package is a run of: the activity's, or the one that the delivery names. */
async function runOf({ db }: Context, { project }: Delivery, { activity }: ResolvedDelivery) {
  if (activity) return { name: activity.project, entities: activity.entities }
  return project === undefined ? undefined : getProject(db, project)
}

function fileFacts(
  { activity, sourceFormat, settings, isComposite }: ResolvedDelivery,
  entity: Entity | CompositeEntity,
) {
  return {
    entity: entity.name,
    sourceFormat,
    project: activity?.project ?? null,
    works: [{ ...singleWork, entity: entity.name, settings, isComposite }],
  }
}

async function receiveFile(
  { db }: Context,
  file: Omit<NewMessage, 'id' | 'executionId' | 'entity'> & { entity: string },
): Promise<ReceivedMessage> {
  faultPoint('receive.beforeInsert')
  const received = await insertMessage(db, { id: randomUUID(), executionId: randomUUID(), ...file })
  faultPoint('receive.afterInsert')
  const { messageId, isRepeat } = received
  const { bytes, origin, entity } = file
  if (!isRepeat) observe({ at: 'message.received', messageId, bytes, origin, entity })
  return received
}

/** As many bytes as tell a package from other files. */
const signatureBytes = 4

/** Messages that come together share a statement: a text that Postgres refuses would fail the others too. */
function textOrNull(text: string | undefined): string | null {
  return text === undefined ? null : storable(text)
}

interface ResolvedDelivery {
  readonly activity: Activity | undefined
  /** Undefined where nobody says which: only a package can do without. */
  readonly entity: Entity | CompositeEntity | undefined
  readonly isComposite: boolean
  readonly company: string | null
  readonly sourceFormat: string | null
  readonly settings: EntitySettings | null
}

/** Decides entity, company and format; refuses before a byte is read. */
async function resolveDelivery(context: Context, delivery: Delivery): Promise<ResolvedDelivery> {
  const activity = delivery.activityId === undefined ? undefined : await knownActivity(context, delivery.activityId)
  if (activity && !activity.enabled) {
    throw new RequestRefused(403, 'EA111', `The activity ${activity.name} is disabled`)
  }
  const entity = chooseEntity(context, delivery.entity, activity)
  const line = activity?.entities.find((taken) => taken.entity === entity?.name)
  const sourceFormat = delivery.sourceFormat ?? line?.sourceFormat ?? null
  const company = textOrNull(delivery.company?.trim().toLowerCase()) || activity?.company || null
  return {
    activity,
    entity,
    isComposite: entity !== undefined && context.registry.findComposite(entity.name) !== undefined,
    company,
    settings: line ? settingsOf(line) : null,
    sourceFormat: sourceFormat === null ? null : (await findSourceFormat(context.db, sourceFormat)).name,
  }
}

function chooseEntity(
  { registry }: Context,
  name: string | undefined,
  activity: Activity | undefined,
): Entity | CompositeEntity | undefined {
  const wanted = name?.trim()
  const taken = activity && takenBy(activity)
  if (!wanted) return taken?.length === 1 ? registry.getImportable(taken[0]!) : undefined
  const entity = registry.getImportable(wanted)
  if (taken && !taken.includes(entity.name)) {
    const near = nearest(entity.name, taken)
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    throw new RequestRefused(400, 'EA105', `The activity ${activity!.name} does not take ${entity.label}${hint}`)
  }
  return entity
}

/** Names of the entities of its project that are not turned off. */
function takenBy({ entities }: Activity): string[] {
  return entities.filter(({ disabled }) => !disabled).map(({ entity }) => entity)
}

function entityMissing(activity: Activity | undefined): RequestRefused {
  const choice = activity ? `one of ${takenBy(activity).join(', ')}` : 'an entity'
  return new RequestRefused(400, 'EA106', `The message does not say which entity it holds: name ${choice}`)
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

/** Reads the bytes to their end and keeps them: in the row when they are few, else in the payload store. */
async function takeIn(context: Context, source: AsyncIterable<Uint8Array>): Promise<KeptMessageBytes> {
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

async function forget({ payloads }: Context, { payloadLocation }: KeptMessageBytes): Promise<void> {
  // Left behind bytes cost space only; the error that brought us here matters more.
  if (payloadLocation !== null) await payloads.remove(payloadLocation).catch(() => undefined)
}
