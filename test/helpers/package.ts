import { writePackage } from '../../src/format/package/data-package'
import type { ManifestEntity } from '../../src/format/package/manifest-types'
import { dataPackageHeader } from '../../src/format/package/package-header'
import { manifestEntity } from '../format/package/manifests'

/** An entity of a package for a test, and its file. */
export interface PackedEntity extends Partial<ManifestEntity> {
  readonly entityName: string
  readonly text: string
}

/** A data package of these entities, each in a CSV file named after it, in one unit and level, one after another. */
export async function packageOf(name: string, entities: readonly PackedEntity[]): Promise<Buffer> {
  const lines = entities.map((entity, index) => ({
    ...manifestEntity(entity.entityName, { sourceFormat: 'CSV-Comma', sequenceInLevel: index + 1 }),
    ...entity,
  }))
  const pieces: Buffer[] = []
  const texts = new Map(lines.map(({ inputFilePath, text }) => [inputFilePath, text]))
  const bytes = writePackage({
    header: dataPackageHeader(name),
    manifest: { definitionGroupName: name, description: name, entities: lines.map(({ text: _, ...line }) => line) },
    open: ({ inputFilePath }) => once(Buffer.from(texts.get(inputFilePath)!)),
  })
  for await (const piece of bytes) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}
