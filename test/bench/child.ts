import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** How a child process went. */
export interface ChildRun {
  readonly stdout: string
  /** From before its start to after its exit. */
  readonly ms: number
  /** The most memory it held at once (resident), where the system tells (Linux). */
  readonly peakBytes: number | undefined
}

/**
 * Runs a program to its end and measures it from the outside.
 * Throws  Error with the end of what it printed when it fails.
 */
export async function runChild(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  goodCodes: readonly number[] = [0],
): Promise<ChildRun> {
  const startedAt = performance.now()
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  let peakBytes: number | undefined
  // The kernel keeps the high-water mark itself, so looking now and then is enough.
  const looking = setInterval(() => {
    peakBytes = peakOf(child.pid) ?? peakBytes
  }, 50)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).finally(() => clearInterval(looking))
  const ms = performance.now() - startedAt
  if (code === null || !goodCodes.includes(code))
    throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${stderr.slice(-2_000)}${stdout.slice(-500)}`)
  return { stdout, ms, peakBytes }
}

function peakOf(pid: number | undefined): number | undefined {
  try {
    const found = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return found ? Number(found[1]) * 1_024 : undefined
  } catch {
    return undefined
  }
}
