import { openHub } from '../../src/hub'
import { readConfig } from '../../src/platform/config'
import { endOnSignals, openLifecycle } from '../../src/platform/lifecycle'
import { startServer } from '../../src/serve'

/** A server process on any free port, which tells its parent the address. */
async function serve(): Promise<void> {
  const lifecycle = openLifecycle()
  endOnSignals(lifecycle)
  const hub = await openHub(readConfig(), lifecycle, 'bench server')
  const { url } = await startServer(hub, await hub.openQueues('producer'), lifecycle)
  process.send?.(url)
}

if (require.main === module) void serve()
