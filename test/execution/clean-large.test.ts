import { type CleanPlan, clean } from '../../src/execution/clean'
import { findUnreferenced } from '../../src/execution/payload-references'
import type { Database, Queryable, Transaction } from '../../src/platform/database'
import type { CleanCounts } from '../../src/platform/observe'
import { openTestHub, type TestHub } from '../helpers/test-hub'

const messages = 100_000
/** The oldest: their bytes and staged records are gone already. */
const emptied = 10_000
/** Behind them stand those that hold up an activity or are under way, and must stay. */
const staying = 400
/** And then those that are to be emptied. */
const old = 2_000

describe(`a clean-up among ${messages} messages`, () => {
  let test: TestHub
  beforeAll(async () => {
    test = await openTestHub()
    await test.hub.db.query(
      `WITH numbers AS (
         SELECT n, n <= ${emptied} AS emptied, n > ${emptied} AND n <= ${emptied + staying} AS stays,
           now() - CASE WHEN n <= ${emptied + staying + old} THEN interval '10 days' ELSE interval '1 day' END + n * interval '1 ms' AS at
         FROM generate_series(1, ${messages}) n),
       m AS (
         INSERT INTO entrepot.message (id, entity, origin, bytes, sha256, payload, state, blocks, received_at, finished_at)
         SELECT gen_random_uuid(), 'OMLegalEntity', 'cli', 10, '', CASE WHEN NOT emptied THEN '0123456789'::bytea END,
           CASE WHEN stays AND n % 2 = 0 THEN 'Enqueued' ELSE 'Processed' END, stays AND n % 2 = 1, at,
           CASE WHEN NOT stays OR n % 2 = 1 THEN at END
         FROM numbers ORDER BY n RETURNING id, seq, state, payload, finished_at),
       x AS (
         INSERT INTO entrepot.execution (id, message_id, state, finished_at)
         SELECT 'run ' || id, id, CASE WHEN state = 'Enqueued' THEN 'NotRun' ELSE 'Succeeded' END, finished_at FROM m
         ORDER BY seq RETURNING id, message_id, state)
       INSERT INTO entrepot.execution_entity (execution_id, message_seq, entity, small, state, staging_removed_at)
       SELECT x.id, m.seq, 'OMLegalEntity', true, CASE WHEN x.state = 'NotRun' THEN 'Staging' ELSE 'Finished' END,
         CASE WHEN m.payload IS NULL THEN now() END
       FROM x JOIN m ON m.id = x.message_id ORDER BY m.seq`,
    )
    await test.hub.db.query('ANALYZE')
  })
  afterAll(() => test.close())

  const before = new Date(Date.now() - 7 * 86_400_000)
  /** Cleans up, and expects that no statement has gone through more than some batches: one that does goes through a table. */
  async function cleanByBatches(plan: CleanPlan): Promise<CleanCounts> {
    const explained = explaining(test.hub.db)
    const counts = await clean({ ...test.hub, db: explained.db }, plan)
    expect(explained.plans.length).toBeGreaterThan(old / 500)
    expect(explained.plans.filter(({ rows }) => rows > 3_000)).toEqual([])
    return counts
  }

  it('finds what is to be emptied without going through what is empty, or young', async () => {
    const counts = await cleanByBatches({ payloadsBefore: before, stagingBefore: before })
    expect(counts).toMatchObject({ payloads: old, payloadBytes: 10 * old, messages: 0 })
  })

  it('looks payloads up without going through the messages', async () => {
    const { db } = test.hub
    await db.query(`UPDATE entrepot.message SET payload_location = 'postgres:' || seq WHERE seq > ${messages / 2}`)
    const explained = explaining(db)
    const locations = Array.from({ length: 500 }, (_, n) => `postgres:${n * (messages / 500) + 1}`)
    expect(await findUnreferenced(explained.db, locations)).toEqual(locations.slice(0, 250))
    expect(explained.plans.filter(({ rows }) => rows > 3_000)).toEqual([])
  })

  it('removes history without going through what is young', async () => {
    expect(await cleanByBatches({ historyBefore: before })).toMatchObject({ payloads: 0, messages: emptied + old })
    const [left] = await test.hub.db.query('SELECT count(*) FROM entrepot.execution_entity')
    expect(left).toEqual({ count: messages - emptied - old })
  })
})

interface Plan {
  readonly sql: string
  /** The most rows that a node of the plan looked at. */
  readonly rows: number
}

/** The database, with every statement explained, and taken back, before it is run. */
function explaining(db: Database): { db: Database; plans: Plan[] } {
  const plans: Plan[] = []
  const explain = async (tx: Queryable, sql: string, values?: readonly unknown[]) => {
    if (!/^\s*(WITH|SELECT|UPDATE|DELETE)/.test(sql)) return
    await tx.query('SAVEPOINT explained')
    const [row] = await tx.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`,
      values,
    )
    plans.push({ sql, rows: mostRows(row!['QUERY PLAN'][0]!.Plan) })
    await tx.query('ROLLBACK TO SAVEPOINT explained')
  }
  const explainedIn = (tx: Transaction): Transaction => {
    const query: Transaction['query'] = async (sql, values) => {
      await explain(tx, sql, values)
      return (await tx.query(sql, values)) as never // the type of the rows is the caller's
    }
    const count: Transaction['count'] = async (sql, values) => {
      await explain(tx, sql, values)
      return tx.count(sql, values)
    }
    return { ...tx, query, count }
  }
  const transaction: Database['transaction'] = (work) => db.transaction((tx) => work(explainedIn(tx)))
  const query: Database['query'] = (sql, values) => transaction((tx) => tx.query(sql, values))
  return { plans, db: { ...db, query, transaction } }
}

interface PlanNode {
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly PlanNode[]
}

function mostRows(node: PlanNode): number {
  const here = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
  return Math.max(here, ...(node.Plans ?? []).map(mostRows))
}
