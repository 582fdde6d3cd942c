import fc from 'fast-check'
import { MessageRejected } from '../../../src/errors'
import { bufferSource } from '../../../src/format/byte-source'
import { defaultArchiveLimits } from '../../../src/format/package/archive'
import { type DataPackage, openPackage, writePackage } from '../../../src/format/package/data-package'
import { describePackage } from '../../../src/format/package/describe-package'
import { writeManifest } from '../../../src/format/package/manifest'
import type { Manifest, ManifestEntity } from '../../../src/format/package/manifest-types'
import { dataPackageHeader, writePackageHeader } from '../../../src/format/package/package-header'
import { chunked } from '../reading'
import { whole } from './archives'
import { manifestEntity, mapped } from './manifests'
import { type RawEntry, rawZip } from './raw-zip'

const manifestOf = (...entities: ManifestEntity[]): Manifest => ({
  definitionGroupName: 'Colours in',
  description: 'Colours of the house',
  entities,
})

const open = (bytes: Buffer): Promise<DataPackage> => openPackage(bufferSource(bytes), defaultArchiveLimits)

/** A package of a manifest with these entities, and of these files. */
function zipOf(entities: ManifestEntity[], files: string[], more: RawEntry[] = []): Buffer {
  return rawZip([
    { name: 'Manifest.xml', content: writeManifest(manifestOf(...entities)) },
    { name: 'PackageHeader.xml', content: writePackageHeader(dataPackageHeader('Colours in')) },
    ...files.map((name) => ({ name, flags: 0x800 })),
    ...more,
  ])
}

async function refusal(bytes: Buffer): Promise<{ code: string; message: string }> {
  const error = await open(bytes).then(
    () => new Error('was opened'),
    (reason: unknown) => reason,
  )
  if (error instanceof MessageRejected) return { code: error.code, message: error.message }
  throw error
}

const colours = manifestEntity('Colours')
const shades = manifestEntity('Shades')

