import { openHub } from '../../src/hub'
import { readConfig } from '../../src/platform/config'
import { endOnSignals, openLifecycle } from '../../src/platform/lifecycle'
import { startWorkers, workerRoles } from '../../src/work'

/** A worker process of all roles, which tells its parent when it is ready. */
async function work(): Promise<void> {
  const lifecycle = openLifecycle()
  endOnSignals(lifecycle)
  const hub = await openHub(readConfig(), lifecycle, 'bench worker')
  await startWorkers(hub, await hub.openQueues('worker'), lifecycle, workerRoles)
  process.send?.('ready')
}

if (require.main === module) void work()
