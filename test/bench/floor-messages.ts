import { customerColumns } from './files'
import { messageRecords, messageText } from './message-set'
import type { BenchDatabase } from './setting'

const columns = customerColumns.map((name) => name.toLowerCase())
const given = columns.map((name) => `${name} text`).join(', ')

/** Creates the tables of the floor beside those of `createFloorTarget`. */
export async function createFloorQueue({ db }: BenchDatabase): Promise<void> {
  await db.query(`
    CREATE TABLE floor_execution (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload text NOT NULL,
      state text NOT NULL DEFAULT 'Staging', records integer, finished_at timestamptz);
    CREATE TABLE floor_message_staging (execution bigint NOT NULL, record_number integer NOT NULL, error text, ${given});
    CREATE INDEX ON floor_message_staging (execution)`)
}

/**
 * Handles the messages by hand: a transaction each, with the message kept, staged, checked, promoted and its state set, over
 * eight connections; no HTTP, no queue. Returns how long it took in milliseconds.
 */
export async function runFloorMessages({ db }: BenchDatabase, count: number): Promise<number> {
  const startedAt = performance.now()
  let next = 1
  const lane = async () => {
    for (let number = next++; number <= count; number = next++) await handle(db, number)
  }
  await Promise.all(Array.from({ length: connections }, lane))
  return performance.now() - startedAt
}

/** More made it no faster on two to eight cores. */
const connections = 8

function handle(db: BenchDatabase['db'], number: number): Promise<void> {
  const records = messageRecords(number)
  return db.transaction(async (tx) => {
    const [{ id = 0 } = {}] = await tx.query<{ id: number }>(
      'INSERT INTO floor_execution (payload) VALUES ($1) RETURNING id',
      [messageText(number)],
    )
    const objects = records.map((cells) => Object.fromEntries(cells.map((cell, c) => [columns[c], cell || null])))
    await tx.query(
      `INSERT INTO floor_message_staging (execution, record_number, ${columns.join(', ')})
       SELECT $1, row_number() OVER (), ${columns.join(', ')} FROM json_to_recordset($2) AS r(${given})`,
      [id, JSON.stringify(objects)],
    )
    await tx.query(checkSql, [id])
    await tx.query(upsertSql, [id])
    await tx.query(`UPDATE floor_execution SET state = 'Finished', records = $2, finished_at = now() WHERE id = $1`, [
      id,
      records.length,
    ])
  })
}

const checkSql = `UPDATE floor_message_staging SET error = 'bad' WHERE execution = $1 AND (
  customeraccount IS NULL OR length(customeraccount) > 20 OR customergroupid IS NULL OR length(organizationname) > 100
  OR length(namealias) > 20 OR length(primarycontactemail) > 255 OR length(addressstreet) > 250 OR length(addresscity) > 60
  OR creditlimit !~ '^[+-]?[0-9]{1,26}([.][0-9]{1,6})?$' OR credmancustomersince !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
  OR customergroupid NOT IN (SELECT id FROM floor_groups) OR salescurrencycode NOT IN (SELECT id FROM floor_currencies)
  OR paymentterms NOT IN (SELECT id FROM floor_terms))`

const values = columns.filter((name) => name !== 'customeraccount')
const typed = columns.map((name) => {
  if (name === 'creditlimit') return 'creditlimit::numeric(32, 6)'
  return name === 'credmancustomersince' ? `${name}::date` : name
})
const upsertSql = `INSERT INTO floor_customers AS t (company, ${columns.join(', ')})
  SELECT 'usmf', ${typed.join(', ')} FROM floor_message_staging WHERE execution = $1 AND error IS NULL
  ON CONFLICT (company, customeraccount) DO UPDATE SET ${values.map((name) => `${name} = EXCLUDED.${name}`).join(', ')}`
