import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const program = path.join(__dirname, '../../dist/src/cli.js')

/** What a run of the program left behind. */
export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A folder of its own to run the program in, with files to import. */
export interface CliPlace {
  readonly folder: string
  /** Writes a file of lines, and gives its path. */
  file(name: string, ...lines: string[]): string
  /** Runs the program as a person would, in this folder, and waits for its end. `stdin` is what it is fed. */
  run(args: readonly string[], stdin?: string): Promise<CliResult>
  /** As `run` with --json: what it printed, which must be one JSON value. */
  json(args: readonly string[]): Promise<{ code: number | null; value: never }>
  /** Starts the program and leaves it running. */
  start(args: readonly string[], env?: NodeJS.ProcessEnv): ChildProcess
  remove(): void
}

/** The environment is what is given here and nothing else of ours: settings of the machine would change what is tested. */
export function cliPlace(env: NodeJS.ProcessEnv): CliPlace {
  if (!existsSync(program)) throw new Error(`${program} is not there: npm run build`)
  const folder = mkdtempSync(path.join(tmpdir(), 'entrepot-cli-'))
  const start = (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
    spawn(process.execPath, [program, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env, ...more },
    })
  const run = (args: readonly string[], stdin = '') => ended(start(args), stdin)
  return {
    folder,
    start,
    run,
    file(name, ...lines) {
      const file = path.join(folder, name)
      mkdirSync(path.dirname(file), { recursive: true })
      writeFileSync(file, `${lines.join('\n')}\n`)
      return file
    },
    async json(args) {
      const { code, stdout, stderr } = await run([...args, '--json'])
      if (stdout === '') throw new Error(`No JSON was printed: ${stderr}`)
      return { code, value: JSON.parse(stdout) as never } // the test says what it expects
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function ended(child: ChildProcess, stdin: string): Promise<CliResult> {
  const output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (piece) => {
    output.stdout += piece
  })
  child.stderr?.on('data', (piece) => {
    output.stderr += piece
  })
  child.stdin?.end(stdin)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, ...output }))
  })
}
