/**
 * A text as Postgres can hold it: what comes from outside may have NUL characters, or halves of characters where it was
 * cut, which no text or JSON of Postgres may have.
 */
export function storable(text: string): string {
  return Buffer.from(text).toString().replaceAll('\0', '␀')
}

/** A value as JSON that Postgres can hold. */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_name, part) => (typeof part === 'string' ? storable(part) : part))
}
