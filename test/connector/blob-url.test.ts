import fc from 'fast-check'
import { type BlobPermissions, blobFileName, blobIdOf, blobUrl, verifyBlobUrl } from '../../src/connector/blob-url'

const key = Buffer.alloc(32, 7)
const now = new Date('2026-03-01T12:00:00Z')
const later = new Date('2026-03-01T13:00:00.789Z')
const blob = { blobId: '0b9d0e3b-1111-4222-8333-444455556666', name: 'Customer groups.zip' }

/** What the server sees of a link: the parts, decoded. */
function parts(link: string) {
  const { pathname, searchParams } = new URL(link)
  const [, , blobId = '', name = ''] = pathname.split('/').map(decodeURIComponent)
  return { blob: { blobId, name }, query: Object.fromEntries(searchParams) }
}
function verify(link: string, wanted: 'r' | 'w' | 'd' = 'r', at = now) {
  const seen = parts(link)
  return verifyBlobUrl(seen.blob, seen.query, wanted, key, at)
}

describe('a link to a file', () => {
  const link = blobUrl('https://hub.example/', blob, 'rw', later, key)

  it('has the form of a SAS URL, with a path of three parts', () => {
    const { pathname, searchParams } = new URL(link)
    expect(pathname).toBe(`/dmf/${blob.blobId}/Customer%20groups.zip`)
    expect(Object.fromEntries(searchParams)).toEqual({
      sv: expect.stringMatching(/^20\d\d-\d\d-\d\d$/),
      sr: 'b',
      sp: 'rw',
      se: '2026-03-01T13:00:00Z',
      sig: expect.stringMatching(/^[\w-]{43}$/),
    })
  })

  it('is valid for what it allows, until it expires', () => {
    expect(verify(link, 'r')).toBe('granted')
    expect(verify(link, 'w')).toBe('granted')
    expect(verify(link, 'd')).toBe('not permitted')
    expect(verify(link, 'r', new Date('2026-03-01T12:59:59.999Z'))).toBe('granted')
    expect(verify(link, 'r', new Date('2026-03-01T13:00:00Z'))).toBe('expired')
  })

  it('is valid in another order, with other escapes, another host, letter case of the id, and more parameters', () => {
    const { search } = new URL(link)
    const backwards = search.slice(1).split('&').reverse().join('&')
    const escapes = backwards.replaceAll(':', '%3a').replaceAll('-', '%2D')
    for (const query of [backwards, escapes, `comp=block&blockid=QUFB&${backwards}&timeout=30`]) {
      expect(verify(`http://127.0.0.1:4400/dmf/${blob.blobId.toUpperCase()}/Customer%20%67roups.zip?${query}`)).toBe(
        'granted',
      )
    }
  })

  it.each([
    ['the id', (it: string) => it.replace('0b9d', '0b9e')],
    ['the name', (it: string) => it.replace('groups', 'group')],
    ['what it allows', (it: string) => it.replace('sp=rw', 'sp=rwd')],
    ['when it expires', (it: string) => it.replace('13%3A00', '14%3A00')],
    ['the signature', (it: string) => it.replace(/sig=(.)/, (_, first) => `sig=${first === 'A' ? 'B' : 'A'}`)],
    ['the length of the signature', (it: string) => it.slice(0, -2)],
    ['that there is a signature', (it: string) => it.replace(/&sig=.*/, '')],
  ])('is not valid when somebody changed %s', (_, change) => {
    expect(change(link)).not.toBe(link)
    expect(verify(change(link))).toBe('forged')
  })

  it('is not valid under another key', () => {
    expect(verify(blobUrl('https://hub.example', blob, 'r', later, Buffer.alloc(32, 8)))).toBe('forged')
  })

  it('can name a file by any text that a client makes up', () => {
    const permissions = fc.constantFrom<BlobPermissions>('r', 'w', 'rw')
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), permissions, (text, allowed) => {
        const name = blobFileName(text)
        const made = blobUrl('http://h', { ...blob, name }, allowed, later, key)
        expect(parts(made).blob).toEqual({ ...blob, name })
        expect(verify(made, allowed.includes('r') ? 'r' : 'w')).toBe('granted')
        expect(blobIdOf(made)).toBe(blob.blobId)
      }),
    )
  })

  it.each([
    ['', 'file'],
    ['..', 'file'],
    ['../../etc/passwd', '.._.._etc_passwd'],
    ['C:\\temp\\a.zip', 'C:_temp_a.zip'],
    [' a b.zip ', 'a b.zip'],
    ['x'.repeat(300), 'x'.repeat(200)],
    ['\ud800', '\ufffd'],
  ])('takes %j as the file name %j', (text, name) => {
    expect(blobFileName(text)).toBe(name)
  })
})

describe('the blob of a packageUrl', () => {
  const id = blob.blobId
  it.each([
    `https://hub.example/dmf/${id}/a.zip?sv=1&sig=x`,
    `http://other:81/dmf/${id.toUpperCase()}/a.zip`,
    `https://hub.example/prefix/dmf/{${id}}/a.zip`,
    `https://hub.example/dmf/%7B${id}%7D/a.zip?sig=%zz`,
    `https%3A%2F%2Fhub.example%2Fdmf%2F${id}%2Fa.zip%3Fsig%3Dx`,
    `https://hub.example/dmf/%257b${id}%257d/a.zip`,
    `https://hub.example/dmf/${id}`,
    `https://hub.example/dmf/${id}?sig=x`,
  ])('is found in %s', (url) => {
    expect(blobIdOf(url)).toBe(id)
  })

  it.each([
    '',
    'https://hub.example/',
    `https://account.blob.core.windows.net/container/${id}.zip`,
    `https://hub.example/dmf/${id}0/a.zip`,
    `https://hub.example/dmf/not-a-guid/a.zip`,
  ])('is not found in %s', (url) => {
    expect(blobIdOf(url)).toBeUndefined()
  })
})
