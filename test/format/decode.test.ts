import fc from 'fast-check'
import iconv from 'iconv-lite'
import { EntrepotError } from '../../src/errors'
import { decode, sniff } from '../../src/format/decode'
import { chunked } from './reading'

async function decoded(bytes: Buffer, encoding?: string, ...sizes: number[]): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of decode(chunked(bytes, ...sizes), encoding)) pieces.push(piece)
  return Buffer.concat(pieces).toString('utf8')
}

async function failure(bytes: Buffer, encoding?: string, ...sizes: number[]): Promise<EntrepotError> {
  const error = await decoded(bytes, encoding, ...sizes).then(
    (text) => new Error(`decoded as ${text}`),
    (reason: unknown) => reason,
  )
  if (error instanceof EntrepotError) return error
  throw error
}

const text = 'Größe,naïve\r\nŁódź 東京 🚀,é\r\n'
const mark = '\uFEFF'

describe('decode', () => {
  it.each([
    ['utf-8 without a mark', Buffer.from(text), undefined],
    ['utf-8 with a mark', Buffer.from(mark + text), undefined],
    ['utf-8 with a mark, declared otherwise', Buffer.from(mark + text), 'windows-1252'],
    ['utf-16le with a mark', Buffer.from(mark + text, 'utf16le'), undefined],
    ['utf-16le with a mark, declared utf-8', Buffer.from(mark + text, 'utf16le'), 'utf-8'],
    ['utf-16le declared', Buffer.from(text, 'utf16le'), 'utf-16le'],
    ['utf-16le by its code page', Buffer.from(text, 'utf16le'), '1200'],
    ['utf-16be with a mark', Buffer.from(mark + text, 'utf16le').swap16(), undefined],
    ['utf-16be declared', Buffer.from(text, 'utf16le').swap16(), 'UTF-16BE'],
    ['utf-8 declared as utf-16le', Buffer.from(text), 'utf-16le'],
  ])('reads %s', async (_, bytes, encoding) => {
    expect(await decoded(bytes, encoding)).toBe(text)
  })

  it.each([
    ['windows-1252', 'Preis 5 € – für Zoë'],
    ['cp1250', 'Łódź Žižkov'],
    ['1251', 'Привет'],
    ['iso-8859-15', 'Œuvre 5 €'],
    ['28591', 'Größe'],
    ['latin1', 'Größe'],
  ])('reads the code page %s', async (name, sample) => {
    const iconvName = name === '28591' ? 'iso-8859-1' : name
    expect(await decoded(iconv.encode(sample, iconvName), name, 1)).toBe(sample)
  })

  it('reads the same however the chunks are cut', async () => {
    const encodings = fc.constantFrom('utf-8', 'utf-16le', 'utf-16be')
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        encodings,
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
        async (sample, encoding, sizes) => {
          const unit = encoding === 'utf-8' ? 'utf8' : 'utf16le'
          const bytes = Buffer.from(mark + sample, unit)
          expect(await decoded(encoding === 'utf-16be' ? bytes.swap16() : bytes, undefined, ...sizes)).toBe(sample)
        },
      ),
    )
  })

  it.each([1, 2, 3, 1000])('names line and offset of an invalid byte, in chunks of %i', async (size) => {
    const bytes = Buffer.concat([Buffer.from('a\nbé\n'), Buffer.from([0x41, 0xff, 0x41]), Buffer.from('\nlast')])
    const error = await failure(bytes, undefined, size)
    expect(error).toMatchObject({ code: 'EF106', place: { line: 3 } })
    expect(error.message).toBe('Byte 0xFF at offset 7 (line 3) is not valid utf-8.')
  })

  it.each([
    ['an overlong form', [0x61, 0xc0, 0xaf], undefined],
    ['a surrogate', [0x61, 0xed, 0xa0, 0x80], undefined],
    ['a lone continuation', [0x61, 0x80], undefined],
    ['a cut character at the end', [0x61, 0xe2, 0x82], undefined],
    ['a lone low surrogate of utf-16', [0x61, 0, 0, 0xdc, 0x61, 0], 'utf-16le'],
    ['a lone high surrogate of utf-16', [0x61, 0, 0, 0xd8, 0x61, 0], 'utf-16le'],
    ['a high surrogate at the end of utf-16', [0x61, 0, 0, 0xd8], 'utf-16le'],
    ['half a character at the end of utf-16', [0x61, 0, 0x61], 'utf-16le'],
    ['a byte that windows-1252 leaves undefined', [0x61, 0x81], 'windows-1252'],
    ['a byte that windows-1253 leaves undefined', [0x61, 0xd2], 'windows-1253'],
  ])('refuses %s', async (_, bytes, encoding) => {
    expect(await failure(Buffer.from(bytes), encoding)).toMatchObject({ code: 'EF106', place: { line: 1 } })
    expect(await failure(Buffer.from(bytes), encoding, 1)).toMatchObject({ code: 'EF106' })
  })

  it.each(['utf-7', '65000', 'utf-32', '12000', 'klingon', 'iso-8859-99', 'windows-1259', 'base64', 'hex'])(
    'does not know the encoding %s',
    async (name) => {
      const error = await failure(Buffer.from('a'), name)
      expect(error).toMatchObject({ code: 'EF109' })
      expect(error.message).toContain(name)
    },
  )

  it('refuses the byte order marks of UTF-32', async () => {
    expect(await failure(Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]))).toMatchObject({ code: 'EF109' })
    expect(await failure(Buffer.from([0, 0, 0xfe, 0xff, 0, 0, 0, 0x61]))).toMatchObject({ code: 'EF109' })
  })

  it('hands on UTF-8 without copying it', async () => {
    const chunk = Buffer.from('plain text')
    const source = async function* () {
      yield chunk
    }
    for await (const piece of decode(source())) expect(piece.buffer).toBe(chunk.buffer)
  })

  it('closes its source when the encoding is not known', async () => {
    let isClosed = false
    const source = async function* () {
      try {
        yield Buffer.from('a'.repeat(2000))
        yield Buffer.from('b')
      } finally {
        isClosed = true
      }
    }
    await expect(decode(source(), 'klingon').next()).rejects.toMatchObject({ code: 'EF109' })
    expect(isClosed).toBe(true)
  })

  it('yields nothing for no bytes', async () => {
    expect(await decoded(Buffer.alloc(0))).toBe('')
    expect(sniff(Buffer.alloc(0))).toEqual({ markBytes: 0 })
  })
})
