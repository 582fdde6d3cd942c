/** What the first bytes show a file to be, where it is neither delimited nor other text: XML in an ASCII-like encoding, or a zip. */
export function fileKindOf(head: Buffer): 'xml' | 'zip' | undefined {
  if (isZip(head)) return 'zip'
  const first = /[^\s\uFEFF]/.exec(head.toString('latin1').replace(/^\xEF\xBB\xBF/, ''))?.[0]
  return first === '<' ? 'xml' : undefined
}

/** Whether a file is a zip file by its first four bytes: a data package, an Excel workbook or any other archive. */
export function isZip(head: Buffer): boolean {
  const start = head.subarray(0, 4)
  return zipSignatures.some((signature) => start.equals(signature))
}

/** Source: PKWARE APPNOTE 4.3.7 and 4.3.16: a local file header, or where there is no file the end of the directory. */
const zipSignatures = ['PK\x03\x04', 'PK\x05\x06'].map((text) => Buffer.from(text, 'latin1'))
