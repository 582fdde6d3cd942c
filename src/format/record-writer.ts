/** Writes the text of a file piece by piece; joined, the pieces are the file. */
export interface RecordWriter {
  /** What stands before the first record; may be ''. */
  header(): string
  /** One record, its values in column order. */
  record(values: readonly (string | null)[]): string
  /** A record as it stood in a file of the same format. */
  raw(text: string): string
  /** What stands behind the last record; may be ''. */
  footer(): string
}
