import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** The version of this Entrepot, from its package.json, which is above both src/ and dist/src/. */
export function version(): string {
  for (let folder = __dirname; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json')
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')).version
  }
  return 'unknown'
}
