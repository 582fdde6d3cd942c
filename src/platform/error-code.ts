/**
 * The `code` of an error of Node or of a library ('ENOENT', '23505'); undefined when it has none.
 * Looks at the value, not at its class: errors of Node's own modules come from another realm under jest.
 */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
