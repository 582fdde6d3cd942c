import { decode } from './decode'
import { peek } from './peek'
import type { XmlFormat } from './source-format'

const declaration = /^<\?xml\s[^?>]*?\bencoding\s*=\s*["']([A-Za-z][\w.-]*)["']/

/** Longest head in which an XML declaration is looked for; the longest sensible one has about 80 bytes. */
export const declarationBytes = 1024

/**
 * The encoding that the head of an XML file names or shows; undefined where it says nothing, or where a byte
 * order mark, which comes first, will say it.
 * Source  XML 1.0, appendix F.
 */
export function declaredEncoding(head: Buffer): string | undefined {
  if (head[0] === 0x3c && head[1] === 0) return 'utf-16le'
  if (head[0] === 0 && head[1] === 0x3c) return 'utf-16be'
  return declaration.exec(head.toString('latin1'))?.[1]
}

/** Decodes by the byte order mark, else by the XML declaration, else by the format. */
export async function decodeXml(
  bytes: AsyncIterable<Uint8Array>,
  { encoding }: Pick<XmlFormat, 'encoding'>,
): Promise<AsyncIterable<Buffer>> {
  const { head, rest } = await peek(bytes, declarationBytes)
  return decode(rest(), declaredEncoding(head) ?? encoding)
}
