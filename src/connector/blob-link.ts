import { BlobRefused } from './blob-error'
import { type BlobName, type BlobSignature, type BlobVerdict, verifyBlobUrl } from './blob-url'

/**
 * Checks that a link to a file is one of ours and allows what is asked for. Of several signatures, which are spellings of
 * one, any will do.
 * Throws  BlobRefused AuthenticationFailed, AuthorizationPermissionMismatch.
 */
export function checkLink(
  blob: BlobName,
  signatures: readonly BlobSignature[],
  wanted: 'r' | 'w' | 'd',
  key: Buffer,
): void {
  const verdicts = signatures.map((signature) => ({
    signature,
    verdict: verifyBlobUrl(blob, signature, wanted, key, new Date()),
  }))
  const has = (wanted: BlobVerdict) => verdicts.find(({ verdict }) => verdict === wanted)
  if (has('granted')) return
  const expired = has('expired')
  if (expired) throw new BlobRefused('AuthenticationFailed', `The link expired at ${expired.signature.se}`)
  const denied = has('not permitted')
  if (denied) {
    throw new BlobRefused(
      'AuthorizationPermissionMismatch',
      `The link does not allow '${wanted}', only '${denied.signature.sp}'`,
    )
  }
  throw new BlobRefused('AuthenticationFailed', 'The signature of the link is wrong')
}