describe('a data package', () => {
  it('is read back as it was written, files in the order of the manifest', async () => {
    const manifest = manifestOf(shades, colours)
    const header = dataPackageHeader('Colours in')
    const write = () =>
      whole(writePackage({ header, manifest, open: ({ entityName }) => chunked(`Id\r\n${entityName}\r\n`, 3) }))
    const bytes = await write()
    const read = await open(bytes)
    expect(read).toMatchObject({ header, manifest, notices: [] })
    expect(read.files.map(({ entity, entry }) => [entity.entityName, entry.name])).toEqual([
      ['Shades', 'Shades.csv'],
      ['Colours', 'Colours.csv'],
    ])
    for (const file of read.files) {
      expect(String(await whole(read.open(file)))).toBe(`Id\r\n${file.entity.entityName}\r\n`)
    }
    expect((await write()).equals(bytes)).toBe(true)
  })

  it.each([
    ['by its exact name', 'Colours.csv', ['colours (2).csv', 'Colours.csv'], 'Colours.csv'],
    ['in another letter case', 'Colours.CSV', ['colours.csv'], 'colours.csv'],
    [
      'without what no file name may have',
      'Colours: light/dark?.csv',
      ['Colours lightdark.csv'],
      'Colours lightdark.csv',
    ],
    ['in another composition', 'Größe.csv', ['Gro\u0308ße.csv'], 'Gro\u0308ße.csv'],
    ['in a folder', 'data/Colours.csv', ['data/Colours.csv'], 'data/Colours.csv'],
  ])('finds the file of an entity %s', async (_, inputFilePath, files, name) => {
    const { files: found } = await open(zipOf([{ ...colours, inputFilePath }], files))
    expect(found.map(({ entry }) => entry.name)).toEqual([name])
  })

  it('finds manifest and header in any letter case', async () => {
    const bytes = rawZip([
      { name: 'MANIFEST.XML', content: writeManifest(manifestOf(colours)) },
      { name: 'packageheader.xml', content: writePackageHeader(dataPackageHeader('Colours in')) },
      { name: 'Colours.csv' },
    ])
    expect(await open(bytes)).toMatchObject({ header: { packageVersion: 2 }, notices: [] })
  })

  it('does without a header, and tells of it and of files that nobody named', async () => {
    const content = writeManifest(manifestOf(colours)).toString().replace('<Description>', '<Shade>x</Shade>$&')
    const extra = Array.from({ length: 12 }, (_, index) => ({ name: `extra ${index}.txt` }))
    const bytes = rawZip([{ name: 'Manifest.xml', content }, { name: 'Colours.csv' }, ...extra])
    const { header, notices } = await open(bytes)
    expect(header).toBeUndefined()
    expect(notices).toEqual([
      'The package has no PackageHeader.xml.',
      "Manifest.xml: the element 'Shade' is not known and was left out.",
      expect.stringMatching(/^The manifest does not name 'extra 0.txt', .* and 2 more\.$/),
    ])
  })

  it('lets a disabled entity be without its file', async () => {
    const { files, manifest } = await open(zipOf([{ ...shades, disable: true }, colours], ['Colours.csv']))
    expect(files.map(({ entity }) => entity.entityName)).toEqual(['Colours'])
    expect(manifest.entities).toHaveLength(2)
  })

  it.each<[string, string, Buffer]>([
    ['EF301', 'no zip file', Buffer.from('Id,Name\r\n')],
    ['EF303', "'manifest.xml' and 'Manifest.xml' are the same name", zipOf([colours], ['Colours.csv', 'manifest.xml'])],
    ['EF306', "'data.zip' is a zip", zipOf([colours], ['Colours.csv', 'data.zip'])],
    ['EF301', 'The zip file holds no file', Buffer.from(`PK\x05\x06${'\0'.repeat(18)}`, 'latin1')],
    [
      'EF306',
      'The file is an Excel workbook, which is not read',
      rawZip([{ name: '[Content_Types].xml' }, { name: 'xl/workbook.xml' }]),
    ],
    ['EF311', 'The package has no Manifest.xml in its root.', rawZip([{ name: 'Colours.csv' }])],
    ['EF311', "'x/Manifest.xml' stands in a folder", rawZip([{ name: 'x/Manifest.xml' }])],
    ['EF201', 'Manifest.xml: The XML is not well-formed', rawZip([{ name: 'Manifest.xml' }])],
    ['EF313', 'Template', rawZip([{ name: 'Manifest.xml', content: '<DataManagementTemplatePackageManifest/>' }])],
    ['EF318', 'lists no entity', zipOf([], ['Colours.csv'])],
    ['EF317', "the entity 'colours' twice", zipOf([colours, manifestEntity('colours')], ['Colours.csv'])],
    [
      'EF316',
      "'Colours' and 'Shades' both name the file 'Colours.csv'",
      zipOf([colours, { ...shades, inputFilePath: 'colours.csv' }], ['Colours.csv', 'Shades.csv']),
    ],
    [
      'EF315',
      "for the entity 'Shades' the file 'Shades.csv', which is not in the zip. Is 'Shade.csv' meant? There are: 'Colours.csv', 'Shade.csv'.",
      zipOf([colours, shades], ['Colours.csv', 'Shade.csv']),
    ],
    ['EF315', "the file 'Shades.csv', which is not in the zip. There are: 'x.txt'.", zipOf([shades], ['x.txt'])],
    ['EF315', 'The zip has no data file.', zipOf([shades], [])],
    ['EF315', "for the entity 'Shades' no file", zipOf([{ ...shades, inputFilePath: '' }], ['Shades.csv'])],
    ['EF315', 'which is not in the zip', zipOf([{ ...shades, inputFilePath: 'a:b.csv' }], ['ab.csv', 'a?b.csv'])],
    [
      'EF315',
      "'Manifest.xml', which is not in the zip",
      zipOf([{ ...shades, inputFilePath: 'Manifest.xml' }], ['Shades.csv']),
    ],
  ])('is refused with %s: %s', async (code, reason, bytes) => {
    expect(await refusal(bytes)).toEqual({ code, message: expect.stringContaining(reason) })
  })

  it('is not written with two entities of one file', async () => {
    const manifest = manifestOf(colours, { ...shades, inputFilePath: 'colours.csv' })
    const written = writePackage({ header: dataPackageHeader(''), manifest, open: () => chunked('Id\r\n') })
    await expect(whole(written)).rejects.toThrow("'colours.csv' is no name for a file of a package")
  })

  it('is refused or read to its end, but nothing else, whatever becomes of its bytes', async () => {
    const good = await whole(
      writePackage({
        header: dataPackageHeader('Colours in'),
        manifest: manifestOf(colours, shades),
        open: ({ entityName }) => chunked(`Id,Name\r\n${`${entityName},x\r\n`.repeat(20)}`),
      }),
    )
    const stored = zipOf([colours], [], [{ name: 'Colours.csv', method: 0 }])
    const edits = fc.array(
      fc.oneof(
        fc.record({ at: fc.nat(), byte: fc.nat(255) }),
        fc.record({ at: fc.nat(), cut: fc.nat(30) }),
        fc.record({ at: fc.nat(), put: fc.uint8Array({ maxLength: 30 }) }),
        // Records stand at the end, where few of the bytes are.
        fc.record({ fromEnd: fc.integer({ min: 1, max: 400 }), byte: fc.constantFrom(0, 1, 4, 80, 127, 255) }),
      ),
      { minLength: 1, maxLength: 3 },
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(good, stored), edits, async (start, changes) => {
        let bytes: Buffer = start
        for (const change of changes) bytes = changed(bytes, change)
        await readToEnd(bytes).catch((error: unknown) => expect(error).toBeInstanceOf(MessageRejected))
      }),
      { numRuns: 1_500 },
    )
  })

  it('is refused, wherever it is cut off', async () => {
    const bytes = zipOf([colours], ['Colours.csv'])
    for (let length = 0; length < bytes.length; length++) {
      await expect(readToEnd(bytes.subarray(0, length))).rejects.toBeInstanceOf(MessageRejected)
    }
  })
})

