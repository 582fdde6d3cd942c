import { Pool, type PoolClient, type QueryConfig, type QueryResult, types } from 'pg'
import { type CopyIn, openCopyIn, readCopyOut } from './database-copy'
import { databaseError } from './database-errors'

/** What runs statements. Values go in as parameters only; names through `quoteIdentifier`. */
export interface Queryable {
  /**
   * Runs a statement and gives its rows. bigint comes as a number when it is exact as one, else as text; date, time,
   * timestamp and numeric as Postgres writes them; timestamptz as a Date (milliseconds); bytea as a Buffer; json parsed.
   * Input   `name`: of a statement that runs all the time, by which each connection plans it once instead of every time;
   *         only for one with a single sensible plan: a plan made while tables were empty is kept when they have grown.
   * Throws  Unavailable ES102 when the database is not fit; the error of Postgres otherwise (see `sqlState`).
   */
  query<R extends object = Record<string, unknown>>(
    sql: string,
    values?: readonly unknown[],
    name?: string,
  ): Promise<R[]>
  /** Runs a statement and gives the number of rows it affected. */
  count(sql: string, values?: readonly unknown[]): Promise<number>
}

/** One transaction on one connection: its statements run one after another. */
export interface Transaction extends Queryable {
  /** Starts a `COPY … FROM STDIN`; no other statement of the transaction may run until its end. */
  copyIn(sql: string): CopyIn
  /** Reads a `COPY … TO STDOUT`, in pieces that end anywhere. Left early, the transaction can only roll back. */
  copyOut(sql: string): AsyncIterable<Buffer>
}

export interface Database extends Queryable {
  /**
   * Runs the work in one transaction: commits when it returns, rolls back when it throws.
   * Throws  what the work throws; Unavailable ES102 when the database is not fit. If the answer to the commit is lost the
   *         outcome is unknown, which is Unavailable too: a step must be able to run again after its own success.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  readonly url: string
  /** Waits for running statements, then closes all connections. */
  close(): Promise<void>
}

export interface DatabaseOptions {
  readonly url: string
  readonly poolSize: number
  /** Shown by pg_stat_activity. */
  readonly applicationName: string
  /** Keeps idle connections for good, though they do not keep the process alive. */
  readonly staysConnected?: boolean
}

/** Longer than a failover's pause for one address, shorter than an HTTP client's patience. */
const connectTimeoutMs = 10_000
/** Idle time before the first probe of a silent connection; the system's default is two hours. */
const keepAliveDelayMs = 10_000

/** Opens a pool of connections; connects at the first statement, so a database that is away is no error here. */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = new Pool({
    connectionString: options.url,
    max: options.poolSize,
    application_name: options.applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: options.staysConnected ? 0 : 30_000, // 30 s: sweeps and bells find warm connections
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveDelayMs,
    allowExitOnIdle: options.staysConnected ?? false,
    types: { getTypeParser },
  })
  // A connection that breaks while idle has left the pool already: the next statement opens another.
  pool.on('error', () => undefined)
  const run = runner((statement) => pool.query(statement))
  let closing: Promise<void> | undefined
  return {
    ...run,
    url: options.url,
    transaction: (work) => runTransaction(pool, work),
    close() {
      closing ??= pool.end()
      return closing
    },
  }
}

type RunStatement = (statement: QueryConfig) => Promise<QueryResult>

function runner(run: RunStatement): Queryable {
  const send = async (text: string, values: readonly unknown[] = [], name?: string) => {
    try {
      // pg gives an array of results when the text holds several statements: the last one counts.
      const result: QueryResult | QueryResult[] = await run({ text, values: [...values], ...(name ? { name } : {}) })
      return Array.isArray(result) ? (result.at(-1) as QueryResult) : result
    } catch (error) {
      throw databaseError(error)
    }
  }
  return {
    // The caller states the shape of its rows: SQL text has no type that could be checked here.
    query: async <R extends object>(sql: string, values?: readonly unknown[], name?: string) =>
      (await send(sql, values, name)).rows as R[],
    count: async (sql, values) => (await send(sql, values)).rowCount ?? 0,
  }
}

async function runTransaction<T>(pool: Pool, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const connection = await lendConnection(pool)
  const { client } = connection
  const run = runner((statement) => client.query(statement))
  let copy: CopyIn | undefined
  const copyIn = (sql: string) => {
    copy = openCopyIn(client, sql)
    return copy
  }
  try {
    await run.query('BEGIN')
    const result = await work({ ...run, copyIn, copyOut: (sql) => readCopyOut(client, sql, connection.discard) })
    await commit(client)
    return result
  } catch (error) {
    // The server reads on as data what follows an open COPY: a ROLLBACK would never be answered.
    await copy?.abort('the transaction is rolled back')
    if (!connection.isDiscarded()) await client.query('ROLLBACK').catch(connection.discard)
    throw databaseError(error)
  } finally {
    connection.giveBack()
  }
}

async function commit(client: PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT')
  // After a failed statement whose error the work swallowed, Postgres answers COMMIT with ROLLBACK and no error.
  if (command !== 'COMMIT') throw new Error('The transaction was rolled back: one of its statements had failed')
}

/** Takes a connection from the pool; `discard` marks it as unfit to be used again. */
async function lendConnection(pool: Pool) {
  let discarded = false
  const discard = () => {
    discarded = true
  }
  const client = await pool.connect().catch((error) => {
    throw databaseError(error)
  })
  // A lent connection reports its loss as an event, which would end the process if nobody listened.
  client.on('error', discard)
  return {
    client,
    discard,
    isDiscarded: () => discarded,
    giveBack() {
      client.off('error', discard)
      client.release(discarded)
    },
  }
}

/** Types whose text is read otherwise than pg does: see `Queryable.query`. */
const parsers = new Map<number, (text: string) => unknown>([
  [types.builtins.INT8, exactNumber],
  [types.builtins.DATE, (text) => text],
  [types.builtins.TIMESTAMP, (text) => text],
])

function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  return (format !== 'binary' && parsers.get(oid)) || types.getTypeParser(oid, format as 'text')
}

function exactNumber(text: string): number | string {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : text
}
