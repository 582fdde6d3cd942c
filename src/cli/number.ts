import { listNumberSequences, type NumberSequence, numberText, setNumberSequence } from '../project/number-sequence'
import { exitCodes } from './failure'
import { withHub } from './session'
import { print, printJson, table } from './terminal'

/** What the command line says of a number sequence. */
export interface NumberOptions {
  /** Needed by a new one. */
  readonly format?: string
  readonly next?: number
  /** Left out: as it is. */
  readonly gapless?: boolean
  readonly json?: boolean
}

/** Adds a number sequence, or changes the one that is there. */
export function setNumbers(name: string, { json, ...change }: NumberOptions): Promise<number> {
  return withHub('number', async ({ db }) => {
    const sequence = await setNumberSequence(db, { name, ...change })
    if (json) printJson(sequence)
    else print(sequenceTable([sequence]))
    return exitCodes.good
  })
}

/** Lists the number sequences. */
export function listNumbers({ json }: { json?: boolean }): Promise<number> {
  return withHub('number', async ({ db }) => {
    const sequences = await listNumberSequences(db)
    if (json) printJson(sequences)
    else if (sequences.length === 0)
      print("There are no number sequences yet. Add one with: entrepot number set NAME --format 'C-######'")
    else print(sequenceTable(sequences))
    return exitCodes.good
  })
}

function sequenceTable(sequences: readonly NumberSequence[]): string {
  return table(sequences, [
    { title: 'Name', text: ({ name }) => name, style: () => 'bold' },
    { title: 'Format', text: ({ format }) => format },
    { title: 'Next', text: ({ format, next }) => numberText(format, next) },
    { title: 'Kind', text: ({ gapless }) => (gapless ? 'gapless' : 'fast') },
  ])
}
