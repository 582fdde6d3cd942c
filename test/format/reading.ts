import { EntrepotError } from '../../src/errors'
import type { LaneOptions } from '../../src/format/delimited-lane'
import type { RecordBlock, RecordSource } from '../../src/format/record-block'
import type { DelimitedFormat } from '../../src/format/source-format'

/** A record as tests like to see it: its values, or the fault in their place. */
export interface ReadRecord {
  readonly number: number
  readonly line: number
  readonly values?: readonly (string | null)[]
  readonly fault?: { readonly code: string; readonly reason: string; readonly text: string; readonly column?: string }
}

/** All that reading a file came to. */
export interface Reading {
  readonly columns: readonly string[]
  readonly records: readonly ReadRecord[]
  readonly error?: { readonly code: string; readonly message: string; readonly line?: number; readonly column?: number }
}

export const comma: DelimitedFormat = { kind: 'delimited', delimiter: ',', qualifier: '"', hasHeader: true }

/** Small blocks, so that small files have many. */
export const smallBlocks: LaneOptions = { maxRecordBytes: 100_000, blockBytes: 16, firstLine: 1 }

/** Bytes as a stream of chunks of the given sizes, over and over; copies, as a reader may not write into them. */
export async function* chunked(bytes: Buffer | string, ...sizes: number[]): AsyncGenerator<Buffer> {
  const whole = Buffer.from(bytes)
  for (let at = 0, turn = 0; at < whole.length; turn++) {
    const size = sizes[turn % sizes.length] ?? whole.length
    yield Buffer.from(whole.subarray(at, at + size))
    at += size
  }
}

/** Reads a source to its end or failure. */
export async function readAll(open: () => Promise<Pick<RecordSource, 'columns' | 'blocks'>>): Promise<Reading> {
  const records: ReadRecord[] = []
  let columns: readonly string[] = []
  try {
    const source = await open()
    columns = source.columns
    for await (const block of source.blocks) for (const record of recordsOf(block, columns.length)) records.push(record)
    return { columns, records }
  } catch (error) {
    if (!(error instanceof EntrepotError)) throw error
    const { line, column } = error.place
    const place = { ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) }
    return { columns, records, error: { code: error.code, message: error.message, ...place } }
  }
}

function recordsOf(block: RecordBlock, width: number): ReadRecord[] {
  const faults = new Map(block.faults.map(({ index, ...fault }) => [index, fault]))
  return Array.from({ length: block.count }, (_, index) => {
    const number = block.firstRecordNumber + index
    const line = block.lines[index]!
    const fault = faults.get(index)
    if (fault !== undefined) return { number, line, fault }
    const values = Array.from({ length: width }, (__, field) => {
      const at = index * width + field
      return block.starts[at] === -1 ? null : block.bytes.toString('utf8', block.starts[at], block.ends[at])
    })
    return { number, line, values }
  })
}

/** The records' values alone. */
export function valuesOf({ records }: Reading): (readonly (string | null)[] | undefined)[] {
  return records.map(({ values }) => values)
}
