import { readFile } from 'node:fs/promises'
import { RequestRefused, textOf } from '../errors'
import type { FieldMap } from '../project/mapping'
import { unreadable } from './open-file'

const textProperties = ['field', 'source', 'defaultValue', 'numberSequence']
const flagProperties = ['isOptional', 'ignoreBlankValues', 'useTextQualifier']
const properties = [...textProperties, ...flagProperties, 'conversions']

/**
 * Reads a mapping from a file of JSON. Whether it is right for an entity is found when it is checked.
 * Throws  RequestRefused EA112 without such a file, EA109 where it is no list of field maps, with the item that is none.
 */
export async function readDefinition(file: string): Promise<readonly FieldMap[]> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw unreadable(file, error)
  })
  const value = parsed(file, text.replace(/^\uFEFF/, ''))
  if (!Array.isArray(value)) {
    throw new RequestRefused(
      400,
      'EA109',
      `The mapping in ${file} is no list of fields: see entrepot project map --json`,
    )
  }
  return value.map((item: unknown, index) => {
    const fault = faultOf(item)
    const map = item as FieldMap // as is found here
    if (fault === undefined) return { ...map, source: map.source ?? null }
    throw new RequestRefused(
      400,
      'EA109',
      `The mapping in ${file} is wrong: item ${index + 1} ${fault}: give {"field": "NAME", "source": "COLUMN"}`,
    )
  })
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new RequestRefused(400, 'EA109', `The mapping in ${file} is no JSON: ${textOf(error)}`)
  }
}

/** Why an item is no field map, as the end of a sentence. */
function faultOf(item: unknown): string | undefined {
  if (!isObject(item)) return `is ${shown(item)}, not an object`
  if (typeof item.field !== 'string') return 'has no field, which is a text'
  for (const [name, value] of Object.entries(item)) {
    if (!properties.includes(name)) return `has ${shown(name)}, where ${properties.join(', ')} may be`
    if (textProperties.includes(name) && typeof value !== 'string' && !(name === 'source' && value === null)) {
      return `has the ${name} ${shown(value)}, which is no text`
    }
    if (flagProperties.includes(name) && typeof value !== 'boolean') {
      return `has ${name} ${shown(value)}, where true or false may be`
    }
  }
  if (item.conversions === undefined || (Array.isArray(item.conversions) && item.conversions.every(isConversion))) {
    return undefined
  }
  return 'has conversions that are no list of {"from": "TEXT", "to": "TEXT"}'
}

function isConversion(value: unknown): boolean {
  return isObject(value) && typeof value.from === 'string' && typeof value.to === 'string'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 60)}'` : JSON.stringify(value).slice(0, 60)
}
