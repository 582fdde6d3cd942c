import type { RecordBlock } from '../format/record-block'

/** A record by its texts; a field that it does not give is null or undefined. */
export interface RecordTexts {
  readonly number: number
  readonly line: number
  readonly values: readonly (string | null | undefined)[]
}

/** A record as a block of one record. */
export function blockOf({ number, line, values }: RecordTexts): RecordBlock {
  const starts = new Int32Array(values.length).fill(-1)
  const ends = new Int32Array(values.length).fill(-1)
  const cells: Buffer[] = []
  let at = 0
  values.forEach((value, index) => {
    if (value === null || value === undefined) return
    const cell = Buffer.from(value)
    cells.push(cell)
    starts[index] = at
    at += cell.length
    ends[index] = at
  })
  return {
    bytes: Buffer.concat(cells, at),
    count: 1,
    firstRecordNumber: number,
    starts,
    ends,
    lines: Float64Array.of(line),
    faults: [],
  }
}
