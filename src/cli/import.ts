import path from 'node:path'
import { RequestRefused } from '../errors'
import { peek } from '../format/peek'
import { isZip } from '../format/signature'
import type { Hub } from '../hub'
import { receive } from '../source/receive'
import { type ModeOptions, modeOf } from './import-mode'
import { type OpenedFile, openFile } from './open-file'
import { runAndTell } from './run-and-tell'
import { withHub } from './session'
import { openProgress, secondsSince, size } from './terminal'

/** What the command line says of an import. */
export interface ImportOptions extends ModeOptions {
  /** Left out for a data package. */
  readonly entity?: string
  readonly company?: string
  readonly format?: string
  readonly json?: boolean
}

/** Imports a file in this process; `-` is standard input. Returns the exit code. */
export async function importFile(file: string, options: ImportOptions): Promise<number> {
  const opened = await openFile(file)
  const ofEntity = options.entity === undefined ? opened : await refusingPackages(file, opened)
  return withHub('import', (hub) => importBytes(hub, file, ofEntity, options))
}

/** A package would leave --entity unheard. Throws RequestRefused EA109 (400). */
async function refusingPackages(file: string, { bytes, length }: OpenedFile): Promise<OpenedFile> {
  const peeked = await peek(bytes, 4)
  if (!isZip(peeked.head)) return { bytes: peeked.rest(), length }
  await peeked.close()
  throw new RequestRefused(
    400,
    'EA109',
    `The file ${file} is a zip file: a data package says itself what its records are, so leave --entity out; save a workbook as CSV`,
  )
}

async function importBytes(hub: Hub, file: string, opened: OpenedFile, options: ImportOptions): Promise<number> {
  const startedAt = performance.now()
  const { executionId } = await receive(
    hub,
    {
      origin: 'cli',
      mode: modeOf(options),
      ...(options.entity === undefined ? {} : { entity: options.entity }),
      ...(file === '-' ? {} : { externalId: path.basename(file) }),
      ...(options.company === undefined ? {} : { company: options.company }),
      ...(options.format === undefined ? {} : { sourceFormat: options.format }),
    },
    withProgress(opened),
  )
  return runAndTell(hub, executionId, { json: options.json, receiveSeconds: secondsSince(startedAt) })
}

/** Shows how much of the file has been kept. */
async function* withProgress({ bytes, length }: OpenedFile): AsyncGenerator<Uint8Array> {
  const progress = openProgress()
  let done = 0
  let shownAt = performance.now()
  try {
    for await (const piece of bytes) {
      yield piece
      done += piece.length
      if (secondsSince(shownAt) < 0.25) continue
      shownAt = performance.now()
      progress.show(`Receiving: ${size(done)}${length ? ` of ${size(length)}` : ''}`)
    }
  } finally {
    progress.clear()
  }
}
