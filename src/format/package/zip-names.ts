/** Longest name of an entry in bytes of UTF-8: the longest that a file can have on usual disks. */
const maxNameBytes = 255

/** Control characters, and those that turn the direction of text, so that a name reads other than it is. */
const unreadable = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u

/** Devices of Windows, with any extension; the superscript digits count as digits there. */
const deviceName = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i

/** What Windows allows in no file name. */
const illegal = /[<>:"/\\|?*\p{Cc}]/gu

/**
 * Why no entry may have this name, as the end of a sentence; undefined for a name that is fit.
 * Nothing is ever written to a disk by such a name; a name that is made to mislead shows that the archive is, too.
 */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'is empty'
  if (Buffer.byteLength(name) > maxNameBytes) return `is longer than ${maxNameBytes} bytes`
  if (name.includes('\ufffd')) return 'is not valid in its encoding'
  if (unreadable.test(name)) return 'has a control character'
  if (name.includes('\\')) return 'has a backslash'
  if (name.startsWith('/')) return 'is absolute'
  if (/^[a-z]:/i.test(name)) return 'begins with a drive letter'
  const parts = name.replace(/\/$/, '').split('/')
  if (parts.includes('..')) return 'leaves the package with ..'
  if (parts.includes('') || parts.includes('.')) return 'has an empty part'
  if (parts.some((part) => deviceName.test(part))) return 'is the name of a device of Windows'
  if (parts.some((part) => /[. ]$/.test(part))) return 'has a part that ends in a dot or a space'
  return undefined
}

/** Equal for names that some file system takes for the same: letter case and Unicode composition make no difference. */
export function twinKey(name: string): string {
  return name.normalize('NFC').toLowerCase().normalize('NFC')
}

/** A name as Dynamics 365 makes it a file name: without the characters that no file name may have. */
export function withoutIllegalCharacters(name: string): string {
  return name.replace(illegal, '')
}

/** A name in quotes for a message: cut to a length, with what cannot be seen as an escape. */
export function shownName(name: string): string {
  return `'${name.slice(0, 100).replace(/\p{C}/gu, escaped)}'`
}

function escaped(character: string): string {
  return `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`
}
