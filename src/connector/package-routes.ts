import { RequestRefused } from '../errors'
import { type ErrorFormat, type Route, route } from '../platform/http-route'
import { anyObject, object, text } from '../platform/schema'
import { readActionBody } from './action-body'
import { type ActionContext, packageActions } from './package-actions'

/** The package API of Dynamics 365's data management: actions of the set of data projects. */
export function packageRoutes(given: ActionContext): readonly Route[] {
  const byName = new Map(Object.entries(packageActions).map(([name, action]) => [name.toLowerCase(), { name, action }]))
  return [
    route({
      method: 'POST',
      path: '/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.:action',
      operation: 'packageAction',
      tag: 'package API',
      summary: 'Import data packages, and ask what became of them',
      description:
        `The actions of Dynamics 365's data management package REST API: ${Object.keys(packageActions).join(', ')}. ` +
        'Names of actions and parameters are found in any letter case.',
      takesBytes: true,
      params: object({ action: text() }),
      errors: dynamicsErrors,
      answers: { 200: { description: 'The value.', schema: anyObject() } },
      handle: async ({ params, bytes }) => {
        const found = byName.get(params.action.toLowerCase())
        if (!found) throw new RequestRefused(404, 'EA108', `There is no action '${params.action.slice(0, 100)}'`)
        const value = await named(found.name, async () => found.action.run(given, await readActionBody(bytes)))
        const context = `${given.baseUrl()}/data/$metadata#${found.action.returns}`
        return {
          headers: {
            'content-type': 'application/json; odata.metadata=minimal; charset=utf-8',
            'odata-version': '4.0',
          },
          body: JSON.stringify({ '@odata.context': context, value }),
        }
      },
    }),
  ]
}

/** Clients are answered 400 by an action that fails, whatever it was. */
async function named<T>(name: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof RequestRefused)) throw error
    const message = `Exception occurred while executing action ${name} on Entity DataManagementDefinitionGroup: ${error.message}`
    throw new RequestRefused(error.status === 413 ? 413 : 400, error.code, message, error.place)
  }
}

/** The error body of Dynamics 365; its code is empty there, and ours here. */
const dynamicsErrors: ErrorFormat = {
  mediaType: 'application/json; charset=utf-8',
  write({ headers, error }) {
    const { code, message, hint, place } = error
    const innererror = { message, type: 'System.InvalidOperationException', stacktrace: '', hint, ...place }
    return { headers, body: JSON.stringify({ error: { code, message: 'An error has occurred.', innererror } }) }
  },
}
