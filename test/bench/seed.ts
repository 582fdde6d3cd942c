import { openHub } from '../../src/hub'
import { answerBell, steps } from '../../src/pipeline'
import { readConfig } from '../../src/platform/config'
import { openLifecycle } from '../../src/platform/lifecycle'
import { receive } from '../../src/source/receive'
import { company } from './files'
import type { Setting } from './setting'

/** Migrates a database and imports the records that others relate to. Throws when any of them is not taken. */
export async function seedHub(
  setting: Setting,
  url: string,
  seeds: readonly { entity: string; text: string }[],
): Promise<void> {
  const lifecycle = openLifecycle()
  const hub = await openHub(readConfig(setting.environment(url)), lifecycle, 'bench seed')
  const silent = { ringAll: async () => undefined }
  try {
    for (const { entity, text } of seeds) {
      const { executionId, works } = await receive(hub, { origin: 'cli', entity, company }, once(text))
      for (const step of steps) await answerBell(hub, silent, step, String(works[0]!.id))
      const [ended] = await hub.db.query<{ state: string }>('SELECT state FROM entrepot.execution WHERE id = $1', [
        executionId,
      ])
      if (ended?.state !== 'Succeeded') throw new Error(`The records of ${entity} ended as ${ended?.state}`)
    }
  } finally {
    await lifecycle.shutdown('seeded')
  }
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
