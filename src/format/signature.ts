/** What the first bytes show a file to be, where it is neither delimited nor other text: XML in an ASCII-like encoding, or a zip. */
export function fileKindOf(head: Buffer): 'xml' | 'zip' | undefined {
  // PKWARE APPNOTE 4.3.7: signature of a local file header.
  if (head.subarray(0, 4).equals(zipSignature)) return 'zip'
  const first = /[^\s\uFEFF]/.exec(head.toString('latin1').replace(/^\xEF\xBB\xBF/, ''))?.[0]
  return first === '<' ? 'xml' : undefined
}

const zipSignature = Buffer.from('PK\x03\x04', 'latin1')
