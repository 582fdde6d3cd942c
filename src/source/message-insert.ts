import { RequestRefused } from '../errors'
import type { ExecutionMode } from '../execution/mode'
import { storableJson } from '../execution/storable'
import type { Database, Queryable } from '../platform/database'
import type { EntitySettings, ExecutionOrder } from '../project/entity-settings'

/** A message about to be stored, with the id of the execution that goes with it. */
export interface NewMessage {
  readonly id: string
  readonly executionId: string
  readonly activityId: string | null
  /** Null for a package: `works` has its entities. */
  readonly entity: string | null
  readonly company: string | null
  readonly sourceFormat: string | null
  readonly externalId: string | null
  readonly origin: string
  readonly idempotencyKey: string | null
  /** Whether successors of the same activity wait for it. */
  readonly blocks: boolean
  readonly bytes: number
  readonly sha256: Buffer
  readonly payload: Buffer | null
  readonly payloadLocation: string | null
  /** Name of the data project that it is a run of. */
  readonly project: string | null
  readonly mode: ExecutionMode
  readonly works: readonly NewWork[]
}

/** An entity of the execution that goes with a new message. */
export interface NewWork {
  readonly entity: string
  /** NotRun: it is only loaded, and begins when somebody starts it. */
  readonly state: 'Staging' | 'NotRun'
  /** Name of its file in the package, with the file's size; null where the message is the file. */
  readonly sourceEntry: string | null
  readonly sourceBytes: number | null
  readonly sourceFormat: string | null
  /** Its place in the order of the package; null where it waits for no other. */
  readonly order: ExecutionOrder | null
  readonly settings: EntitySettings | null
  /** Whether the entity is a composite, whose documents are handled by themselves. */
  readonly isComposite?: boolean
}

/** A stored message and the work that it means. */
export interface StoredMessage {
  readonly messageId: string
  readonly executionId: string
  /** The execution's entities, for the bells. */
  readonly works: readonly StoredWork[]
}

/** An entity of a stored message's execution. */
export interface StoredWork {
  readonly id: number
  /** Whether it is handled together with other small ones. */
  readonly isSmall: boolean
}

/** A message that is kept: whatever happens now, it will be worked on. */
export interface ReceivedMessage extends StoredMessage {
  /** Whether the message was there already (same idempotency key, same bytes). */
  readonly isRepeat: boolean
}

interface Waiting {
  readonly message: NewMessage
  resolve(stored: StoredMessage): void
  reject(error: unknown): void
}

/** Messages that came while the last insert was under way: they share the next one. */
const waiting = new WeakMap<Database, Waiting[]>()
/** As many as one statement carries at 64 KB each without more memory than a large file takes. */
const batchSize = 250

/**
 * Stores a message with its execution. Messages that arrive together share one statement and one commit.
 * A message with an idempotency key that is known is the known one, if its bytes are the same.
 * Throws  RequestRefused EA103 (409) when the key was used for other bytes.
 */
export async function insertMessage(db: Database, message: NewMessage): Promise<ReceivedMessage> {
  if (message.idempotencyKey !== null) return db.transaction((tx) => insertOnce(tx, message))
  const stored = await new Promise<StoredMessage>((resolve, reject) => {
    const queue = waiting.get(db)
    if (queue) {
      queue.push({ message, resolve, reject })
      return
    }
    waiting.set(db, [{ message, resolve, reject }])
    void drain(db)
  })
  return { ...stored, isRepeat: false }
}

