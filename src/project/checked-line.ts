import type { EntityRegistry } from '../entity'
import { RequestRefused } from '../errors'
import type { LineChange } from './data-project'
import { mappingFaults } from './mapping'

/**
 * A change of a project's entity as somebody says it, with the entity's own name.
 * Throws  RequestRefused EA102, EF112 (400) with all that is wrong with its mapping.
 */
export function checkedLine(registry: EntityRegistry, entity: string, change: Partial<LineChange>): LineChange {
  const found = registry.getImportable(entity)
  if (change.mapping && !('fields' in found)) {
    throw new RequestRefused(
      400,
      'EF112',
      `${found.label} is a composite, whose documents name their fields themselves`,
      {
        entity: found.name,
      },
    )
  }
  const faults = change.mapping && 'fields' in found ? mappingFaults(found, change.mapping) : []
  if (faults.length > 0) {
    const reasons = faults.map(({ reason }) => reason).join('; ')
    throw new RequestRefused(400, 'EF112', `The mapping of ${found.label} is wrong: ${reasons}`, {
      entity: found.name,
      field: faults[0]!.field,
    })
  }
  return { ...change, entity: found.name }
}
