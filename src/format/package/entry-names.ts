import path from 'node:path'
import { manifestFileName } from './manifest'
import { headerFileName } from './package-header'
import { twinKey } from './zip-names'

/** What no entry may have, or what makes a name read other than it is. */
const unfit = /[<>:"/\\|?*\p{C}\u200e\u200f\ufffd]/gu

/** Devices of Windows, and names that Windows takes for them. */
const device = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)/i

/** Leaves room for a number below the longest name that an entry may have. */
const maxStemBytes = 150
const maxExtensionBytes = 50

/**
 * Names for files of any names and folders in one package: each as it is where it can be, else without what no entry may
 * have, and with a number where another has it or the package itself needs it.
 */
export function entryNames(files: readonly string[]): string[] {
  const taken = new Set([manifestFileName, headerFileName].map(twinKey))
  return files.map((file) => {
    const { name: stem, ext } = path.parse(fitName(path.basename(file)))
    const start = cut(stem, maxStemBytes)
    const end = cut(ext, maxExtensionBytes)
    let name = `${start}${end}`
    for (let number = 2; taken.has(twinKey(name)); number++) name = `${start}-${number}${end}`
    taken.add(twinKey(name))
    return name
  })
}

function fitName(name: string): string {
  const fit = name
    .replace(unfit, '_')
    .trim()
    .replace(/[. ]+$/, '')
    .replace(device, '$&_')
  return fit === '' ? 'file' : fit
}

/** The beginning of a text, of so many bytes at most: no character is cut in two, and none that no name ends in is last. */
function cut(text: string, maxBytes: number): string {
  let size = 0
  let end = 0
  for (const character of text) {
    size += Buffer.byteLength(character)
    if (size > maxBytes) return text.slice(0, end).replace(/[. ]+$/, '')
    end += character.length
  }
  return text
}
