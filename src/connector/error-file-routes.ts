import { RequestRefused } from '../errors'
import type { Context } from '../execution/context'
import { type Route, route } from '../platform/http-route'
import { lenient, object, text } from '../platform/schema'
import { errorsFile } from '../staging/errors-file'
import { blobKey, blobUrl, verifyBlobUrl } from './blob-url'

/** A file of the errors of one entity of an execution. */
export interface ErrorFile {
  /** Id of the execution's entity. */
  readonly workId: number
  /** target-keys: the keys of records that failed at promotion; staging: the records that were found wrong when staged. */
  readonly kind: 'target-keys' | 'staging'
}

/** A signed link to a file of errors; the file is written when it is asked for. */
export function errorFileUrl(base: string, file: ErrorFile, expiresAt: Date, key: Buffer): string {
  return blobUrl(base, nameOf(file), 'r', expiresAt, key)
}

function nameOf({ workId, kind }: ErrorFile) {
  return { blobId: `errors-${workId}`, name: `${kind}.txt` }
}

/** Files of errors by signed links. */
export function errorFileRoutes(context: Context): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/dmf/errors-:workId/:name',
      operation: 'getErrorFile',
      tag: 'package API',
      summary: 'The records in error of an entity, or their keys, by a signed link',
      params: object({ workId: text({ pattern: '^\\d{1,18}$' }), name: text() }),
      query: lenient(object({}, { sp: text(), se: text(), sig: text() })),
      answers: { 200: { description: 'The file, in the format that the records came in.', mediaType: 'text/plain' } },
      handle: async ({ params, query }) => {
        const workId = Number(params.workId)
        const kind = params.name === 'staging.txt' ? 'staging' : 'target-keys'
        const verdict = verifyBlobUrl(nameOf({ workId, kind }), query, 'r', await blobKey(context.db), new Date())
        if (verdict !== 'granted')
          throw new RequestRefused(403, 'EA121', `The link to the file of errors is ${verdict}`)
        const { executionId, entity } = await findWork(context, workId)
        const choice =
          kind === 'staging' ? ({ which: 'staging' } as const) : ({ which: 'target', keysOnly: true } as const)
        return {
          headers: {
            'content-type': 'text/plain; charset=utf-8',
            'content-disposition': `attachment; filename="${kind}.txt"`,
          },
          body: errorsFile(context, executionId, { ...choice, entity }),
        }
      },
    }),
  ]
}

async function findWork({ db }: Context, workId: number): Promise<{ executionId: string; entity: string }> {
  const [work] = await db.query<{ executionId: string; entity: string }>(
    'SELECT execution_id AS "executionId", entity FROM entrepot.execution_entity WHERE id = $1',
    [workId],
  )
  if (work) return work
  throw new RequestRefused(404, 'EA108', `The execution of the file of errors is not there any more`)
}
