import { MessageRejected } from '../errors'
import { type Encoding, encodingNamed, utf8 } from './encoding'
import { type Peeked, peek } from './peek'

/**
 * Turns bytes of any supported encoding into valid UTF-8, streaming, without the byte order mark.
 * Input   a byte order mark wins over `declaredEncoding`, that over UTF-8. An XML declaration is not looked at:
 *         the XML reader reads it from the head of the file and passes its encoding here.
 * Yields  buffers of whole characters, never empty; those of UTF-8 are views of the input's chunks.
 * Throws  MessageRejected EF106 for bytes that are not valid, EF109 for an encoding that is not known.
 * Source  Unicode standard 3.10 (encoding schemes) and 23.8 (byte order mark).
 */
export async function* decode(
  bytes: AsyncIterable<Uint8Array>,
  declaredEncoding?: string,
): AsyncGenerator<Buffer, void, undefined> {
  const source = await peek(bytes, sniffBytes)
  const { encoding, markBytes } = await chooseEncoding(source, declaredEncoding)
  let waiting = noBytes
  let offset = markBytes
  let line = 1
  for await (const chunk of source.rest(markBytes)) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      const part = chunk.subarray(at, at + pieceBytes)
      const piece = waiting.length === 0 ? part : Buffer.concat([waiting, part])
      const wholeBytes = encoding.wholeBytes(piece)
      // A copy, because a source may use the memory of its chunk again.
      waiting = Buffer.from(piece.subarray(wholeBytes))
      if (wholeBytes === 0) continue
      const whole = piece.subarray(0, wholeBytes)
      const text = encoding.toUtf8(whole)
      if (text === undefined) throw invalidByte(encoding, whole, offset, line)
      offset += wholeBytes
      line += countLineFeeds(text)
      yield text
    }
  }
  if (waiting.length > 0) throw cutCharacter(encoding, offset, line)
}

/** How many bytes of a file are enough to choose its encoding. */
export const sniffBytes = 1024

/** Large enough to make the calls cheap, small enough that text of another encoding stays in the processor's cache. */
const pieceBytes = 64 * 1024
const noBytes = Buffer.alloc(0)

/**
 * The encoding that a byte order mark names, and the mark's length; `{ markBytes: 0 }` without a mark.
 * Throws  MessageRejected EF109 for the marks of UTF-32.
 */
export function sniff(head: Buffer): { encoding?: 'utf-8' | 'utf-16le' | 'utf-16be'; markBytes: number } {
  const starts = (...mark: number[]) => mark.every((byte, index) => head[index] === byte)
  if (starts(0xff, 0xfe, 0, 0) || starts(0, 0, 0xfe, 0xff)) {
    throw new MessageRejected('EF109', 'The byte order mark says UTF-32, which is not read.')
  }
  if (starts(0xef, 0xbb, 0xbf)) return { encoding: 'utf-8', markBytes: 3 }
  if (starts(0xff, 0xfe)) return { encoding: 'utf-16le', markBytes: 2 }
  if (starts(0xfe, 0xff)) return { encoding: 'utf-16be', markBytes: 2 }
  return { markBytes: 0 }
}

async function chooseEncoding({ head, close }: Peeked, declared?: string): Promise<EncodingChoice> {
  try {
    return encodingOf(head, declared)
  } catch (error) {
    await close()
    throw error
  }
}

interface EncodingChoice {
  readonly encoding: Encoding
  readonly markBytes: number
}

function encodingOf(head: Buffer, declared?: string): EncodingChoice {
  const { encoding: marked, markBytes } = sniff(head)
  if (marked !== undefined) return { encoding: encodingNamed(marked), markBytes }
  const encoding = declared === undefined ? utf8 : encodingNamed(declared)
  // Files of Dynamics 365's CSV-Unicode are often saved as UTF-8 by other programs. UTF-16 has a zero byte in
  // every ASCII character, so that a thousand bytes of a file with delimiters cannot be without one.
  const isUtf16 = encoding.name.startsWith('utf-16')
  return { encoding: isUtf16 && !head.includes(0) ? utf8 : encoding, markBytes }
}

function invalidByte(encoding: Encoding, bytes: Buffer, offset: number, line: number): MessageRejected {
  const at = encoding.invalidAt(bytes)
  const errorLine = line + countLineFeeds(encoding.toUtf8(bytes.subarray(0, at)) ?? bytes.subarray(0, at))
  const byte = bytes[at]!.toString(16).padStart(2, '0').toUpperCase()
  const message = `Byte 0x${byte} at offset ${offset + at} (line ${errorLine}) is not valid ${encoding.name}.`
  return new MessageRejected('EF106', message, { line: errorLine })
}

function cutCharacter(encoding: Encoding, offset: number, line: number): MessageRejected {
  const message = `The file ends within a character of ${encoding.name} at offset ${offset} (line ${line}).`
  return new MessageRejected('EF106', message, { line })
}

function countLineFeeds(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count++
  return count
}
