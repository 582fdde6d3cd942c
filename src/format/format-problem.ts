/** One thing that is wrong with the definition of a source data format. */
export interface FormatProblem {
  /** Name of the property at fault. */
  readonly property: string
  /** A sentence, or the end of one, with the value in it. */
  readonly sentence: string
}
