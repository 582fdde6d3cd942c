/** What the first bytes show a file to be, where it is neither delimited nor other text: XML in an ASCII-like encoding, or a zip. */
export function fileKindOf(head: Buffer): 'xml' | 'zip' | undefined {
  if (isZip(head)) return 'zip'
  const first = /[^\s\uFEFF]/.exec(head.toString('latin1').replace(/^\xEF\xBB\xBF/, ''))?.[0]
  return first === '<' ? 'xml' : undefined
}

/** Whether a file is a zip file by its first four bytes: a data package, an Excel workbook or any other archive. */
export function isZip(head: Buffer): boolean {
  return head.subarray(0, 4).equals(zipSignature)
}

/** Source: PKWARE APPNOTE 4.3.7, signature of a local file header. */
const zipSignature = Buffer.from('PK\x03\x04', 'latin1')
