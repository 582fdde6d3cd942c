import { type DocumentKind, type Read, readDocument, templateRefused, writeDocument } from './package-document'
import { record, text, whole } from './package-element'

/** What `PackageHeader.xml` says of a package. */
export interface PackageHeader {
  readonly description: string
  /** The .NET type of the manifest. */
  readonly manifestType: string
  readonly packageType: string
  /** 1 in packages of 2017, 2 in newer ones. */
  readonly packageVersion: number
}

export const headerFileName = 'PackageHeader.xml'

/** The type of the manifest of a package of data; that of a template ends in `DataManagementTemplatePackageManifest`. */
const dataManifestType =
  'Microsoft.Dynamics.AX.Framework.Tools.DataManagement.Serialization.DataManagementPackageManifest'

const kind: DocumentKind<PackageHeader> = {
  fileName: headerFileName,
  root: 'DataManagementPackageHeader',
  type: record<PackageHeader>({
    description: ['Description', text],
    manifestType: ['ManifestType', text],
    packageType: ['PackageType', text],
    packageVersion: ['PackageVersion', whole(1)],
  }),
}

/** The header of a package of data as current releases write it. */
export function dataPackageHeader(description: string): PackageHeader {
  return { description, manifestType: dataManifestType, packageType: 'DefinitionGroup', packageVersion: 2 }
}

/**
 * Reads `PackageHeader.xml`.
 * Throws  MessageRejected as `readDocument` does; EF313 where the header says that the manifest is of another type.
 */
export async function readPackageHeader(bytes: AsyncIterable<Uint8Array>): Promise<Read<PackageHeader>> {
  const read = await readDocument(kind, bytes)
  const { manifestType } = read.value
  const typeName = manifestType.trim().split('.').pop()
  if (typeName !== '' && typeName !== 'DataManagementPackageManifest')
    throw templateRefused(headerFileName, manifestType)
  return read
}

/** Writes `PackageHeader.xml`; the same bytes for the same value. */
export function writePackageHeader(header: PackageHeader): Buffer {
  return writeDocument(kind, header)
}