async function drain(db: Database): Promise<void> {
  const queue = waiting.get(db)!
  while (queue.length > 0) {
    const batch = queue.splice(0, batchSize)
    try {
      const stored = await db.transaction((tx) =>
        insertBatch(
          tx,
          batch.map(({ message }) => message),
        ),
      )
      const byExecution = new Map(stored.map((row) => [row.executionId, row]))
      for (const { message, resolve } of batch) resolve(byExecution.get(message.executionId)!)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
  waiting.delete(db)
}

/**
 * Stores a message with its execution in a transaction of the caller's; one whose idempotency key is known is the known one.
 * Throws  RequestRefused EA103 (409) when the key was used for other bytes.
 */
export async function insertOnce(tx: Queryable, message: NewMessage): Promise<ReceivedMessage> {
  for (;;) {
    const [stored] = await insertBatch(tx, [message])
    if (stored) return { ...stored, isRepeat: false }
    const known = await findStored(tx, 'm.activity_id IS NOT DISTINCT FROM $1 AND m.idempotency_key = $2', [
      message.activityId,
      message.idempotencyKey,
    ])
    // The clean-up may remove the known message between the two looks; its key is free then.
    if (!known) continue
    if (!known.sha256.equals(message.sha256)) {
      const text = `The idempotency key '${message.idempotencyKey}' was used for a message with other bytes`
      throw new RequestRefused(409, 'EA103', text, { messageId: known.messageId })
    }
    const { messageId, executionId, works } = known
    return { messageId, executionId, works, isRepeat: true }
  }
}

/** The message and execution for which a condition on `m` and `x` holds, the newest execution of it. */
export async function findStored(
  tx: Queryable,
  condition: string,
  values: readonly unknown[],
): Promise<(StoredMessage & { sha256: Buffer }) | undefined> {
  const [known] = await tx.query<StoredMessage & { sha256: Buffer }>(
    `SELECT m.id AS "messageId", x.id AS "executionId", m.sha256, ${storedWorks}
     FROM entrepot.message m JOIN entrepot.execution x ON x.message_id = m.id
     JOIN entrepot.execution_entity e ON e.execution_id = x.id
     WHERE ${condition} GROUP BY m.id, x.id ORDER BY x.created_at DESC LIMIT 1`,
    values,
  )
  return known
}

const storedWorks = `jsonb_agg(jsonb_build_object('id', e.id, 'isSmall', e.small) ORDER BY e.id) AS works`

/** Inserts the messages in their order; those whose idempotency key is known are left out of what it returns. */
async function insertBatch(tx: Queryable, messages: readonly NewMessage[]): Promise<StoredMessage[]> {
  const ordered = new Set(messages.flatMap(({ blocks, activityId }) => (blocks ? [activityId!] : [])))
  // Numbers are given out before they are committed: without this wait a later number could be seen, and worked on, first.
  for (const activityId of [...ordered].sort()) {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 1))', [activityId])
  }
  const column = <K extends keyof NewMessage>(name: K) => messages.map((message) => message[name])
  const works = messages.flatMap((message) => message.works.map((work) => ({ ...work, message })))
  const workColumn = <K extends keyof NewWork>(name: K) => works.map((work) => work[name])
  return tx.query<StoredMessage>(
    `WITH given AS (
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
         $9::text[], $10::boolean[], $11::bigint[], $12::bytea[], $13::bytea[], $14::text[], $15::text[], $16::text[])
       WITH ORDINALITY AS g(id, execution_id, activity_id, entity, company, source_format, external_id, origin,
         idempotency_key, blocks, bytes, sha256, payload, payload_location, project, mode, place)
     ), given_works AS (
       SELECT * FROM unnest($17::uuid[], $18::text[], $19::text[], $20::text[], $21::bigint[], $22::text[], $23::jsonb[],
         $24::jsonb[], $25::boolean[])
       WITH ORDINALITY AS w(message_id, entity, state, source_entry, source_bytes, source_format, settings, "order", small, place)
     ), stored AS (
       INSERT INTO entrepot.message (id, activity_id, entity, company, source_format, external_id, origin,
         idempotency_key, blocks, bytes, sha256, payload, payload_location, project)
       SELECT id, activity_id, entity, company, source_format, external_id, origin,
         idempotency_key, blocks, bytes, sha256, payload, payload_location, project FROM given ORDER BY place
       ON CONFLICT (activity_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
       RETURNING id, seq, activity_id, blocks
     ), executions AS (
       INSERT INTO entrepot.execution (id, message_id, project, mode)
       SELECT g.execution_id, s.id, g.project, g.mode FROM stored s JOIN given g ON g.id = s.id RETURNING id, message_id, mode
     ), e AS (
       INSERT INTO entrepot.execution_entity (execution_id, message_seq, ordered_activity, entity, state, small, mode,
         source_entry, source_bytes, source_format, settings, execution_unit, level_in_unit, sequence_in_level,
         fail_level_on_error, fail_unit_on_error)
       SELECT x.id, s.seq, CASE WHEN s.blocks THEN s.activity_id END, w.entity, w.state, w.small AND NOT s.blocks, x.mode,
         w.source_entry, w.source_bytes, w.source_format, w.settings, (w."order" ->> 'executionUnit')::integer,
         (w."order" ->> 'levelInExecutionUnit')::integer, (w."order" ->> 'sequenceInLevel')::integer,
         coalesce((w."order" ->> 'failLevelOnError')::boolean, false),
         coalesce((w."order" ->> 'failExecutionUnitOnError')::boolean, false)
       FROM executions x JOIN stored s ON s.id = x.message_id JOIN given_works w ON w.message_id = s.id
       ORDER BY s.seq, w.place
       RETURNING id, execution_id, small
     )
     SELECT x.message_id AS "messageId", x.id AS "executionId", ${storedWorks}
     FROM e JOIN executions x ON x.id = e.execution_id GROUP BY x.message_id, x.id ORDER BY min(e.id)`,
    [
      column('id'),
      column('executionId'),
      column('activityId'),
      column('entity'),
      column('company'),
      column('sourceFormat'),
      column('externalId'),
      column('origin'),
      column('idempotencyKey'),
      column('blocks'),
      column('bytes'),
      column('sha256'),
      column('payload'),
      column('payloadLocation'),
      column('project'),
      column('mode'),
      works.map(({ message }) => message.id),
      workColumn('entity'),
      workColumn('state'),
      workColumn('sourceEntry'),
      workColumn('sourceBytes'),
      workColumn('sourceFormat'),
      works.map(({ settings }) => (settings === null ? null : storableJson(settings))),
      works.map(({ order }) => (order === null ? null : JSON.stringify(order))),
      works.map(isSmall),
    ],
    'insert-messages',
  )
}

/** Files that share their transactions are in memory together, whatever the size of the zip that they came in. */
const smallFileBytes = 64 * 1024

/** Small work shares its transactions with that of other messages; what does more than stage and promote goes by itself. */
function isSmall(work: NewWork & { message: NewMessage }): boolean {
  const { message, settings, sourceBytes, isComposite = false } = work
  const isPlain = !settings?.truncateEntityData && !settings?.mapping?.some(({ numberSequence }) => numberSequence)
  const isInMemory = message.payload !== null && (sourceBytes ?? 0) <= smallFileBytes
  return isInMemory && message.mode === 'import' && isPlain && !isComposite
}
