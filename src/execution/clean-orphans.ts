import type { StoredPayload } from '../payload/payload-store'
import type { CleanCounts } from '../platform/observe'
import { removePayloads } from './clean-payloads'
import type { MayGoOn, OldMessages } from './clean-scope'
import type { Context } from './context'
import { findUnreferenced } from './payload-references'

type OrphanCounts = Pick<CleanCounts, 'orphans' | 'orphanBytes'>

/** Payloads looked up by one statement. */
const batchPayloads = 500

/**
 * Removes payloads that nothing refers to and that are old: those of a receiver that was killed before it had stored its
 * message, and of a clean-up that was killed half-way. A fresh one may be on its way to its message.
 */
export function cleanOrphans(context: Context, { before }: OldMessages, mayGoOn: MayGoOn): Promise<OrphanCounts> {
  return forOrphans(context, before, (locations) => removePayloads(context, locations), mayGoOn)
}

/** How many orphans there are, and how many bytes they have. */
export function countOrphans(context: Context, { before }: OldMessages): Promise<OrphanCounts> {
  return forOrphans(context, before, (locations) => findUnreferenced(context.db, locations))
}

async function forOrphans(
  { payloads }: Context,
  before: Date,
  handle: (locations: readonly string[]) => Promise<readonly string[]>,
  mayGoOn: MayGoOn = () => true,
): Promise<OrphanCounts> {
  const counts = { orphans: 0, orphanBytes: 0 }
  for await (const batch of inBatches(payloads.list(before))) {
    if (!mayGoOn()) break
    const orphans = new Set(await handle(batch.map(({ location }) => location)))
    for (const { location, bytes } of batch) {
      if (!orphans.has(location)) continue
      counts.orphans++
      counts.orphanBytes += bytes
    }
  }
  return counts
}

async function* inBatches(stored: AsyncIterable<StoredPayload>): AsyncGenerator<StoredPayload[]> {
  let batch: StoredPayload[] = []
  for await (const payload of stored) {
    if (batch.push(payload) < batchPayloads) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
