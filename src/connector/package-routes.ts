import { RequestRefused } from '../errors'
import { type ErrorFormat, type Route, route } from '../platform/http-route'
import { anyObject, object, text } from '../platform/schema'
import { readActionBody } from './action-body'
import { type ActionContext, packageActions } from './package-actions'

/** The package API of Dynamics 365's data management: actions of the set of data projects. */
export function packageRoutes(given: ActionContext): readonly Route[] {
  const byName = new Map(Object.entries(packageActions).map(([name, action]) => [name.toLowerCase(), { name, action }]))
  const find = (name: string) => {
    const found = byName.get(name.toLowerCase())
    if (!found) throw new RequestRefused(404, 'EA108', `There is no action '${name.slice(0, 100)}'`)
    return found
  }
  const common = {
    path: '/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.:action',
    tag: 'package API',
    params: object({ action: text() }),
    errors: dynamicsErrors,
  } as const
  return [
    route({
      ...common,
      method: 'GET',
      operation: 'getPackageAction',
      summary: 'Refused: actions are called with POST',
      answers: { 405: { description: 'With Allow: POST.' } },
      handle: ({ params }) => {
        throw new RequestRefused(405, 'EA109', `The action ${find(params.action).name} is called with POST`)
      },
    }),
    route({
      ...common,
      method: 'POST',
      operation: 'packageAction',
      summary: 'Import data packages, and ask what became of them',
      description:
        `The actions of Dynamics 365's data management package REST API: ${Object.keys(packageActions).join(', ')}. ` +
        'Names of actions and parameters are found in any letter case.',
      takesBytes: true,
      answers: { 200: { description: 'The value.', schema: anyObject() } },
      handle: async ({ params, bytes }) => {
        const found = find(params.action)
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
  write({ status, headers, error }) {
    const { code, message, hint, place } = error
    const innererror = { message, type: 'System.InvalidOperationException', stacktrace: '', hint, ...place }
    const allowed = status === 405 ? { allow: 'POST' } : {}
    return {
      headers: { ...headers, ...allowed },
      body: JSON.stringify({ error: { code, message: 'An error has occurred.', innererror } }),
    }
  },
}
