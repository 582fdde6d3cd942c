import type { ExecutionReport, MessageReport } from '../execution/report'
import type { Hub } from '../hub'
import { quoted } from './quoted'

/**
 * How the records in error are corrected: the command that writes them as a file, and the one that takes the file in again.
 * An execution of several entities has a file for each of them; the first one in error is shown.
 */
export function correctionLine(
  { registry }: Pick<Hub, 'registry'>,
  { company }: Pick<MessageReport, 'company'>,
  { executionId, project, entities }: Pick<ExecutionReport, 'executionId' | 'project' | 'entities'>,
): string {
  const inError = entities.filter(({ records }) => records.error > 0)
  const entity = inError[0] && registry.labelOf(inError[0].entity)
  const ofEntity = entity === undefined || entities.length < 2 ? '' : ` --entity ${quoted(entity)}`
  const write = `entrepot errors ${executionId}${ofEntity} --csv > errors.csv`
  const ofCompany = company ? ` --company ${quoted(company)}` : ''
  // The file has the columns of the source, which only the mapping of the project understands.
  const again =
    project === null
      ? `entrepot import errors.csv${entity === undefined ? '' : ` --entity ${quoted(entity)}`}${ofCompany}`
      : `entrepot project run ${quoted(project)} ${quoted(`${entity ?? 'ENTITY'}=errors.csv`)}${ofCompany}`
  const others =
    inError.length > 1 ? `\n                     and so for ${inError.length - 1} more of its entities` : ''
  return `  To correct them    ${write}\n                     ${again}${others}`
}
