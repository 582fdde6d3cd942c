/** A closed list of names; the first is the empty value (Dynamics 365: the member with value 0). */
export interface Enumeration {
  readonly name: string
  /** In order of their values, from 0. */
  readonly members: readonly string[]
}

/** Declares an enumeration; the order of its members is their numbering. */
export function defineEnumeration<const Members extends readonly [string, ...string[]]>(
  name: string,
  members: Members,
): { readonly name: string; readonly members: Members } {
  return { name, members }
}
