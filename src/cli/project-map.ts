import type { Entity } from '../entity'
import { RequestRefused } from '../errors'
import type { Hub } from '../hub'
import { checkedLine } from '../project/checked-line'
import { getProject, setProjectEntity } from '../project/data-project'
import { type FieldMap, generateMapping, mappingFaults } from '../project/mapping'
import { exitCodes } from './failure'
import { readDefinition } from './map-definition'
import { readSample } from './sample'
import { withHub } from './session'
import { paint, print, printJson, table, tell } from './terminal'

/** What is to be done with a mapping; without any of these it is shown and checked. */
export interface MapOptions {
  /** Makes the mapping from the header of this file. */
  readonly fromFile?: string
  readonly format?: string
  /** Takes the mapping from this file of JSON. */
  readonly definition?: string
  readonly map?: readonly string[]
  readonly default?: readonly string[]
  readonly convert?: readonly string[]
  readonly number?: readonly string[]
  readonly ignoreBlank?: readonly string[]
  readonly textQualifier?: readonly string[]
  readonly unmap?: readonly string[]
  /** Back to mapping by name. */
  readonly clear?: boolean
  readonly json?: boolean
}

/**
 * Shows, checks, makes and changes the mapping of an entity of a project.
 * Returns  exit code 1 when the mapping that is shown is wrong.
 */
export function mapEntity(projectName: string, entityName: string, options: MapOptions): Promise<number> {
  return withHub('project', async (hub) => {
    const entity = hub.registry.get(entityName)
    const project = await getProject(hub.db, projectName)
    const line = project.entities.find((each) => each.entity === entity.name)
    if (!line) throw new RequestRefused(404, 'EA105', `The project ${project.name} has no entity ${entity.label}`)
    const changed = await changedMapping(entity, line.mapping, options)
    const mapping = changed === undefined ? line.mapping : changed
    if (changed !== undefined) {
      await setProjectEntity(hub.db, project.name, checkedLine(hub.registry, entity.name, { mapping: changed }))
    }
    return show(hub, entity, mapping, options.json)
  })
}

/** The mapping as the options make it; undefined where they change nothing. */
async function changedMapping(
  entity: Entity,
  current: readonly FieldMap[] | null,
  options: MapOptions,
): Promise<readonly FieldMap[] | null | undefined> {
  if (options.clear) return null
  let mapping = current
  if (options.definition !== undefined) mapping = await readDefinition(options.definition)
  if (options.fromFile !== undefined) {
    const { columns } = await readSample(options.fromFile, options.format)
    const generated = generateMapping(entity, columns)
    if (generated.unmapped.length > 0) {
      tell(
        `No field was found for the columns ${generated.unmapped.map((name) => `'${name}'`).join(', ')}: map them with --map COLUMN=FIELD`,
      )
    }
    mapping = generated.mapping
  }
  const edits = [
    ...pairs(options.map, 'COLUMN=FIELD').map(([source, field]) => edit(entity, field, { source, isOptional: false })),
    ...pairs(options.default, 'FIELD=VALUE').map(([field, defaultValue]) => edit(entity, field, { defaultValue })),
    ...pairs(options.convert, 'FIELD:FROM=TO').map(([place, to]) => conversion(entity, place, to)),
    ...pairs(options.number, 'FIELD=SEQUENCE').map(([field, numberSequence]) =>
      edit(entity, field, { numberSequence }),
    ),
    ...(options.ignoreBlank ?? []).map((field) => edit(entity, field, { ignoreBlankValues: true })),
    ...(options.textQualifier ?? []).map((field) => edit(entity, field, { useTextQualifier: true })),
    ...(options.unmap ?? []).map((field) => removal(entity, field)),
  ]
  if (edits.length === 0) return mapping === current ? undefined : mapping
  // What is not edited goes on by name, as before.
  const start = mapping ?? entity.columns.map(({ name }) => ({ field: name, source: name, isOptional: true }))
  return edits.reduce((maps, change) => change(maps), start)
}

type Edit = (maps: readonly FieldMap[]) => readonly FieldMap[]

function edit(entity: Entity, field: string, change: Partial<FieldMap>): Edit {
  return editWith(entity, field, (map) => ({ ...map, ...change }))
}

function conversion(entity: Entity, place: string, to: string): Edit {
  const at = place.indexOf(':')
  if (at <= 0) throw new RequestRefused(400, 'EA109', `'${place}=${to}' is not of the form FIELD:FROM=TO`)
  const [field, from] = [place.slice(0, at), place.slice(at + 1)]
  return editWith(entity, field, (map) => ({
    ...map,
    conversions: [
      ...(map.conversions ?? []).filter((other) => other.from.toLowerCase() !== from.toLowerCase()),
      { from, to },
    ],
  }))
}

function editWith(entity: Entity, field: string, change: (map: FieldMap) => FieldMap): Edit {
  const { name } = columnNamed(entity, field)
  return (maps) => {
    const known = maps.find((map) => map.field === name)
    if (known) return maps.map((map) => (map === known ? change(map) : map))
    return [...maps, change({ field: name, source: null })]
  }
}

function removal(entity: Entity, field: string): Edit {
  const { name } = columnNamed(entity, field)
  return (maps) => maps.filter((map) => map.field !== name)
}

function columnNamed(entity: Entity, field: string) {
  const column = entity.columns.find(({ name }) => name.toLowerCase() === field.toLowerCase())
  if (column) return column
  throw new RequestRefused(400, 'EF112', `${entity.label} has no field ${field}`, { entity: entity.name, field })
}

function pairs(texts: readonly string[] = [], form: string): [string, string][] {
  return texts.map((text) => {
    const at = text.indexOf('=')
    if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
    throw new RequestRefused(400, 'EA109', `'${text}' is not of the form ${form}`)
  })
}

function show(_hub: Hub, entity: Entity, mapping: readonly FieldMap[] | null, json = false): number {
  const faults = mapping === null ? [] : mappingFaults(entity, mapping)
  if (json) printJson({ entity: entity.name, mapping, faults })
  else if (mapping === null)
    print(`${entity.label} is mapped by name: each column goes to the field of its name or label`)
  else {
    print(
      table(mapping, [
        { title: 'Source', text: ({ source }) => source ?? '' },
        { title: 'Field', text: ({ field }) => field, style: () => 'bold' },
        { title: 'Must', text: ({ field }) => needOf(entity, field) },
        { title: 'Default', text: ({ defaultValue }) => defaultValue ?? '' },
        { title: 'Number sequence', text: ({ numberSequence }) => numberSequence ?? '' },
        {
          title: 'Conversions',
          text: ({ conversions = [] }) => conversions.map(({ from, to }) => `${from}→${to}`).join(', '),
        },
        { title: 'Switches', text: switchesOf },
      ]),
    )
  }
  for (const { reason } of json ? [] : faults) print(paint('red', `  ${reason}`))
  return faults.length > 0 ? exitCodes.inError : exitCodes.good
}

function needOf({ columns }: Entity, name: string): string {
  const column = columns.find((each) => each.name === name)
  if (column?.isKey) return 'key'
  return column?.field.mandatory ? 'mandatory' : ''
}

function switchesOf({ ignoreBlankValues, isOptional, useTextQualifier }: FieldMap): string {
  return [
    ...(ignoreBlankValues ? ['ignores blanks'] : []),
    ...(isOptional ? ['optional'] : []),
    ...(useTextQualifier ? ['text qualifier'] : []),
  ].join(', ')
}