async function readToEnd(bytes: Buffer): Promise<void> {
  const read = await open(bytes)
  for (const file of read.files) await whole(read.open(file))
}

interface Change {
  readonly at?: number
  readonly fromEnd?: number
  readonly byte?: number
  readonly cut?: number
  readonly put?: Uint8Array
}

function changed(bytes: Buffer, { at = 0, fromEnd, byte, cut = 0, put = Buffer.alloc(0) }: Change): Buffer {
  const from = fromEnd === undefined ? at % Math.max(bytes.length, 1) : Math.max(0, bytes.length - fromEnd)
  if (byte === undefined) return Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + cut)])
  return Buffer.concat([bytes.subarray(0, from), Buffer.from([byte]), bytes.subarray(from + 1)])
}

describe('describePackage', () => {
  it('tells what is in a package', async () => {
    const entities = [
      { ...colours, targetEntity: 'ColourEntity', sequenceInLevel: 2, entityMapList: [mapped('A'), mapped('B')] },
      { ...shades, disable: true, skipStaging: true, levelInExecutionUnit: 2, runBusinessLogic: false },
    ]
    const described = describePackage(await open(zipOf(entities, ['colours.csv', 'x.txt'])))
    const switches = {
      disable: false,
      skipStaging: false,
      runBusinessLogic: true,
      runBusinessValidation: true,
      failLevelOnError: false,
      failExecutionUnitOnError: false,
    }
    expect(described).toEqual({
      name: 'Colours in',
      description: 'Colours of the house',
      version: 2,
      entities: [
        {
          label: 'Colours',
          targetEntity: 'ColourEntity',
          file: 'colours.csv',
          bytes: 14,
          format: 'CSV-Unicode',
          order: { executionUnit: 1, level: 1, sequence: 2 },
          switches,
          mappedFields: 2,
          transforms: 0,
        },
        {
          label: 'Shades',
          targetEntity: null,
          file: null,
          bytes: 0,
          format: 'CSV-Unicode',
          order: { executionUnit: 1, level: 2, sequence: 1 },
          switches: { ...switches, disable: true, skipStaging: true, runBusinessLogic: false },
          mappedFields: null,
          transforms: 0,
        },
      ],
      notices: ["The manifest does not name 'x.txt'."],
    })
    expect(JSON.parse(JSON.stringify(described))).toEqual(described)
  })
})
