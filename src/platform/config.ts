import { readFileSync } from 'node:fs'
import path from 'node:path'
import { SetupFault, textOf } from '../errors'

/** One environment variable. `parse` gives the value, or throws an Error that says what the text must be. */
interface Setting<T> {
  readonly name: string
  /** What holds when it is not set or empty, in the variable's own words; '' stands for nothing. */
  readonly defaultText: string
  readonly unit: string
  readonly meaning: string
  /** Whether `<name>_FILE` may name a file that holds the value, as secrets are mounted into containers. */
  readonly secret?: boolean
  parse(text: string): T
}

/** Every variable that Entrepot reads, in the order of the README's table, which is printed from here. */
export const settings = {
  databaseUrl: {
    name: 'DATABASE_URL',
    defaultText: '',
    unit: 'URL',
    meaning: 'The Postgres database, 15 or newer. Without it an embedded Postgres is started under ENTREPOT_HOME.',
    secret: true,
    parse: optional(url('postgres:', 'postgresql:')),
  },
  redisUrl: {
    name: 'REDIS_URL',
    defaultText: '',
    unit: 'URL',
    meaning: 'The Redis that BullMQ runs on. Without it the queues are kept in the database.',
    secret: true,
    parse: optional(url('redis:', 'rediss:')),
  },
  queuePrefix: {
    name: 'QUEUE_PREFIX',
    defaultText: '{entrepot}',
    unit: 'text',
    meaning: 'What the keys in Redis begin with. The braces keep them in one slot of a Redis Cluster.',
    parse: pattern(/^\{[\w-]+\}$/, 'letters, digits, _ and - in braces'),
  },
  allowRedisEviction: {
    name: 'ALLOW_REDIS_EVICTION',
    defaultText: 'false',
    unit: 'true or false',
    meaning: 'Starts on a Redis whose maxmemory-policy is not noeviction. Work is then delayed when Redis is full.',
    parse: trueOrFalse,
  },
  home: {
    name: 'ENTREPOT_HOME',
    defaultText: '.entrepot',
    unit: 'folder',
    meaning: 'Where the embedded Postgres and the payload files are kept.',
    parse: (text: string) => path.resolve(text),
  },
  payloadStore: {
    name: 'PAYLOAD_STORE',
    defaultText: '',
    unit: 'postgres, file or file:<folder>',
    meaning:
      'Where the bytes of messages are kept. Default: postgres with DATABASE_URL, else file (ENTREPOT_HOME/payloads).',
    parse: optional(pattern(/^(postgres|file|file:.+)$/s, 'postgres, file or file:<folder>')),
  },
  host: {
    name: 'HOST',
    defaultText: '127.0.0.1',
    unit: 'address',
    meaning: 'The address to listen on. Only loopback addresses: there is no access control yet.',
    parse: pattern(/^(127(\.\d{1,3}){3}|::1|localhost)$/, 'a loopback address, because there is no access control yet'),
  },
  port: { name: 'PORT', defaultText: '4400', unit: 'port', meaning: '0 takes any free port.', parse: whole(0, 65_535) },
  publicUrl: {
    name: 'PUBLIC_URL',
    defaultText: '',
    unit: 'URL',
    meaning: 'The address that answers name in their links. Default: the address listened on.',
    parse: optional(url('http:', 'https:')),
  },
  logLevel: {
    name: 'LOG_LEVEL',
    defaultText: 'info',
    unit: 'level',
    meaning: 'The least level to log: debug, info, warn, error or silent.',
    parse: oneOf('debug', 'info', 'warn', 'error', 'silent'),
  },
  maxMessageBytes: {
    name: 'MAX_MESSAGE_BYTES',
    defaultText: String(5 * 1024 ** 3),
    unit: 'bytes',
    meaning: 'The largest message.',
    parse: whole(1, Number.MAX_SAFE_INTEGER),
  },
  maxRecordBytes: {
    name: 'MAX_RECORD_BYTES',
    defaultText: String(4 * 1024 ** 2),
    unit: 'bytes',
    meaning: 'The largest single record.',
    parse: whole(1_024, 256 * 1024 ** 2), // a record is held in memory, and a text of Postgres ends at 1 GB
  },
  leaseSeconds: {
    name: 'LEASE_SECONDS',
    defaultText: '60',
    unit: 'seconds',
    meaning: 'How long work stays with a worker that shows no progress.',
    parse: whole(1, 86_400),
  },
  sweepSeconds: {
    name: 'SWEEP_SECONDS',
    defaultText: '5',
    unit: 'seconds',
    meaning: 'How often due work without a bell is looked for.',
    parse: whole(1, 3_600),
  },
  maxAttempts: {
    name: 'MAX_ATTEMPTS',
    defaultText: '5',
    unit: 'times',
    meaning: 'How often a step is tried without progress before its execution ends in error.',
    parse: whole(1, 1_000),
  },
  stageConcurrency: {
    name: 'STAGE_CONCURRENCY',
    defaultText: '2',
    unit: 'executions',
    meaning: 'How many executions a process stages at a time.',
    parse: whole(1, 64),
  },
  promoteConcurrency: {
    name: 'PROMOTE_CONCURRENCY',
    defaultText: '2',
    unit: 'executions',
    meaning: 'How many executions a process promotes at a time.',
    parse: whole(1, 64),
  },
  promoteConnections: {
    name: 'PROMOTE_CONNECTIONS',
    defaultText: '2',
    unit: 'connections',
    meaning: 'How many connections share the promotion of one large execution.',
    parse: whole(1, 32),
  },
  databasePool: {
    name: 'DATABASE_POOL',
    defaultText: '10',
    unit: 'connections',
    meaning: 'The most connections of a process to the database, beside those of the queues.',
    parse: whole(2, 200),
  },
  payloadRetentionDays: {
    name: 'PAYLOAD_RETENTION_DAYS',
    defaultText: '7',
    unit: 'days',
    meaning: 'How long the bytes of a message are kept after its end. 0 keeps them for good.',
    parse: whole(0, 36_500),
  },
  stagingRetentionDays: {
    name: 'STAGING_RETENTION_DAYS',
    defaultText: '7',
    unit: 'days',
    meaning: 'How long staged records are kept after the end of their message. 0 keeps them for good.',
    parse: whole(0, 36_500),
  },
  historyRetentionDays: {
    name: 'HISTORY_RETENTION_DAYS',
    defaultText: '7',
    unit: 'days',
    meaning:
      'How long a message is kept with its executions and errors. All that is left of it goes then. 0: for good.',
    parse: whole(0, 36_500),
  },
  cleanHours: {
    name: 'CLEAN_HOURS',
    defaultText: '0-24',
    unit: 'hours, UTC',
    meaning: 'The hours of the day in which the hub cleans up, from-to. 22-6 goes over midnight.',
    parse: hours,
  },
} as const satisfies Record<string, Setting<unknown>>

