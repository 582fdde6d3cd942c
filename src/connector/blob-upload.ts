import type { IncomingHttpHeaders } from 'node:http'
import type { Context } from '../execution/context'
import type { Answer } from '../platform/http-route'
import { putBlock, putBlockList } from './blob-blocks'
import { conditionsOf } from './blob-conditions'
import { BlobRefused } from './blob-error'
import { commonHeaders } from './blob-headers'
import { type BlobRequest, textHeader, unknownComp } from './blob-request'
import { type Blob, type BlobChange, putBlob } from './blob-store'
import { checkedBlockId, maxBlockListBytes, readBlockList } from './block-list'

/**
 * Takes a file, a block, or the list that makes a file of blocks, as `comp` says. Answers 201 once all is durable.
 * Throws  BlobRefused.
 * Source  Azure Storage REST API, "Put Blob", "Put Block", "Put Block List".
 */
export async function upload(context: Context, blobId: string, request: BlobRequest): Promise<Answer> {
  const { md5, etag, modifiedAt } = await put(context, blobId, request)
  return {
    status: 201,
    headers: {
      ...commonHeaders(request.headers),
      ...(etag === undefined ? {} : { etag: `"${etag}"` }),
      ...(modifiedAt === undefined ? {} : { 'last-modified': modifiedAt.toUTCString() }),
      'content-md5': md5.toString('base64'),
      'x-ms-request-server-encrypted': 'false', // what lies below the payload store is not ours to promise
    },
  }
}

/** What an answer to an upload tells; blocks have no ETag yet. */
type Put = Pick<Blob, 'md5'> & Partial<Pick<Blob, 'etag' | 'modifiedAt'>>

async function put(context: Context, blobId: string, request: BlobRequest): Promise<Put> {
  const { query, headers, bytes } = request
  refuseOtherUploads(headers)
  const contentType = textHeader(headers, 'x-ms-blob-content-type') ?? textHeader(headers, 'content-type')
  const conditions = conditionsOf(headers)
  switch (query.comp ?? '') {
    case '': {
      const md5 = md5Header(headers, 'content-md5') ?? md5Header(headers, 'x-ms-blob-content-md5')
      return putBlob(context, blobId, bytes, { contentType, conditions, md5 })
    }
    case 'block':
      return putBlock(context, blobId, checkedBlockId(query.blockid), bytes, md5Header(headers, 'content-md5'))
    case 'blocklist': {
      const list = readBlockList(await bodyText(bytes))
      // The Content-Type is that of the list.
      const change: BlobChange = { contentType: textHeader(headers, 'x-ms-blob-content-type'), conditions }
      return putBlockList(context, blobId, list, change)
    }
    default:
      throw unknownComp(query.comp)
  }
}

/** What would be kept wrongly if it were passed over. Another server is never asked for bytes: the client sends them. */
function refuseOtherUploads(headers: IncomingHttpHeaders): void {
  const type = headers['x-ms-blob-type']
  if (type !== undefined && String(type).toLowerCase() !== 'blockblob') {
    throw new BlobRefused('InvalidHeaderValue', `Files are block blobs; x-ms-blob-type is '${type}'`)
  }
  for (const name of ['x-ms-copy-source', 'x-ms-structured-body']) {
    if (headers[name] !== undefined) throw new BlobRefused('UnsupportedHeader', `${name} is not taken: send the bytes`)
  }
}

async function bodyText(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of bytes) {
    size += piece.length
    if (size > maxBlockListBytes) {
      throw new BlobRefused('RequestBodyTooLarge', `A list of blocks has at most ${maxBlockListBytes} bytes`)
    }
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}

function md5Header(headers: IncomingHttpHeaders, name: string): Buffer | undefined {
  const value = textHeader(headers, name)
  if (value === undefined) return undefined
  const md5 = Buffer.from(value, 'base64')
  if (md5.length === 16) return md5
  throw new BlobRefused('InvalidMd5', `The ${name} '${value.slice(0, 40)}' is not the base64 of 16 bytes`)
}
