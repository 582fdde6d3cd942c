import type { Context } from '../execution/context'
import { type Route, route } from '../platform/http-route'
import { flag, list, object, oneOf, text } from '../platform/schema'
import {
  findSourceFormat,
  type KnownFormat,
  listSourceFormats,
  putSourceFormat,
  removeSourceFormat,
} from '../project/source-format-store'

/** Source data formats: the built-in ones, and those that people define. */
export function formatRoutes({ db }: Context): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/v1/formats',
      operation: 'listFormats',
      tag: 'formats',
      summary: 'All source data formats: the built-in ones, then your own by name',
      answers: { 200: { description: 'The formats.', schema: object({ value: list(formatSchema) }) } },
      handle: async () => ({ body: { value: (await listSourceFormats(db)).map(view) } }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/formats/:name',
      operation: 'getFormat',
      tag: 'formats',
      summary: 'One source data format',
      params: formatParams,
      answers: { 200: { description: 'The format.', schema: formatSchema } },
      handle: async ({ params }) => ({ body: view(await findSourceFormat(db, params.name, 404)) }),
    }),
    route({
      method: 'PUT',
      path: '/api/v1/formats/:name',
      operation: 'putFormat',
      tag: 'formats',
      summary: 'Add a source data format, or replace its definition',
      description: 'Messages that come later are read by the new definition, and so are retries.',
      params: formatParams,
      body: definitionSchema,
      answers: {
        200: { description: 'The format, whose definition was replaced.', schema: formatSchema },
        201: { description: 'The new format.', schema: formatSchema },
      },
      handle: async ({ params, body }) => {
        const { isNew, ...format } = await putSourceFormat(db, params.name, body)
        return { status: isNew ? 201 : 200, body: view(format) }
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/v1/formats/:name',
      operation: 'removeFormat',
      tag: 'formats',
      summary: 'Remove a source data format that no data project uses',
      params: formatParams,
      answers: { 204: { description: 'It is removed.' } },
      handle: async ({ params }) => {
        await removeSourceFormat(db, params.name)
        return { status: 204 }
      },
    }),
  ]
}

const formatParams = object({ name: text({ description: 'In upper or lower case.' }) })

const definitionSchema = object(
  { kind: oneOf(['delimited', 'xml']) },
  {
    delimiter: text({ description: 'delimited: what stands between fields.' }),
    qualifier: text({ description: 'delimited: the sign around fields that hold the delimiter; "" for none.' }),
    hasHeader: flag({ description: 'delimited: the first record names the columns. Default: true.' }),
    rowDelimiter: text({ description: 'delimited: the only text that ends a record. Default: any line end.' }),
    escape: text({ description: 'delimited: makes the next character literal inside a qualified field.' }),
    comment: text({ description: 'delimited: lines that begin with it are skipped.' }),
    style: text({ description: 'xml: element or attribute.' }),
    root: text({ description: 'xml: name of the root element that is written.' }),
    encoding: text({ description: 'Encoding or code page of files that do not say theirs. Default: utf-8.' }),
    decimalSeparator: text({ description: 'A dot or a comma.' }),
    groupSeparator: text({ description: 'What may stand between groups of three digits.' }),
    dateFormat: text({ description: 'Such as dd.MM.yyyy. Default: yyyy-MM-dd.' }),
    dateTimeFormat: text({ description: 'Such as dd.MM.yyyy HH:mm:ss. Default: ISO 8601.' }),
    timeZone: text({ description: 'IANA name: where date-times without an offset are local. Default: UTC.' }),
  },
)

const formatSchema = object({ name: text(), isBuiltIn: flag(), definition: definitionSchema })

function view({ name, isBuiltIn, format }: KnownFormat) {
  return { name, isBuiltIn, definition: format }
}
