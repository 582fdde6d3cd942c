import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { runChild } from './child'
import { customerColumns } from './files'
import type { BenchDatabase, Setting } from './setting'
import { fileFolder } from './setting'

/** Whether the floor's target has the foreign key that a table of customers usually has; Entrepot checks it set-based instead. */
export type FloorTarget = 'with a foreign key' | 'without a foreign key'

/** How long psql took, in all and by part. */
export interface FloorRun {
  readonly ms: number
  readonly stageMs: number
  readonly checkMs: number
  readonly upsertMs: number
}

/** Creates what the script needs: the reference data, and a typed target with its key. */
export async function createFloorTarget({ db }: BenchDatabase, target: FloorTarget): Promise<void> {
  const reference = target === 'with a foreign key' ? ' REFERENCES floor_groups' : ''
  await db.query(`
    CREATE TABLE floor_groups AS SELECT "CustomerGroupId" AS id FROM target."CustCustomerGroupEntity";
    ALTER TABLE floor_groups ADD PRIMARY KEY (id);
    CREATE TABLE floor_currencies AS SELECT "CurrencyCode" AS id FROM target."CurrencyEntity";
    CREATE TABLE floor_terms AS SELECT "Name" AS id FROM target."PaymentTermEntity";
    CREATE TABLE floor_customers (
      company text COLLATE "C" NOT NULL,
      customeraccount text COLLATE "C" NOT NULL,
      organizationname text, namealias text,
      customergroupid text NOT NULL${reference},
      salescurrencycode text, paymentterms text, creditlimit numeric(32, 6), primarycontactemail text,
      addressstreet text, addresscity text, credmancustomersince date,
      PRIMARY KEY (company, customeraccount)
    );
    ANALYZE floor_groups, floor_currencies, floor_terms`)
}

/** Imports a file by the hand-written script, and says how many records were bad and how many the target has then. */
export async function runFloor(setting: Setting, database: BenchDatabase, file: string): Promise<FloorRun> {
  const script = path.join(fileFolder(setting), 'floor.sql')
  writeFileSync(script, floorScript(file, setting.postgresVersion))
  const { ms, stdout } = await runChild('psql', ['-X', '-q', '-f', script, database.url], process.env)
  const times = [...stdout.matchAll(/^(part \w+)|^Time: ([\d.]+) ms/gm)]
  const parts = { stage: 0, check: 0, upsert: 0 }
  let part: keyof typeof parts = 'stage'
  for (const [, name, time] of times) {
    if (name)
      part = name.slice('part '.length) as keyof typeof parts // the script names these three only
    else parts[part] += Number(time)
  }
  return { ms, stageMs: parts.stage, checkMs: parts.check, upsertMs: parts.upsert }
}

/** What the floor made of the file. */
export async function floorOutcome({
  db,
}: BenchDatabase): Promise<{ inError: number; superseded: number; target: number }> {
  const [row] = await db.query<{ inError: number; superseded: number; target: number }>(
    `SELECT count(*) FILTER (WHERE error <> 'superseded') AS "inError", count(*) FILTER (WHERE error = 'superseded') AS superseded,
       (SELECT count(*) FROM floor_customers) AS target FROM floor_staging`,
  )
  return row!
}

const columns = customerColumns.map((name) => name.toLowerCase())
const lengths: Record<string, number> = {
  customeraccount: 20,
  organizationname: 100,
  namealias: 20,
  customergroupid: 10,
  salescurrencycode: 3,
  paymentterms: 10,
  primarycontactemail: 255,
  addressstreet: 250,
  addresscity: 60,
}

/**
 * The script: one connection, one transaction, every check once over all records, only bad records written again, and
 * unchanged customers left alone. The staging table is made in the transaction that fills it, which spares its log
 * where the server allows that.
 */
