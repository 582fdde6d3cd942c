import { writeFile } from 'node:fs/promises'
import { type Column, type CompositeEntity, type Entity, inferEntity } from '../entity'
import { RequestRefused } from '../errors'
import { registry } from '../hub'
import { exitCodes } from './failure'
import { fileTrouble } from './open-file'
import { readSample } from './sample'
import { paint, print, printJson, table, tell } from './terminal'

/** Lists the entities in the order in which their records depend on each other, then the composites of them. */
export async function listEntities({ json }: { json?: boolean }): Promise<number> {
  if (json) printJson([...registry.all.map(described), ...registry.composites.map(describedComposite)])
  else {
    print(
      table(registry.all, [
        { title: 'Label', text: ({ label }) => label, style: () => 'bold' },
        { title: 'Name', text: ({ name }) => name },
        { title: 'Collection', text: ({ publicCollectionName }) => publicCollectionName },
        { title: 'Category', text: ({ category }) => category },
        { title: 'Company', text: ({ companySpecific }) => (companySpecific ? 'each' : 'shared') },
        { title: 'Fields', isNumber: true, text: ({ columns }) => String(columns.length) },
        { title: 'Key', text: ({ key }) => key.join(', ') },
      ]),
    )
    print('')
    print(
      table(registry.composites, [
        { title: 'Composite', text: ({ label }) => label, style: () => 'bold' },
        { title: 'Name', text: ({ name }) => name },
        { title: 'Its entities', text: ({ members }) => members.map(({ entity }) => entity.label).join(', ') },
      ]),
    )
  }
  return exitCodes.good
}

/** Shows the fields and relations of an entity. Throws RequestRefused EA102 naming the nearest known one. */
export async function showEntity(name: string, { json }: { json?: boolean }): Promise<number> {
  const entity = registry.get(name)
  if (json) {
    printJson(described(entity))
    return exitCodes.good
  }
  print(`${paint('bold', entity.label)}  ${entity.name}, ${entity.publicCollectionName}`)
  print(
    paint(
      'dim',
      `${entity.category}, ${entity.companySpecific ? 'each company has its own' : 'shared by all companies'}\n`,
    ),
  )
  print(
    table(entity.columns, [
      { title: 'Field', text: ({ name: field }) => field, style: ({ isKey }) => (isKey ? 'bold' : undefined) },
      { title: 'Type', text: typeText },
      { title: 'Must', text: ({ isKey, field }) => (isKey ? 'key' : field.mandatory ? 'mandatory' : '') },
      { title: 'Default', text: ({ field }) => field.default ?? '' },
      { title: 'Relates to', text: ({ name: field }) => relationText(entity, field) },
    ]),
  )
  return exitCodes.good
}

function described({
  columns,
  relations: _relations,
  validateRecord: _rule,
  fields: _fields,
  ...entity
}: Entity): object {
  return { ...entity, fields: columns.map(({ name, isKey, field }) => ({ name, isKey, ...field })) }
}

function describedComposite({ members, ...composite }: CompositeEntity): object {
  return { ...composite, members: members.map(({ entity, relation }) => ({ entity: entity.name, relation })) }
}

function typeText({ field }: Column): string {
  if (field.type === 'string') return `string(${field.maxLength})`
  if (field.type === 'decimal') return `decimal(${field.precision}, ${field.scale})`
  return field.enumeration ? `${field.enumeration.name}: ${field.enumeration.members.join(', ')}` : field.type
}

function relationText(entity: Entity, field: string): string {
  return Object.values(entity.relations)
    .filter(({ fields }) => field in fields)
    .map(({ to }) => (to === 'self' ? entity.label : to().label))
    .join(', ')
}

/** How an entity is to be inferred. */
export interface InferOptions {
  readonly format?: string
  readonly out?: string
}

/** Writes the declaration of an entity that the records of a file show; what was guessed is told beside it. */
export async function inferFromFile(file: string, { format, out }: InferOptions): Promise<number> {
  const { source, exportName, fileName, notes } = inferEntity(await readSample(file, format))
  if (out === undefined) process.stdout.write(source)
  else await write(out, source)
  for (const note of notes) tell(`${paint('dim', 'note', process.stderr)}  ${note}`)
  const place = out ?? `entities/${fileName}`
  tell(
    `\nNext: ${out === undefined ? `save it as ${place}` : `read ${place} over`}, and add ${exportName} to entities/index.ts`,
  )
  return exitCodes.good
}

/** Never over a file that is there: someone may have corrected it. */
async function write(out: string, source: string): Promise<void> {
  try {
    await writeFile(out, source, { flag: 'wx' })
  } catch (error) {
    throw new RequestRefused(400, 'EA113', `The file ${out} cannot be written: ${fileTrouble(error)}`)
  }
}
