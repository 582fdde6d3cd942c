import type { Setting } from './setting'
import type { ResultTable } from './table'

/** What the command line says about a bench. */
export interface BenchOptions {
  readonly records: number
  readonly runs: number
  /** Only the parts of a bench whose name contains this. */
  readonly only: string | undefined
  /** Where the measured Node processes leave a CPU profile. */
  readonly profileFolder: string | undefined
}

/** One thing that is measured, next to a floor measured in the same run. */
export interface Bench {
  readonly name: string
  readonly defaultRecords: number
  run(setting: Setting, options: BenchOptions): Promise<ResultTable>
}

/** Options of a measured Node process. */
export function profiling(profileFolder: string | undefined): string[] {
  return profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`]
}
