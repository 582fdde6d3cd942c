import type { Entity, EntityRegistry } from '../entity'
import { SetupFault } from '../errors'
import type { Work } from '../execution/work'

/** The entity of staged work. Throws SetupFault EA102 when it was taken out of the hub meanwhile. */
export function entityNamed(registry: EntityRegistry, { entity }: Pick<Work, 'entity'>): Entity {
  const found = registry.find(entity)
  if (!found)
    throw new SetupFault('EA102', `There is no entity '${entity}' any more: put it back, or cancel the execution`)
  return found
}
