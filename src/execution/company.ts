import type { EntityRegistry } from '../entity'
import { quoteIdentifier, targetTable } from '../entity/names'
import type { Queryable } from '../platform/database'

/** Public collection name of the entity whose records are the companies. */
export const companyCollection = 'LegalEntities'

/** Where companies are kept: the target table and its id column; undefined in a hub without that entity. */
export function companyTable(registry: EntityRegistry): { table: string; id: string } | undefined {
  const entity = registry.find(companyCollection)
  return entity && { table: targetTable(entity), id: quoteIdentifier(entity.key[0]!) }
}

/** Which of the companies (in lower case) are there; all of them in a hub that keeps no companies. */
export async function knownCompanies(
  db: Queryable,
  registry: EntityRegistry,
  companies: readonly string[],
): Promise<Set<string>> {
  const place = companyTable(registry)
  if (!place || companies.length === 0) return new Set(companies)
  const rows = await db.query<{ id: string }>(
    `SELECT lower(${place.id}) AS id FROM ${place.table} WHERE ${place.id} = ANY($1)`,
    [companies],
  )
  return new Set(rows.map(({ id }) => id))
}