function floorScript(file: string, postgresVersion: number): string {
  const values = columns.filter((name) => name !== 'customeraccount')
  const staged = columns.map((name) => `${name} text`).join(', ')
  const faults = faultConditions(postgresVersion)
  return `\\set ON_ERROR_STOP on
\\timing on
SET work_mem = '256MB';
BEGIN;
\\echo part stage
DROP TABLE IF EXISTS floor_staging;
CREATE TABLE floor_staging (record_number bigint GENERATED ALWAYS AS IDENTITY, error text, ${staged});
\\copy floor_staging (${columns.join(', ')}) FROM '${file}' WITH (FORMAT csv, HEADER)
\\echo part check
UPDATE floor_staging SET error = concat_ws('; ',
  ${faults.map(({ reason, isBad }) => `CASE WHEN ${isBad} THEN '${reason}' END`).join(',\n  ')})
WHERE ${faults.map(({ isBad }) => isBad).join('\n  OR ')};
UPDATE floor_staging s SET error = 'superseded'
FROM (SELECT customeraccount, max(record_number) AS last FROM floor_staging WHERE error IS NULL
  GROUP BY customeraccount HAVING count(*) > 1) twice
WHERE s.customeraccount = twice.customeraccount AND s.record_number < twice.last AND s.error IS NULL;
\\echo part upsert
INSERT INTO floor_customers AS t (company, ${columns.join(', ')})
SELECT 'usmf', ${columns.map(typed).join(', ')} FROM floor_staging WHERE error IS NULL
ON CONFLICT (company, customeraccount) DO UPDATE SET ${values.map((name) => `${name} = EXCLUDED.${name}`).join(', ')}
WHERE (${values.map((name) => `t.${name}`).join(', ')}) IS DISTINCT FROM (${values.map((name) => `EXCLUDED.${name}`).join(', ')});
COMMIT;
`
}

function typed(name: string): string {
  if (name === 'creditlimit') return 'creditlimit::numeric(32, 6)'
  return name === 'credmancustomersince' ? 'credmancustomersince::date' : name
}

/** SQL conditions that are true for a bad record; an empty cell is null, as COPY reads CSV. */
function faultConditions(postgresVersion: number): { reason: string; isBad: string }[] {
  const unknown = (name: string, table: string) => ({
    reason: `${name} is unknown`,
    isBad: `${name} NOT IN (SELECT id FROM ${table})`,
  })
  return [
    { reason: 'customeraccount is missing', isBad: 'customeraccount IS NULL' },
    { reason: 'customergroupid is missing', isBad: 'customergroupid IS NULL' },
    ...Object.entries(lengths).map(([name, length]) => ({
      reason: `${name} is longer than ${length}`,
      isBad: `length(${name}) > ${length}`,
    })),
    { reason: 'creditlimit is no decimal', isBad: badDecimal(postgresVersion) },
    { reason: 'credmancustomersince is no date', isBad: badDate(postgresVersion) },
    unknown('customergroupid', 'floor_groups'),
    unknown('salescurrencycode', 'floor_currencies'),
    unknown('paymentterms', 'floor_terms'),
  ]
}

/** pg_input_is_valid came with Postgres 16; before it, regular expressions are the fastest that SQL alone offers. */
const inputIsValidFrom = 160_000

function badDecimal(postgresVersion: number): string {
  if (postgresVersion >= inputIsValidFrom) return `NOT pg_input_is_valid(creditlimit, 'numeric(32,6)')`
  return `creditlimit !~ '^[+-]?[0-9]{1,26}([.][0-9]{1,6})?$'`
}

function badDate(postgresVersion: number): string {
  const field = 'credmancustomersince'
  if (postgresVersion >= inputIsValidFrom) return `NOT pg_input_is_valid(${field}, 'date')`
  const monthsEnd = `extract(day FROM (left(${field}, 8) || '01')::date + interval '1 month - 1 day')`
  return `CASE WHEN ${field} !~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' THEN true
    WHEN right(${field}, 2) <= '28' THEN false ELSE right(${field}, 2)::int > ${monthsEnd} END`
}
