import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startEmbeddedPostgres } from '../../src/platform/embedded'
import { prepareBinaries, runProgram } from '../../src/platform/embedded-binaries'

/** A Postgres of one test's own, which may be restarted under those who use it. */
export interface OwnPostgres {
  readonly url: string
  /** fast: cuts all connections and shuts down in order; immediate: as a crash, recovered from at the next start. */
  restart(mode: 'fast' | 'immediate'): Promise<void>
  stop(): Promise<void>
}

/** Starts an embedded Postgres of this test's own. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const home = mkdtempSync(path.join(tmpdir(), 'entrepot-own-'))
  chmodSync(home, 0o755)
  const server = await startEmbeddedPostgres({ home, log: () => undefined })
  const { dataFolder } = JSON.parse(readFileSync(path.join(home, 'postgres.json'), 'utf8'))
  const binaries = await prepareBinaries(home, () => undefined)
  return {
    url: server.url,
    async restart(mode) {
      const log = `--log=${path.join(dataFolder, 'server.log')}`
      await runProgram(
        binaries,
        'pg_ctl',
        ['restart', `--pgdata=${dataFolder}`, `--mode=${mode}`, log, '--wait', '--silent'],
        60_000,
      )
    },
    async stop() {
      await server.stop()
      rmSync(home, { recursive: true, force: true })
    },
  }
}
