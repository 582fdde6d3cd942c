import type { Context } from '../execution/context'
import { type Route, route } from '../platform/http-route'
import { lenient, object, text } from '../platform/schema'
import { download, readProperties } from './blob-download'
import { blobErrors } from './blob-error'
import { commonHeaders } from './blob-headers'
import { checkLink } from './blob-link'
import { type BlobRequest, unknownComp } from './blob-request'
import { findBlob, removeBlob } from './blob-store'
import { upload } from './blob-upload'
import { blobKey } from './blob-url'
import { bareId } from './connector-url'

/**
 * Files behind signed links, for clients of Azure Blob Storage: Put Blob, Put Block, Put Block List, Get Block List,
 * Get Blob, Get Blob Properties, Delete Blob. Who has a link needs no other right; a page of another site is refused as
 * everywhere, since programs are who links are made for.
 * Source  Azure Storage REST API, "Operations on blobs".
 */
export function blobRoutes(context: Context): readonly Route[] {
  const common = {
    path: '/dmf/:blobId/*',
    tag: 'connector',
    params: blobParams,
    query: blobQuery,
    errors: blobErrors,
  } as const
  return [
    route({
      ...common,
      method: 'PUT',
      operation: 'putBlob',
      summary: 'Upload a file by its link',
      description:
        'The body is the file. Large files may come in blocks: comp=block with a blockid for each, then comp=blocklist ' +
        'with the list of them as XML.',
      takesBytes: true,
      headers: conditionHeaders,
      answers: {
        201: { description: 'The bytes are durable.' },
        ...refusals,
        413: { description: 'It is too large.' },
      },
      handle: async (request) => upload(context, await authorize(context, request, 'w'), request),
    }),
    route({
      ...common,
      method: 'HEAD',
      operation: 'headBlob',
      summary: 'Properties of a file',
      headers: conditionHeaders,
      answers: { 200: { description: 'As headers.' }, 304: unchanged, ...refusals },
      handle: async (request) => readProperties(context, await authorize(context, request, 'r'), request),
    }),
    route({
      ...common,
      method: 'GET',
      operation: 'getBlob',
      summary: 'Download a file by its link',
      description:
        'All of it, or what Range or x-ms-range asks for. With comp=blocklist, the blocks that it is made of.',
      headers: conditionHeaders,
      answers: {
        200: { description: 'The file.', mediaType: 'application/octet-stream' },
        206: { description: 'A part of the file.', mediaType: 'application/octet-stream' },
        304: unchanged,
        ...refusals,
        416: { description: 'The file has no such bytes.' },
      },
      handle: async (request) => download(context, await authorize(context, request, 'r'), request),
    }),
    route({
      ...common,
      method: 'DELETE',
      operation: 'deleteBlob',
      summary: 'Remove a file by its link',
      answers: { 202: { description: 'It is gone.' }, ...refusals },
      handle: async (request) => {
        const blobId = await authorize(context, request, 'd')
        if (request.query.comp) throw unknownComp(request.query.comp)
        await findBlob(context.db, blobId)
        await removeBlob(context, blobId)
        return { status: 202, headers: commonHeaders(request.headers) }
      },
    }),
  ]
}

const blobParams = object({
  blobId: text({ description: "The file's GUID." }),
  '*': text({ description: 'Its name.' }),
})
const blobQuery = lenient(
  object(
    {},
    {
      sp: text({ description: 'What the link allows.' }),
      se: text({ description: 'When it expires.' }),
      sig: text({ description: 'Its signature.' }),
      comp: text({ description: 'block, blocklist, or left out for the whole file.' }),
      blockid: text({ description: 'Base64 of at most 64 bytes.' }),
    },
  ),
)
const conditionHeaders = object({}, { 'if-match': text(), 'if-none-match': text() })
const unchanged = { description: 'The file is the one that the client has.' }
const refusals = {
  403: { description: 'The link is not valid, not valid any longer, or does not allow this.' },
  404: { description: 'There is no file.' },
  412: { description: 'The file is not the one that the request demands.' },
}

/** The id of the blob whose link allows it. Throws BlobRefused AuthenticationFailed, AuthorizationPermissionMismatch. */
async function authorize(
  { db }: Context,
  { params, query }: Pick<BlobRequest, 'params' | 'query'>,
  wanted: 'r' | 'w' | 'd',
): Promise<string> {
  const blob = { blobId: bareId(params.blobId).toLowerCase(), name: params['*'] }
  checkLink(blob, [query], wanted, await blobKey(db))
  return blob.blobId
}
