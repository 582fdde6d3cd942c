import { type CompositeEntity, type Entity, type EntityRegistry, type FieldTypeName, findColumn } from '../entity'
import { RequestRefused } from '../errors'
import type { EntityFieldConversion, EntityMap, Manifest, ManifestEntity } from '../format/package/manifest-types'
import {
  type DataProject,
  defaultLine,
  type ProjectCategory,
  type ProjectEntity,
  projectCategories,
} from '../project/data-project'
import { type FieldMap, mappingFaults } from '../project/mapping'

/** A package's manifest in the words of data projects. */
export interface PackageProject extends Pick<DataProject, 'name' | 'description'> {
  readonly category: ProjectCategory
  readonly lines: readonly ProjectEntity[]
  /** What is left out or done otherwise, for the log of the execution. */
  readonly notices: readonly string[]
}

/**
 * Reads a manifest as a data project of this hub's entities.
 * Throws  RequestRefused 400: EA102 an entity that is not known, with the nearest names; EF112 a mapping that is wrong, with
 *         all that is wrong; EF317 the same entity twice by different names.
 */
export function projectOfManifest(manifest: Manifest, registry: EntityRegistry): PackageProject {
  const read = manifest.entities.map((each) => lineOf(each, manifest, registry))
  const lines = read.map(({ line }) => line)
  const doubled = lines.find(({ entity }, index) => lines.findIndex((other) => other.entity === entity) < index)
  if (doubled) {
    throw new RequestRefused(
      400,
      'EF317',
      `The package '${manifest.definitionGroupName}' names the entity ${doubled.entity} twice`,
      { entity: doubled.entity },
    )
  }
  const composites = lines.filter(({ entity }) => registry.findComposite(entity))
  if (composites.length > 1) {
    const names = composites.map(({ entity }) => entity).join(' and ')
    throw new RequestRefused(
      400,
      'EF319',
      `The package '${manifest.definitionGroupName}' has several composite entities, ${names}, where one may be`,
    )
  }
  return {
    name: manifest.definitionGroupName,
    description: manifest.description.slice(0, 60),
    category: projectCategories[manifest.projectCategory ?? 2] ?? 'Integration',
    lines,
    notices: read.flatMap(({ notices }) => notices),
  }
}

/**
 * What is wrong with a manifest, a sentence a line of it: `projectOfManifest` stops at the first.
 * Returns  nothing for one that this hub's entities can take.
 */
export function manifestFaults(manifest: Manifest, registry: EntityRegistry): string[] {
  const faultsOf = (entities: readonly ManifestEntity[]) => {
    try {
      projectOfManifest({ ...manifest, entities }, registry)
      return []
    } catch (error) {
      if (!(error instanceof RequestRefused)) throw error
      return [`${error.code} ${error.message}`]
    }
  }
  const ofLines = manifest.entities.flatMap((line) => faultsOf([line]))
  return ofLines.length > 0 ? ofLines : faultsOf(manifest.entities)
}

function lineOf(
  given: ManifestEntity,
  { definitionGroupName }: Manifest,
  registry: EntityRegistry,
): { line: ProjectEntity; notices: string[] } {
  const entity = entityOfManifest(given, definitionGroupName, registry)
  const notices = disagreement(given, entity, registry)
  // The documents of a composite name their fields themselves.
  const isFlat = 'fields' in entity
  const mapping = (isFlat && given.entityMapList?.flatMap((map) => fieldMapOf(entity, map) ?? [])) || null
  if (mapping === null && isFlat) notices.push(`${entity.label} has no mapping in the manifest: it is mapped by name`)
  const faults = isFlat && mapping !== null ? mappingFaults(entity, mapping) : []
  if (faults.length > 0) {
    const reasons = faults.map(({ reason }) => reason)
    throw new RequestRefused(
      400,
      'EF112',
      `The package '${definitionGroupName}' maps ${entity.label} wrongly: ${reasons.slice(0, 10).join('; ')}${reasons.length > 10 ? `; and ${reasons.length - 10} more` : ''}`,
      { entity: entity.name, field: faults[0]!.field },
    )
  }
  if (given.entityTransformList.length > 0) notices.push(`The XSLT transforms of ${entity.label} are not run`)
  const line: ProjectEntity = {
    ...defaultLine,
    entity: entity.name,
    file: given.inputFilePath,
    sourceFormat: given.sourceFormat === '' ? null : given.sourceFormat,
    executionUnit: given.executionUnit,
    levelInExecutionUnit: given.levelInExecutionUnit,
    sequenceInLevel: given.sequenceInLevel,
    failLevelOnError: given.failLevelOnError,
    failExecutionUnitOnError: given.failExecutionUnitOnError,
    runBusinessLogic: given.runBusinessLogic,
    runBusinessValidation: given.runBusinessValidation,
    disabled: given.disable ?? false,
    refreshType: given.defaultRefreshType === 'IncrementalPush' ? 'IncrementalPush' : 'FullPush',
    mapping,
  }
  return { line, notices }
}

