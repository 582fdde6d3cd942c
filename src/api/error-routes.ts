import type { Context } from '../execution/context'
import { findExecution, findMessage, isSameRecord, listRecordErrors, type RecordErrorReport } from '../execution/report'
import { type Answer, type Route, route } from '../platform/http-route'
import { flag, object, oneOf, text, whole } from '../platform/schema'
import { errorsFile } from '../staging/errors-file'
import { executionParams } from './message-routes'
import { nextPage, pageOf, recordErrorSchema, recordErrorView } from './report-schema'

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
          entity: text({
            description: 'Any name of the one entity that is meant; a file needs it where several have errors.',
          }),
          reasons: flag({ description: 'The file says in a last column what is wrong.' }),
          after: text({
            pattern: '^\\d{1,15}\\.\\d{1,15}$',
            description: 'Where the page before ended; see its nextLink.',
          }),
        },
      ),
      answers: { 200: { description: 'A page of errors, by record number.', schema: pageOf(recordErrorSchema) } },
      handle: async ({ params: { executionId }, query, headers }) => {
        const wantsFile =
          query.format === 'file' || (query.format === undefined && /^\s*text\/csv\b/i.test(headers.accept ?? ''))
        const entity = query.entity === undefined ? undefined : context.registry.get(query.entity).name
        if (wantsFile) return answerFile(context, executionId, { entity, withReason: query.reasons ?? false })
        await findExecution(context.db, executionId)
        const { limit = defaultLimit } = query
        const [workId = 0, recordNumber = 0] = query.after?.split('.').map(Number) ?? []
        const { page, next } = wholeRecords(
          await listRecordErrors(context.db, executionId, { limit, after: { workId, recordNumber }, entity }),
          limit,
        )
        const path = `/api/v1/executions/${encodeURIComponent(executionId)}/errors`
        const nextLink = next && nextPage(path, { limit, after: `${next.workId}.${next.recordNumber}`, entity })
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
  const page = errors.filter((error) => !isSameRecord(error, last))
  return page.length === 0 ? { page: errors, next: last } : { page, next: page.at(-1)! }
}

async function answerFile(
  context: Context,
  executionId: string,
  { entity: only, withReason }: { entity: string | undefined; withReason: boolean },
): Promise<Answer> {
  const { messageId } = await findExecution(context.db, executionId)
  const { entity, externalId } = await findMessage(context.db, messageId)
  return {
    headers: {
      'content-type': 'application/octet-stream', // delimited or XML: the format that it came in
      'content-disposition': `attachment; filename="errors-${fileName(only ?? externalId ?? entity ?? executionId)}"`,
    },
    body: errorsFile(context, executionId, { withReason, ...(only === undefined ? {} : { entity: only }) }),
  }
}

/** The producer's name for the file, less what could mean something in a header or a path. */
function fileName(name: string): string {
  return (name.split(/[\\/]/).at(-1) ?? '').replace(/[^\w.-]+/g, '_').slice(-100)
}
