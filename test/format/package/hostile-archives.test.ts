import { deflateRawSync } from 'node:zlib'
import { bufferSource } from '../../../src/format/byte-source'
import { counted, refusal } from './archives'
import { content, descriptor, extraField, type RawEnd, type RawEntry, rawZip, u32, unicodePath } from './raw-zip'

const good: RawEntry = { name: 'b.csv' }

const mega = Buffer.alloc(3 * 1024 ** 2)

/** An entry as it stands in front of the directory. */
const written = rawZip([good]).subarray(0, rawZip([good]).indexOf('PK\x01\x02'))

/** Says where the end record of ZIP64 stands (PKWARE APPNOTE 4.3.15). */
function zip64Locator(at: number): Buffer {
  const place = Buffer.alloc(8)
  place.writeBigUInt64LE(BigInt(at))
  return Buffer.concat([u32(0x07064b50), u32(0), place, u32(1)])
}

/** Archives that someone made, each with the code and a part of the sentence it is refused by. */
const hostile: [string, string, string, RawEntry[], RawEnd?][] = [
  // Names.
  ...[
    ['../a.csv', '..'],
    ['a/../../b.csv', '..'],
    ['..', '..'],
    ['/etc/passwd', 'absolute'],
    ['C:/a.csv', 'drive letter'],
    ['c:a.csv', 'drive letter'],
    ['..\\a.csv', 'backslash'],
    ['a\\b.csv', 'backslash'],
    ['a\0.csv', 'control character'],
    ['a\n.csv', 'control character'],
    ['a\u202evsc.exe', 'control character'],
    ['CON', 'device'],
    ['nul.csv', 'device'],
    ['x/Com1.txt', 'device'],
    ['a//b.csv', 'empty part'],
    ['./a.csv', 'empty part'],
    ['a.csv.', 'dot or a space'],
    ['a.csv ', 'dot or a space'],
    ['x /a.csv', 'dot or a space'],
    ['', 'empty'],
    ['a'.repeat(256), 'longer than 255 bytes'],
    ['ä'.repeat(128), 'longer than 255 bytes'],
  ].map(([name, reason]): [string, string, string, RawEntry[]] => [
    `the name ${JSON.stringify(name).slice(0, 40)}`,
    'EF302',
    reason!,
    [{ name: name!, flags: 0x800 }, good],
  ]),
  [
    'a name of bytes that are no UTF-8',
    'EF302',
    'encoding',
    [{ name: Buffer.from('a\xff.csv', 'latin1'), flags: 0x800 }],
  ],
  ['a hostile name in the Unicode form', 'EF302', '..', [{ name: 'a.csv', extra: unicodePath('a.csv', '../a.csv') }]],
  // Two readers, two archives.
  ['a name twice', 'EF303', "'b.csv' is there twice", [good, good]],
  ['names that differ in letter case', 'EF303', "'B.CSV' and 'b.csv' are the same name", [good, { name: 'B.CSV' }]],
  [
    'names that differ in their composition',
    'EF303',
    'are the same name',
    [
      { name: 'é.csv', flags: 0x800 },
      { name: 'e\u0301.csv', flags: 0x800 },
    ],
  ],
  [
    'a file and a folder of one name',
    'EF303',
    'are the same name',
    [
      { name: 'a', method: 0 },
      { name: 'A/', content: '', method: 0 },
    ],
  ],
  [
    'a second name beside a plain one',
    'EF303',
    'second name',
    [{ name: 'a.csv', extra: unicodePath('a.csv', 'Manifest.xml') }],
  ],
  [
    'a second name in the header alone',
    'EF303',
    'name',
    [{ name: 'a.csv', local: { extra: unicodePath('a.csv', 'b.csv') } }],
  ],
  [
    'two fields of the ZIP64 sizes',
    'EF303',
    'size or a name twice',
    [{ name: 'a.csv', extra: Buffer.concat([extraField(1, Buffer.alloc(8)), extraField(1, Buffer.alloc(8))]) }],
  ],
  ['another name in the header', 'EF303', 'filename', [{ name: 'a.csv', local: { name: 'b.csv' } }]],
  ['another method in the header', 'EF303', 'compression method', [{ name: 'a.csv', local: { method: 0 } }]],
  ['another checksum in the header', 'EF303', 'crc32', [{ name: 'a.csv', local: { crc: 1 } }]],
  ['another size in the header', 'EF303', 'sizes', [{ name: 'a.csv', local: { size: 1 } }]],
  [
    'no size in the header, without the flag',
    'EF303',
    'another size',
    [{ name: 'a.csv', local: { size: 0, crc: 0, compressedSize: 0 } }],
  ],
  ['other flags in the header', 'EF303', 'bit flag', [{ name: 'a.csv', local: { flags: 1 } }]],
  [
    'another size behind the data',
    'EF303',
    'sizes',
    [{ name: 'a.csv', flags: 8, descriptor: descriptor({ size: 3 }) }],
  ],
  [
    'another checksum behind the data',
    'EF303',
    'crc32',
    [{ name: 'a.csv', flags: 8, descriptor: descriptor({ crc: 3 }) }],
  ],
  ['bytes in front', 'EF303', '', [good], { first: Buffer.from('#!/bin/sh\n') }],
  [
    'bytes in front that the offsets leave out',
    'EF303',
    '',
    [{ ...good, offset: 0 }],
    { first: Buffer.from('#!/bin/sh\n'), directoryOffset: rawZip([good]).indexOf('PK\x01\x02') },
  ],
  ['bytes behind', 'EF303', 'appended', [good], { after: Buffer.from('tail') }],
  ['bytes behind the directory', 'EF303', 'trailing', [good], { before: Buffer.from('tail') }],
  ['bytes between two entries', 'EF303', 'belong to no file', [good, { name: 'c.csv', before: Buffer.from('gap') }]],
  [
    'an entry that the directory does not list',
    'EF303',
    'belong to no file',
    [good, { name: 'c.csv', isOnly: 'written' }],
  ],
  [
    'a hidden entry behind the last',
    'EF303',
    'belong to no file',
    [{ name: 'c.csv' }, { name: 'd.csv', isOnly: 'written' }],
  ],
  ['two entries of the same data', 'EF303', '', [good, { name: 'c.csv', offset: 0, isOnly: 'listed' }]],
  [
    'an entry within the data of another',
    'EF303',
    'overlap',
    [
      { name: 'a.csv', method: 0, content: written },
      { ...good, offset: 30 + 'a.csv'.length, isOnly: 'listed' },
    ],
  ],
  ['an archive behind an archive', 'EF303', '', [good], { first: rawZip([{ name: 'c.csv' }]) }],
  ['a second end record in the comment', 'EF303', 'second end record', [good], { comment: rawZip([]) }],
  ['a second archive in the comment', 'EF303', '', [good], { comment: rawZip([{ name: 'c.csv' }]) }],
  ['fewer entries in the end record', 'EF303', 'trailing', [good, { name: 'c.csv' }], { count: 1 }],
  ['a folder that has data', 'EF303', 'folder', [{ name: 'a/' }, good]],
  ['a file with the attributes of a folder', 'EF303', 'folder', [{ name: 'a', attributes: 0o040755 * 65536 }, good]],
  // What is not read.
  ['encryption', 'EF304', 'encrypted', [{ name: 'a.csv', flags: 1 }]],
  ['strong encryption', 'EF304', 'encrypted', [{ name: 'a.csv', flags: 0x41 }]],
  ['masked headers', 'EF304', 'encrypted', [{ name: 'a.csv', flags: 0x2000 }]],
  ['an encrypted method', 'EF304', 'method 99', [{ name: 'a.csv', method: 99 }]],
  ['LZMA', 'EF304', 'method 14', [{ name: 'a.csv', method: 14 }]],
  ['deflate64', 'EF304', 'method 9', [{ name: 'a.csv', method: 9 }]],
  ['several disks', 'EF304', 'split', [good], { disk: 1 }],
  ['an entry on another disk', 'EF304', 'disk', [{ name: 'a.csv', disk: 1 }]],
  ['a link', 'EF304', 'link', [{ name: 'a.csv', content: '/etc/passwd', attributes: 0o120777 * 65536 }]],
  ['a device', 'EF304', 'device', [{ name: 'a.csv', attributes: 0o020666 * 65536 }]],
  ['a pipe', 'EF304', 'device', [{ name: 'a.csv', attributes: 0o010666 * 65536 }]],
  // Bombs.
  ['a swelling entry', 'EF305', 'swells', [{ name: 'a.csv', content: mega }]],
  [
    'an entry that says to be larger than any disk',
    'EF305',
    'swells',
    [{ name: 'a.csv', size: 0xfffffffe, local: { size: 0xfffffffe } }],
  ],
  // Archives in archives.
  ['an archive by its name', 'EF306', "'a.ZIP' is a zip", [{ name: 'a.ZIP', content: 'x' }]],
  ['an archive by its bytes', 'EF306', "'a.csv' is a zip", [{ name: 'a.csv', content: rawZip([good]) }]],
  [
    'an archive by its bytes, stored',
    'EF306',
    "'a.csv' is a zip",
    [{ name: 'a.csv', content: rawZip([good]), method: 0 }],
  ],
  // Data that are not what they are said to be.
  ['another checksum', 'EF307', 'checksum', [{ name: 'a.csv', crc: 1 }]],
  ['more data than said', 'EF307', 'more than the 5 bytes', [{ name: 'a.csv', size: 5 }]],
  ['fewer data than said', 'EF307', 'has 14 bytes, and the directory says 20', [{ name: 'a.csv', size: 20 }]],
  ['a stored entry of two sizes', 'EF307', 'stored as it is', [{ name: 'a.csv', method: 0, size: 5 }]],
  [
    'data that do not inflate',
    'EF307',
    'does not inflate',
    [{ name: 'a.csv', data: Buffer.from('\xff'.repeat(20), 'latin1') }],
  ],
  [
    'data that end too early',
    'EF307',
    'does not inflate',
    [{ name: 'a.csv', data: deflateRawSync(content).subarray(0, 8) }],
  ],
  [
    'data behind the end of the data',
    'EF307',
    '4 bytes behind',
    [{ name: 'a.csv', data: Buffer.concat([deflateRawSync(content), Buffer.from('tail')]) }],
  ],
  ['a bomb that says to be small', 'EF307', 'more than the 100 bytes', [{ name: 'a.csv', content: mega, size: 100 }]],
  // Damage.
  ['no entry', 'EF301', 'holds no file', []],
  ['folders alone', 'EF301', 'holds no file', [{ name: 'a/', content: '', method: 0 }]],
  ['an entry that begins outside', 'EF303', '', [{ ...good, offset: 1_000_000 }]],
  ['an entry that ends outside', 'EF301', '', [{ ...good, compressedSize: 1_000_000 }]],
  ['a directory outside', 'EF301', '', [good], { directoryOffset: 1_000_000, directorySize: 1_000_000 }],
  ['more entries in the end record', 'EF301', '', [good], { count: 2 }],
  ['a size of ZIP64 that is not there', 'EF301', 'zip64', [{ name: 'a.csv', size: 0xffffffff }]],
  ['a count of ZIP64 that is not there', 'EF301', '', [good], { count: 0xffff }],
  ['a directory of ZIP64 that is not there', 'EF301', '', [good], { directoryOffset: 0xffffffff }],
  ['a record of ZIP64 that points outside', 'EF301', '', [good], { count: 0xffff, before: zip64Locator(2 ** 40) }],
  ['a record of ZIP64 beyond all numbers', 'EF301', '64-bit', [good], { count: 0xffff, before: zip64Locator(2 ** 60) }],
]

describe('a hostile archive', () => {
  it.each(hostile.map(([name, code, reason, entries, end]) => [name, code, reason, rawZip(entries, end)] as const))(
    'with %s is refused: %s, %s',
    async (_, code, reason, bytes) => {
      const source = counted(bufferSource(bytes))
      const found = await refusal(source)
      expect(found).toEqual({ code, message: expect.stringContaining(reason) })
      // Whatever it says, little is read of it and nothing is left open.
      expect(source.count.opened).toBeLessThan(10)
      expect(source.count.open).toBe(0)
    },
  )
})
