/** Whether a text is a GUID as we write it: 8-4-4-4-12 hexadecimal digits, without braces, in any letter case. */
export function isGuid(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
}
