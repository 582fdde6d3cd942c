import type { Context } from '../execution/context'
import { findExecution, findMessage, listRecordErrors, type RecordErrorReport } from '../execution/report'
import { type Answer, type Route, route } from '../platform/http-route'
import { object, oneOf, whole } from '../platform/schema'
import { errorsFile } from '../staging/errors-file'
import { executionParams } from './message-routes'
import { pageOf, recordErrorSchema, recordErrorView } from './report-schema'

/** The errors of an execution's records, to read or as a file to correct. */
export function errorRoutes(context: Context): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/v1/executions/:executionId/errors',
      operation: 'listRecordErrors',
      tag: 'executions',
      summary: 'What is wrong with the records of an execution',
      description:
        'With format=file, or Accept: text/csv, the answer is the failed records themselves, in the format that they came in, ' +
        'ready to be corrected and sent again.',
      params: executionParams,
      query: object(
        {},
        {
          format: oneOf(['json', 'file']),
          limit: whole({ minimum: leastLimit, maximum: 1_000, default: defaultLimit }),
          afterRecord: whole({ minimum: 0, description: 'Only errors of records after this one.' }),
        },
      ),
      answers: { 200: { description: 'A page of errors, by record number.', schema: pageOf(recordErrorSchema) } },
      handle: async ({ params: { executionId }, query, headers }) => {
        const wantsFile =
          query.format === 'file' || (query.format === undefined && /^\s*text\/csv\b/i.test(headers.accept ?? ''))
        if (wantsFile) return answerFile(context, executionId)
        await findExecution(context.db, executionId)
        const { limit = defaultLimit, afterRecord = 0 } = query
        const { page, next } = wholeRecords(
          await listRecordErrors(context.db, executionId, { limit, afterRecord }),
          limit,
        )
        const nextLink =
          next === null ? null : `/api/v1/executions/${executionId}/errors?limit=${limit}&afterRecord=${next}`
        return { body: { value: page.map(recordErrorView), nextLink } }
      },
    }),
  ]
}

/** More than a record has errors, so that a page always ends with a whole record. */
const leastLimit = 100
const defaultLimit = 500

/** The page less the record whose errors it may have cut; `next` is the last record that is whole in it. */
function wholeRecords(errors: readonly RecordErrorReport[], limit: number) {
  const last = errors.at(-1)
  if (last === undefined || errors.length < limit) return { page: errors, next: null }
  const page = errors.filter(({ recordNumber }) => recordNumber !== last.recordNumber)
  return page.length === 0 ? { page: errors, next: last.recordNumber } : { page, next: page.at(-1)!.recordNumber }
}

async function answerFile(context: Context, executionId: string): Promise<Answer> {
  const { messageId } = await findExecution(context.db, executionId)
  const { entity, externalId } = await findMessage(context.db, messageId)
  return {
    headers: {
      'content-type': 'application/octet-stream', // delimited or XML: the format that it came in
      'content-disposition': `attachment; filename="errors-${fileName(externalId ?? entity ?? executionId)}"`,
    },
    body: errorsFile(context, executionId),
  }
}

/** The producer's name for the file, less what could mean something in a header or a path. */
function fileName(name: string): string {
  return (name.split(/[\\/]/).at(-1) ?? '').replace(/[^\w.-]+/g, '_').slice(-100)
}
