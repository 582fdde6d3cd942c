import type { DataPackage } from './data-package'
import type { ManifestEntity } from './manifest-types'

/** What a person wants to know of a package; plain values that JSON can hold. */
export interface PackageDescription {
  readonly name: string
  readonly description: string
  /** Null where the package has no header. */
  readonly version: number | null
  /** In the order of the manifest. */
  readonly entities: readonly EntityDescription[]
  readonly notices: readonly string[]
}

/** An entity of a package, with its file. */
export interface EntityDescription {
  readonly label: string
  /** Null where the manifest does not say. */
  readonly targetEntity: string | null
  /** As the zip names it; null for a disabled entity that has none. */
  readonly file: string | null
  readonly bytes: number
  readonly format: string
  readonly order: { readonly executionUnit: number; readonly level: number; readonly sequence: number }
  readonly switches: {
    readonly disable: boolean
    readonly skipStaging: boolean
    readonly runBusinessLogic: boolean
    readonly runBusinessValidation: boolean
    readonly failLevelOnError: boolean
    readonly failExecutionUnitOnError: boolean
  }
  /** Null where fields are mapped by their names. */
  readonly mappedFields: number | null
  readonly transforms: number
}

/** Describes an opened package, reading nothing more of it. */
export function describePackage({ header, manifest, files, notices }: DataPackage): PackageDescription {
  const entries = new Map(files.map(({ entity, entry }) => [entity, entry]))
  return {
    name: manifest.definitionGroupName,
    description: manifest.description === '' ? (header?.description ?? '') : manifest.description,
    version: header?.packageVersion ?? null,
    entities: manifest.entities.map((entity) => describeEntity(entity, entries.get(entity))),
    notices,
  }
}

function describeEntity(
  entity: ManifestEntity,
  entry: { readonly name: string; readonly bytes: number } | undefined,
): EntityDescription {
  const { executionUnit, levelInExecutionUnit, sequenceInLevel, disable = false, skipStaging = false } = entity
  const { runBusinessLogic, runBusinessValidation, failLevelOnError, failExecutionUnitOnError } = entity
  return {
    label: entity.entityName,
    targetEntity: entity.targetEntity ?? null,
    file: entry?.name ?? null,
    bytes: entry?.bytes ?? 0,
    format: entity.sourceFormat,
    order: { executionUnit, level: levelInExecutionUnit, sequence: sequenceInLevel },
    switches: {
      disable,
      skipStaging,
      runBusinessLogic,
      runBusinessValidation,
      failLevelOnError,
      failExecutionUnitOnError,
    },
    mappedFields: entity.entityMapList?.length ?? null,
    transforms: entity.entityTransformList.length,
  }
}
