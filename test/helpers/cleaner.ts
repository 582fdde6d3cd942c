import { clean, daysBefore } from '../../src/execution/clean'
import { openHub } from '../../src/hub'
import { readConfig } from '../../src/platform/config'
import { openLifecycle } from '../../src/platform/lifecycle'

/** Cleans up as a process of its own: all that is left of messages that ended more than a day ago. */
async function main(): Promise<void> {
  const lifecycle = openLifecycle()
  const hub = await openHub(readConfig(), lifecycle, 'cleaner')
  await clean(hub, { historyBefore: daysBefore(new Date(), 1) })
  await lifecycle.shutdown('cleaned')
}

void main()