type Values = { readonly [K in keyof typeof settings]: ReturnType<(typeof settings)[K]['parse']> }

/** Where the bytes of messages are kept. */
export type PayloadStore = { readonly kind: 'postgres' } | { readonly kind: 'file'; readonly folder: string }

/** Bounds that measuring has found, and that nobody needs to set. */
const workBounds = {
  /** Records of one transaction of staging: a crash does at most so many again, and a commit costs nothing beside them. */
  chunkRecords: 100_000,
  /** From this size on a message gets a staging table of its own, which is read without an index and dropped at once. */
  ownTableBytes: 8 * 1024 ** 2,
  /** Records of one transaction of promotion: a crash does at most so many again; each joins with the whole target once. */
  partRecords: 500_000,
}

/** What the environment says, checked; see `settings` for each value's meaning and unit. */
export interface Config extends Omit<Values, 'payloadStore'>, Readonly<typeof workBounds> {
  readonly payloadStore: PayloadStore
}

/**
 * Reads the environment.
 * Throws  SetupFault ES101 that lists all wrong variables at once.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries<Setting<unknown>>(settings)) {
    try {
      values[key] = setting.parse(textFor(setting, env) || setting.defaultText)
    } catch (error) {
      problems.push(`${setting.name} ${textOf(error)}`)
    }
  }
  if (problems.length > 0) throw new SetupFault('ES101', problems.join('\n'))
  // Each key was set by the parser of that key just above.
  const parsed = values as unknown as Values
  return { ...workBounds, ...parsed, payloadStore: payloadStoreOf(parsed) }
}

function textFor({ name, secret }: Setting<unknown>, env: NodeJS.ProcessEnv): string {
  const direct = env[name]?.trim() ?? ''
  const file = secret ? env[`${name}_FILE`]?.trim() : undefined
  if (!file) return direct
  if (direct) throw new Error(`and ${name}_FILE are both set: unset one`)
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new Error(`cannot be read from ${name}_FILE: ${textOf(error)}`)
  }
}

function payloadStoreOf({ payloadStore, databaseUrl, home }: Values): PayloadStore {
  const chosen = payloadStore ?? (databaseUrl === undefined ? 'file' : 'postgres')
  if (chosen === 'postgres') return { kind: 'postgres' }
  const folder = chosen === 'file' ? path.join(home, 'payloads') : path.resolve(chosen.slice('file:'.length))
  return { kind: 'file', folder }
}

function optional<T>(parse: (text: string) => T): (text: string) => T | undefined {
  return (text) => (text === '' ? undefined : parse(text))
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,16}$/.test(text) && value >= least && value <= most) return value
    throw new Error(`is '${text}': it must be a whole number from ${least} to ${most}`)
  }
}

/** Stays a text, as every value here can be written back into the variable that it came from. */
function hours(text: string): string {
  const [, from, to] = /^(\d{1,2})-(\d{1,2})$/.exec(text)?.map(Number) ?? []
  if (from !== undefined && to !== undefined && from < 24 && to <= 24 && from !== to) return text
  throw new Error(`is '${text}': it must be two hours of the day, such as 22-6`)
}

function trueOrFalse(text: string): boolean {
  return oneOf('true', 'false')(text) === 'true'
}

function oneOf<const T extends string>(...allowed: readonly T[]): (text: string) => T {
  return (text) => {
    const found = allowed.find((word) => word === text)
    if (found !== undefined) return found
    throw new Error(`is '${text}': it must be one of ${allowed.join(', ')}`)
  }
}

function pattern(expression: RegExp, words: string): (text: string) => string {
  return (text) => {
    if (expression.test(text)) return text
    throw new Error(`is '${text}': it must be ${words}`)
  }
}

/** Never repeats the text in its message: it may hold a password. */
function url(...protocols: readonly string[]): (text: string) => string {
  return (text) => {
    if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return text
    throw new Error(`is no URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`)
  }
}
