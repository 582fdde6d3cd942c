import { randomUUID } from 'node:crypto'
import { addActivity } from '../../src/project/activity'
import { type LineChange, setProjectEntity } from '../../src/project/data-project'
import type { TestHub } from './test-hub'

/** Adds an activity whose project takes one entity with these settings. Returns its id. */
export async function channel(
  { hub: { db } }: TestHub,
  entity: string,
  line: Partial<LineChange>,
  more: { strict?: boolean; company?: string } = {},
): Promise<string> {
  const name = randomUUID()
  const { id } = await addActivity(db, { name, entities: [{ entity, sourceFormat: null }], ...more })
  await setProjectEntity(db, name, { entity, ...line })
  return id
}
