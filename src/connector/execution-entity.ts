import type { Context } from '../execution/context'
import type { EntityReport, ExecutionReport } from '../execution/report'

/**
 * The entity of an execution that a client means by the name that its manifest gives it: one of our names, or a label in
 * another language. Undefined for one that the execution leaves out, as it does where the manifest disables it.
 * Throws  RequestRefused EA102 for a name that nobody has given to an entity.
 */
export async function entityOfExecution(
  { db, registry }: Context,
  { executionId, entities }: ExecutionReport,
  name: string,
): Promise<EntityReport | undefined> {
  const wanted = registry.find(name)?.name
  if (wanted !== undefined) return entities.find(({ entity }) => entity === wanted)
  const [labelled] = await db.query<{ workId: number }>(
    `SELECT id AS "workId" FROM entrepot.execution_entity WHERE execution_id = $1 AND lower(settings ->> 'label') = lower($2)`,
    [executionId, name.trim()],
  )
  if (!labelled) registry.get(name) // throws, with the nearest names
  return entities.find(({ workId }) => workId === labelled?.workId)
}
