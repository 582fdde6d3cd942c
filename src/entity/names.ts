/** Schemas of the records as they came and as they are. */
export const stagingSchema = 'staging'
export const targetSchema = 'target'

/** What table names are made from. */
interface Named {
  readonly name: string
}

/** The SQL name of the entity's shared staging table, e.g. `staging."CustCustomerGroupEntity"`. */
export function stagingTable({ name }: Named): string {
  return `${stagingSchema}.${quoteIdentifier(name)}`
}

/** The SQL name of the entity's target table. */
export function targetTable({ name }: Named): string {
  return `${targetSchema}.${quoteIdentifier(name)}`
}

/** The SQL name of the staging table that one large execution of the entity has to itself. */
export function executionStagingTable({ name }: Named, executionEntityId: bigint | number | string): string {
  return `${stagingSchema}.${quoteIdentifier(`${name}_${BigInt(executionEntityId)}`)}`
}

/**
 * An identifier as SQL wants it: in double quotes, quotes inside doubled. Every name in a statement goes through here;
 * values never do, they are parameters.
 */
export function quoteIdentifier(name: string): string {
  return `"${withoutNul(name).replaceAll('"', '""')}"`
}

/**
 * A text as an SQL literal, for the few statements that take no parameters (DDL, SET, COPY options).
 * A backslash makes it an escape string, so that the server's standard_conforming_strings does not matter.
 */
export function quoteLiteral(text: string): string {
  const quoted = `'${withoutNul(text).replaceAll("'", "''").replaceAll('\\', '\\\\')}'`
  return text.includes('\\') ? `E${quoted}` : quoted
}

/** Postgres ends a text at a NUL, so what follows it would be read as something else or dropped. */
function withoutNul(text: string): string {
  if (text.includes('\0')) throw new Error('A name or literal in SQL may not hold the NUL character')
  return text
}
