import { MessageRejected } from '../../errors'
import { shownName } from './zip-names'

/** Where an entry stands in the file, from its header to the end of its data, and what the header says. */
export interface EntryLayout {
  readonly name: string
  readonly start: number
  readonly dataStart: number
  readonly end: number
  /** As the directory says. */
  readonly bytes: number
  /** As the header says; undefined where it says that the size follows the data. */
  readonly headerBytes: number | undefined
  /** The name in Unicode that stands beside the name, in the header and in the directory. */
  readonly unicodeName: string | undefined
  readonly directoryUnicodeName: string | undefined
}

/** Signature of the end record (PKWARE APPNOTE 4.3.16). */
const endSignature = Buffer.from('PK\x05\x06', 'latin1')

/**
 * Refuses an archive in which a program that reads from the start finds other files than one that reads the directory.
 * Input   `directoryStart` is where the directory begins; `comment` is what stands behind the end record.
 * Throws  MessageRejected EF303.
 */
export function checkLayout(entries: readonly EntryLayout[], directoryStart: number, comment: Uint8Array): void {
  for (const { name, headerBytes, bytes, unicodeName, directoryUnicodeName } of entries) {
    // Zeros without the flag: zip.js lets them pass, and who reads from the start sees an empty file.
    if (headerBytes !== undefined && headerBytes !== bytes) throw twoHeaders(name, 'size')
    if (unicodeName !== undefined && unicodeName !== directoryUnicodeName) throw twoHeaders(name, 'name')
  }
  const inOrder = [...entries].sort((a, b) => a.start - b.start)
  let end = 0
  for (const entry of inOrder) {
    if (entry.start !== end) throw hidden(end, entry.start)
    end = entry.end
  }
  if (end !== directoryStart) throw hidden(end, directoryStart)
  if (Buffer.from(comment).includes(endSignature)) {
    throw new MessageRejected('EF303', 'The comment of the zip file holds a second end record.')
  }
}

function twoHeaders(name: string, what: string): MessageRejected {
  return new MessageRejected('EF303', `${shownName(name)} has another ${what} in its header than in the directory.`)
}

function hidden(from: number, to: number): MessageRejected {
  return new MessageRejected('EF303', `Bytes ${from} to ${to} of the zip file belong to no file of its directory.`)
}
