import { RequestRefused } from '../errors'
import type { ExecutionMode } from '../execution/mode'

/** Switches of commands that run an execution. */
export interface ModeOptions {
  readonly stageOnly?: boolean
  readonly dryRun?: boolean
}

/** The options of such a command. */
export const modeOptions = [
  ['--stage-only', 'goes no further than the staging tables: see entrepot staged and entrepot promote'],
  ['--dry-run', 'writes nothing: says how many records would be inserted, updated, unchanged and in error'],
] as const

/** What the switches say. Throws RequestRefused EA109 (400) for both. */
export function modeOf({ stageOnly, dryRun }: ModeOptions): ExecutionMode {
  if (stageOnly && dryRun) throw new RequestRefused(400, 'EA109', 'Either --stage-only or --dry-run, not both')
  return dryRun ? 'validate' : stageOnly ? 'stage' : 'import'
}
