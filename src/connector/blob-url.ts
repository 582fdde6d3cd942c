import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Database } from '../platform/database'
import { sharedSecret } from '../platform/secret'

/** What a link allows: `r` to read, `w` to write, `d` to delete, or several of them. */
export type BlobPermissions = 'r' | 'w' | 'rw' | 'rd' | 'rwd'

/** What a link names. */
export interface BlobName {
  readonly blobId: string
  /** A file name as `blobFileName` makes it. */
  readonly name: string
}

/** The parameters of a link that its signature is about; clients may add others. */
export interface BlobSignature {
  readonly sp?: string
  readonly se?: string
  readonly sig?: string
}

export type BlobVerdict = 'granted' | 'forged' | 'expired' | 'not permitted'

/** The version of Azure's protocol that the routes follow. */
export const blobProtocolVersion = '2021-12-02'

/** The key that all processes sign links with. */
export function blobKey(db: Database): Promise<Buffer> {
  return sharedSecret(db, 'blob links')
}

/**
 * A link to a file that needs no other authorization, in the form of a SAS URL of Azure Blob Storage:
 * `<base>/dmf/<GUID>/<file name>?sv=…&sr=b&sp=…&se=…&sig=…`.
 * Azure's clients take the first part of the path for the container, or at an IP address for the account: three parts
 * suit both. The signature is base64url, which no client can spoil by encoding it once more or once less.
 * Source  Azure Storage REST API, "Create a service SAS".
 */
export function blobUrl(
  base: string,
  { blobId, name }: BlobName,
  permissions: BlobPermissions,
  expiresAt: Date,
  key: Buffer,
): string {
  const expiry = expiresAt.toISOString().replace(/\.\d+Z$/, 'Z') // clients parse it, and know no milliseconds
  const query = new URLSearchParams({ sv: blobProtocolVersion, sr: 'b', sp: permissions, se: expiry })
  query.set('sig', signatureOf({ blobId, name }, permissions, expiry, key).toString('base64url'))
  return `${base.replace(/\/+$/, '')}/dmf/${blobId}/${encodeURIComponent(name)}?${query}`
}

/**
 * Whether a link is one of ours and allows what is asked for. Takes the parts of the link decoded, so that it does not
 * matter how, or in which order, a client wrote them.
 */
export function verifyBlobUrl(
  blob: BlobName,
  { sp = '', se = '', sig = '' }: BlobSignature,
  wanted: 'r' | 'w' | 'd',
  key: Buffer,
  now: Date,
): BlobVerdict {
  const given = Buffer.from(sig, 'base64url')
  const expected = signatureOf(blob, sp, se, key)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'forged'
  if (now.getTime() >= Date.parse(se)) return 'expired'
  return sp.includes(wanted) ? 'granted' : 'not permitted'
}

function signatureOf({ blobId, name }: BlobName, permissions: string, expiry: string, key: Buffer): Buffer {
  const signed = JSON.stringify([blobId.toLowerCase(), name, permissions, expiry])
  return createHmac('sha256', key).update(signed).digest()
}

/** Paths of ours in a text that is decoded: clients put braces around GUIDs where they see one. */
const blobPath = /\/dmf\/\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?(?:[/?#]|$)/i

/** The blob that a link names, however a client has spelt the link; undefined where it is not a link of ours. */
export function blobIdOf(packageUrl: string): string | undefined {
  for (const spelling of spellingsOf(packageUrl)) {
    const id = blobPath.exec(spelling)?.[1]
    if (id !== undefined) return id.toLowerCase()
  }
  return undefined
}

/** What a link says of its signature, in each of the spellings that `blobIdOf` knows. */
export function signaturesOf(packageUrl: string): BlobSignature[] {
  return spellingsOf(packageUrl).map((spelling) => {
    // The last question mark: a name may have others, where a client has decoded it.
    const query = new URLSearchParams(spelling.slice(spelling.lastIndexOf('?') + 1))
    return { sp: query.get('sp') ?? '', se: query.get('se') ?? '', sig: query.get('sig') ?? '' }
  })
}

/** A link as it is, decoded, and decoded twice: what encodes the link as a whole leaves a second layer. */
function spellingsOf(link: string): string[] {
  const once = decoded(link)
  return [link, once, decoded(once)]
}

function decoded(text: string): string {
  // Characters of ASCII one by one: a stray % elsewhere in the link does not matter.
  return text.replace(/%[2-7][0-9a-f]/gi, (sign) => decodeURIComponent(sign))
}

/** Longest name in a link, in UTF-16 units; longer ones lose their end. */
const maxNameLength = 200
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what may not stand in a path
const notInName = /[\0-\x1f\x7f/\\]+/g

/** A client's name for a file as one part of a path: without slashes and control characters, never empty or dots only. */
export function blobFileName(text: string): string {
  // By way of bytes, since half a pair cannot be encoded.
  const name = Buffer.from(text.replace(notInName, '_').trim().slice(0, maxNameLength)).toString().trim()
  return /^\.*$/.test(name) ? 'file' : name
}
