import type { Column, Entity } from './define-entity'

/**
 * The column of an entity that a name in a file's header means: the column's name, else its label, without regard to
 * letter case or surrounding space.
 */
export function findColumn(entity: Entity, headerName: string): Column | undefined {
  const wanted = headerName.trim().toLowerCase()
  return (
    entity.columns.find(({ name }) => name.toLowerCase() === wanted) ??
    entity.columns.find(({ field }) => field.label?.toLowerCase() === wanted)
  )
}
