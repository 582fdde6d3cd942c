import { type Entity, fieldTypes } from '../entity'
import { type RecordError, shownValue } from '../execution/record-error'
import { type RecordBlock, textAt } from '../format/record-block'
import { type ColumnPlan, readCell } from './column-plan'

/**
 * What the entity's own rule, which it must have, says of a record whose fields are all right.
 * Input   the record's index in the block; `width`: number of the source's columns.
 */
export function ruleErrors(
  { validateRecord }: Entity,
  plans: readonly ColumnPlan[],
  block: RecordBlock,
  width: number,
  r: number,
): RecordError[] {
  const row: Record<string, unknown> = {}
  for (const plan of plans) {
    const { name, field } = plan.column
    const text = textAt(block, width, r, plan.source)
    const canonical = (text === undefined ? undefined : readCell(plan, text)) ?? plan.emptyText
    row[name] = fieldTypes[field.type].value(canonical as string) // its fields have all been read
  }
  return validateRecord!(row).map(({ field, reason }) => ({
    recordNumber: block.firstRecordNumber + r,
    line: block.lines[r]!,
    code: 'ER210',
    field: field ?? null,
    value: field === undefined ? null : shownValue(String(row[field])),
    reason,
  }))
}
