import { crc32, deflateRawSync } from 'node:zlib'

/** What an entry holds where a test does not say. */
export const content = 'Id,Name\r\n1,x\r\n'

/** A record of an entry, as it stands in its header or in the directory. */
interface RawRecord {
  readonly name: string | Buffer
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly compressedSize: number
  readonly size: number
  readonly extra: Buffer
}

/** An entry whose every part can be made to lie; what is left out is as it should be. */
export interface RawEntry extends Partial<RawRecord> {
  readonly content?: string | Buffer
  /** What stands where the deflated content should. */
  readonly data?: Buffer
  /** What the header at the data says otherwise. */
  readonly local?: Partial<RawRecord>
  /** Bytes in front of the header, which belong to no entry. */
  readonly before?: Buffer
  /** Behind the data. */
  readonly descriptor?: Buffer
  readonly attributes?: number
  readonly offset?: number
  readonly disk?: number
  /** Lists the entry in the directory without writing it, or the other way round. */
  readonly isOnly?: 'listed' | 'written'
}

/** The end record, as it should not be. */
export interface RawEnd {
  readonly count?: number
  readonly disk?: number
  readonly directorySize?: number
  readonly directoryOffset?: number
  readonly comment?: Buffer
  readonly commentLength?: number
  /** Between the directory and the end record. */
  readonly before?: Buffer
  readonly after?: Buffer
  /** In front of the first entry, with the offsets as if it were not there, or as it is. */
  readonly first?: Buffer
}

/** Writes a zip byte by byte (PKWARE APPNOTE 4.3). */
export function rawZip(entries: readonly RawEntry[], end: RawEnd = {}): Buffer {
  const parts: Buffer[] = [end.first ?? Buffer.alloc(0)]
  const directory: Buffer[] = []
  let at = parts[0]!.length
  const write = (bytes: Buffer) => {
    parts.push(bytes)
    at += bytes.length
  }
  for (const entry of entries) {
    const { record, data } = complete(entry)
    const local = { ...record, ...entry.local }
    write(entry.before ?? Buffer.alloc(0))
    const offset = entry.offset ?? at
    if (entry.isOnly !== 'listed') {
      const [name, extra] = [Buffer.from(local.name), local.extra]
      write(
        Buffer.concat([u32(0x04034b50), common(local, name), name, extra, data, entry.descriptor ?? Buffer.alloc(0)]),
      )
    }
    if (entry.isOnly !== 'written') directory.push(listed(record, entry, offset))
  }
  const directoryOffset = at
  for (const record of directory) write(record)
  const size = at - directoryOffset
  write(end.before ?? Buffer.alloc(0))
  const count = u16(end.count ?? directory.length)
  const disk = u16(end.disk ?? 0)
  const comment = end.comment ?? Buffer.alloc(0)
  const place = [u32(end.directorySize ?? size), u32(end.directoryOffset ?? directoryOffset)]
  write(Buffer.concat([u32(0x06054b50), disk, disk, count, count, ...place, u16(end.commentLength ?? comment.length)]))
  write(comment)
  write(end.after ?? Buffer.alloc(0))
  return Buffer.concat(parts)
}

function complete(entry: RawEntry): { record: RawRecord; data: Buffer } {
  const inflated = Buffer.from(entry.content ?? content)
  const { name = 'a.csv', flags = 0, method = 8, extra = Buffer.alloc(0) } = entry
  const { crc = crc32(inflated), size = inflated.length } = entry
  const data = entry.data ?? (method === 0 ? inflated : deflateRawSync(inflated))
  return {
    record: { name, flags, method, crc, size, extra, compressedSize: entry.compressedSize ?? data.length },
    data,
  }
}

/** Version, flags, method, time, date, checksum, sizes and lengths: the part that both records have. */
function common({ flags, method, crc, compressedSize, size, extra }: RawRecord, name: Buffer): Buffer {
  const sizes = [u32(crc), u32(compressedSize), u32(size), u16(name.length), u16(extra.length)]
  return Buffer.concat([u16(20), u16(flags), u16(method), u16(0), u16(33), ...sizes])
}

function listed(record: RawRecord, { attributes = 0, disk = 0 }: RawEntry, offset: number): Buffer {
  const name = Buffer.from(record.name)
  const rest = [u16(0), u16(disk), u16(0), u32(attributes), u32(offset)]
  return Buffer.concat([u32(0x02014b50), u16(0x0314), common(record, name), ...rest, name, record.extra])
}

export function u16(value: number): Buffer {
  return Buffer.from([value & 0xff, (value >>> 8) & 0xff])
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

/** An extra field of a record. */
export function extraField(id: number, data: Buffer): Buffer {
  return Buffer.concat([u16(id), u16(data.length), data])
}

/** The record behind the data of an entry (PKWARE APPNOTE 4.3.9). */
export const descriptor = (entry: { crc?: number; size?: number } = {}) =>
  Buffer.concat([
    u32(0x08074b50),
    u32(entry.crc ?? crc32(content)),
    u32(deflateRawSync(content).length),
    u32(entry.size ?? content.length),
  ])

/** The name of an entry in Unicode, beside the name (PKWARE APPNOTE 4.6.9). */
export const unicodePath = (raw: string | Buffer, name: string) =>
  extraField(0x7075, Buffer.concat([Buffer.from([1]), u32(crc32(raw)), Buffer.from(name)]))
