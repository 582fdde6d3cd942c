/**
 * Rewrites what clients of Dynamics 365 make of a connector URL, or of one of the package API's, into the one that our
 * routes know: a language prefix goes (`/en-us/api/…`), path and query keys get our letter case, and %uXXXX escapes of old
 * .NET become UTF-8 ones. Other URLs stay as they are.
 */
export function connectorUrl(url: string): string {
  const [, name] = actionPath.exec(url) ?? []
  if (name) return `/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.${name}`
  const found = connectorPath.exec(url)
  if (!found) return url
  const [, action = '', id = '', query] = found
  const path = `/api/connector/${action.toLowerCase()}/${id}`
  return query === undefined ? path : `${path}?${canonicalQuery(query)}`
}

const connectorPath = /^(?:\/[a-z]{2}(?:-[a-z]{2,4})?)?\/api\/connector\/([a-z]+)\/([^/?]*)(?:\?(.*))?$/is

/** An action of the package API; on premises it stands below `/namespaces/AXSF`. */
const actionPath =
  /^(?:\/namespaces\/axsf)?(?:\/[a-z]{2}(?:-[a-z]{2,4})?)?\/data\/datamanagementdefinitiongroups\/microsoft\.dynamics\.dataentities\.(\w+)(?:\(\))?\/?(?:\?.*)?$/i

/** Query keys, in lower case, and how our routes spell them. */
const keys = new Map(['entity', 'company', 'format', 'jobId'].map((key) => [key.toLowerCase(), key]))

function canonicalQuery(query: string): string {
  return query
    .split('&')
    .map((pair) => {
      const at = pair.indexOf('=')
      const key = at < 0 ? pair : pair.slice(0, at)
      const value = at < 0 ? '' : pair.slice(at)
      return (keys.get(key.toLowerCase()) ?? key) + utf8Escapes(value)
    })
    .join('&')
}

/** HttpUtility of .NET Framework may write characters beyond ASCII as %uXXXX, one for each UTF-16 unit. */
function utf8Escapes(value: string): string {
  return value.replace(/(?:%u[0-9a-f]{4})+/gi, (run) => {
    const units = run.split(/%u/i).slice(1)
    const text = String.fromCharCode(...units.map((unit) => Number.parseInt(unit, 16)))
    return encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8')) // by way of bytes, since half a pair cannot be encoded
  })
}

/** A GUID as clients send it: in braces or double quotes, or both. */
export function bareId(text: string): string {
  return text.replace(/^["{\s]+|["}\s]+$/g, '')
}