/** A line whose label and target entity are of two entities is read by its label; that is said. */
function disagreement(
  { entityName, targetEntity = '' }: ManifestEntity,
  entity: Entity | CompositeEntity,
  registry: EntityRegistry,
): string[] {
  const target = registry.findImportable(targetEntity)
  if (!target || target.name === entity.name) return []
  return [`${entityName} is taken for ${entity.name}, though the manifest names ${target.name} as its target entity`]
}

/** The entity that a line of a manifest means: by its label first, as Dynamics 365 does, else by its name. */
function entityOfManifest(
  { entityName, targetEntity = '' }: ManifestEntity,
  packageName: string,
  registry: EntityRegistry,
): Entity | CompositeEntity {
  const found = registry.findImportable(entityName) ?? registry.findImportable(targetEntity)
  if (found) return found
  const near = registry.near(entityName)
  const hint = near.length === 0 ? '' : `; the nearest are ${near.map((label) => `'${label}'`).join(', ')}`
  throw new RequestRefused(
    400,
    'EA102',
    `Entity ${entityName} of the package '${packageName}' does not exist in the target environment${hint}`,
    { value: entityName.slice(0, 200) },
  )
}

/** A map that fills its field from nowhere is left out: packages list fields that their file does not have. */
function fieldMapOf(entity: Entity, map: EntityMap): FieldMap | undefined {
  const column = findColumn(entity, map.entityField)
  const textOf = (conversion: EntityFieldConversion, side: 'source' | 'staging') =>
    conversionValue(conversion, side, column?.field.type)
  const source = map.xmlField === '' ? null : map.xmlField
  const defaults = map.conversions.filter(({ isDefault }) => isDefault)
  const pairs = map.conversions.filter(({ isDefault }) => !isDefault)
  const defaultValue = defaults.map((each) => textOf(each, 'staging')).find((text) => text !== '')
  if (source === null && defaultValue === undefined && !map.isAutoGenerated) return undefined
  const field = column?.name ?? map.entityField
  return {
    field,
    source,
    ...(map.isAutoGenerated ? { numberSequence: `${entity.name}.${field}` } : {}),
    ...(defaultValue === undefined ? {} : { defaultValue }),
    ...(pairs.length === 0
      ? {}
      : { conversions: pairs.map((pair) => ({ from: textOf(pair, 'source'), to: textOf(pair, 'staging') })) }),
    ...(map.useTextQualifier ? { useTextQualifier: true } : {}),
  }
}

/** Which of a conversion's values is meant where its text is empty: the one of the field's type. */
const valueNames: Readonly<Record<FieldTypeName, string>> = {
  string: 'StrValue',
  int32: 'IntValue',
  int64: 'IntValue',
  enumeration: 'IntValue',
  noYes: 'IntValue',
  boolean: 'IntValue',
  decimal: 'RealValue',
  date: 'DateValue',
  dateTime: 'UtcDateTime',
  guid: 'GuidValue',
}

/** A side of a conversion as text; '' where it has no value. */
function conversionValue(
  conversion: EntityFieldConversion,
  side: 'source' | 'staging',
  type: FieldTypeName = 'string',
): string {
  const values = new Map<string, unknown>(Object.entries(conversion))
  const text = values.get(`${side}StrValue`)
  if (typeof text === 'string' && text !== '') return text
  const value = values.get(`${side}${valueNames[type]}`)
  return value === undefined || value === null ? '' : String(value)
}
