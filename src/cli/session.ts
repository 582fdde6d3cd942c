import { type Hub, openHub } from '../hub'
import type { Config } from '../platform/config'
import { readConfig } from '../platform/config'
import { openLifecycle } from '../platform/lifecycle'
import { logObservations } from '../platform/log'
import { openProgress } from './terminal'

/** The exit code of a program that a signal ended: 128 and the signal's number, as shells have it. */
const signalExitCodes = { SIGINT: 130, SIGTERM: 143 } as const

/**
 * Opens the hub for one command and closes it again, however the command ends. Logs only where LOG_LEVEL asks for it.
 * A signal closes the hub and ends the process: what is stored by then stays, and a worker goes on with it.
 */
export async function withHub<T>(role: string, work: (hub: Hub) => Promise<T>): Promise<T> {
  const lifecycle = openLifecycle()
  const end = (signal: keyof typeof signalExitCodes) => {
    process.once(signal, () => process.exit(signalExitCodes[signal]))
    void lifecycle.shutdown(signal).then(() => process.exit(signalExitCodes[signal]))
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
  try {
    const config = readConfig()
    if (process.env.LOG_LEVEL) logObservations(config.logLevel)
    const hub = await opening(config, () => openHub(config, lifecycle, role))
    return await work(hub)
  } finally {
    await lifecycle.shutdown('done')
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end)
  }
}

/** Starting the embedded Postgres takes a second, and some the first time: a person is told what is waited for. */
async function opening<T>({ databaseUrl, home }: Config, open: () => Promise<T>): Promise<T> {
  if (databaseUrl !== undefined || !process.stderr.isTTY) return open()
  const progress = openProgress()
  progress.show(`Starting the embedded Postgres in ${home} …`)
  try {
    return await open()
  } finally {
    progress.clear()
  }
}
