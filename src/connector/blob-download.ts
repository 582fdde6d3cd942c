import type { Context } from '../execution/context'
import type { Answer } from '../platform/http-route'
import { listBlocks } from './blob-blocks'
import { conditionsOf, demandForRead } from './blob-conditions'
import { commonHeaders } from './blob-headers'
import { rangeOf } from './blob-range'
import { type BlobRequest, textHeader, unknownComp } from './blob-request'
import { type Blob, findBlob } from './blob-store'
import { writeBlockList } from './block-list'

/**
 * Gives a file, a part of it, or the list of its blocks, as `comp` says.
 * Throws  BlobRefused.
 * Source  Azure Storage REST API, "Get Blob", "Get Block List".
 */
export async function download(context: Context, blobId: string, request: BlobRequest): Promise<Answer> {
  switch (request.query.comp ?? '') {
    case '':
      return read(context, blobId, request)
    case 'blocklist':
      return readBlocks(context, blobId, request)
    default:
      throw unknownComp(request.query.comp)
  }
}

/** Gives the headers that a download of the whole file would have. Source  Azure Storage REST API, "Get Blob Properties". */
export async function readProperties({ db }: Context, blobId: string, request: BlobRequest): Promise<Answer> {
  const blob = await findBlob(db, blobId)
  if (demandForRead(blob, conditionsOf(request.headers)).isUnchanged) return notModified(request, blob)
  return { headers: { ...fileHeaders(request, blob), 'content-length': String(blob.bytes), ...wholeMd5(blob) } }
}

async function read({ payloads, db }: Context, blobId: string, request: BlobRequest): Promise<Answer> {
  const blob = await findBlob(db, blobId)
  if (demandForRead(blob, conditionsOf(request.headers)).isUnchanged) return notModified(request, blob)
  const asked = textHeader(request.headers, 'x-ms-range') ?? textHeader(request.headers, 'range')
  const range = rangeOf(asked, blob.bytes)
  const { from, to } = range ?? { from: 0, to: blob.bytes }
  const headers = { ...fileHeaders(request, blob), 'content-length': String(to - from) }
  const body = blob.payloadLocation === null ? '' : payloads.open(blob.payloadLocation, range)
  if (range === undefined) return { headers: { ...headers, ...wholeMd5(blob) }, body }
  const partial = {
    'content-range': `bytes ${from}-${to - 1}/${blob.bytes}`,
    'x-ms-blob-content-md5': blob.md5.toString('base64'),
  }
  return { status: 206, headers: { ...headers, ...partial }, body }
}

async function readBlocks({ db }: Context, blobId: string, request: BlobRequest): Promise<Answer> {
  const { committed, uncommitted } = await listBlocks(db, blobId)
  return {
    headers: { ...commonHeaders(request.headers), 'content-type': 'application/xml' },
    body: writeBlockList(committed, uncommitted),
  }
}

function notModified(request: BlobRequest, blob: Blob): Answer {
  return { status: 304, headers: { ...versionHeaders(request, blob), 'x-ms-error-code': 'ConditionNotMet' } }
}

function versionHeaders({ headers }: BlobRequest, { etag, modifiedAt }: Blob): Record<string, string> {
  return { ...commonHeaders(headers), etag: `"${etag}"`, 'last-modified': modifiedAt.toUTCString() }
}

function fileHeaders(request: BlobRequest, blob: Blob): Record<string, string> {
  return {
    ...versionHeaders(request, blob),
    'content-type': blob.contentType,
    'accept-ranges': 'bytes',
    'x-ms-blob-type': 'BlockBlob',
    'x-ms-server-encrypted': 'false',
    // What a client uploaded as a page must never run as one of ours.
    'content-disposition': 'attachment',
    'content-security-policy': "default-src 'none'; sandbox",
  }
}

function wholeMd5({ md5 }: Blob): { 'content-md5': string } {
  return { 'content-md5': md5.toString('base64') }
}
