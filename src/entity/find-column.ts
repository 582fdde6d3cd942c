import type { Column, Entity } from './define-entity'

/**
 * The column that a header of a source names: by its name, else by its label, without regard to letter case, spaces,
 * hyphens and underscores. Undefined when there is none.
 */
export function findColumn(entity: Entity, headerName: string): Column | undefined {
  let columns = columnsByName.get(entity)
  if (!columns) {
    columns = byPlainName(entity)
    columnsByName.set(entity, columns)
  }
  return columns.get(plainName(headerName))
}

/** Headers are read with every message, entities never change. */
const columnsByName = new WeakMap<Entity, Map<string, Column>>()

function byPlainName(entity: Entity): Map<string, Column> {
  const columns = new Map(entity.columns.map((column) => [plainName(column.name), column]))
  for (const column of entity.columns) {
    const { label } = column.field
    if (label !== undefined && !columns.has(plainName(label))) columns.set(plainName(label), column)
  }
  return columns
}

/** A name as it is compared: without regard to letter case, spaces, hyphens and underscores. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[\s_-]+/g, '')
}
