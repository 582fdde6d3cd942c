import { type Column, type Entity, findColumn } from '../entity'
import { inConvention } from '../format/conventions'
import type { SourceFormat } from '../format/source-format'
import type { FieldMap } from '../project/mapping'
import { columnPlan, readCell } from './column-plan'
import { type FieldReading, readingsOf } from './field-reading'

/** A canonical text as a source would write it. */
export type FieldWriting = (canonical: string) => string

/**
 * The inverse of `readingsOf`, for records that are written back into a file of the source: what is written reads back as
 * what it was, wherever the mapping and the format have a text for it. By the entity's columns.
 */
export function writingsOf(
  format: SourceFormat,
  entity: Entity,
  mapping: readonly FieldMap[] | undefined,
): readonly FieldWriting[] {
  const readings = readingsOf(format, entity, mapping)
  return entity.columns.map((column, index) => {
    const inFormat = inConvention(format, column.field) ?? ((canonical: string) => canonical)
    const map = mapping?.find(({ field }) => findColumn(entity, field) === column)
    return map === undefined ? inFormat : writingOf(column, map, readings[index], inFormat)
  })
}

function writingOf(
  column: Column,
  { conversions = [], useTextQualifier }: FieldMap,
  reading: FieldReading | undefined,
  inFormat: FieldWriting,
): FieldWriting {
  const plan = columnPlan(column, 0, null, reading)
  const converted = new Map<string, string>()
  for (const { from } of conversions) {
    const canonical = readCell(plan, from)
    if (typeof canonical === 'string' && !converted.has(canonical)) converted.set(canonical, from)
  }
  return (canonical) => {
    const plain = inFormat(canonical)
    const quoted = `"${plain.replaceAll('"', '""')}"`
    const candidates = [converted.get(canonical) ?? plain, plain, ...(useTextQualifier ? [quoted] : []), '']
    return candidates.find((text) => readCell(plan, text) === canonical) ?? plain
  }
}
