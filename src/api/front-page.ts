/** The page at `/`: what this is, and where to go from here. */
export const frontPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Entrepot</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; color: #1c2733 }
  h1 { margin-bottom: 0 }
  code { background: #eef1f4; padding: .1em .3em; border-radius: .2em }
  pre { background: #eef1f4; padding: .8em; overflow: auto }
  li { margin: .3em 0 }
  a { color: #0b5cad }
  @media (prefers-color-scheme: dark) { body { background: #14191f; color: #d8dee5 } code, pre { background: #232b34 } a { color: #79b8ff } }
</style>
<h1>Entrepot</h1>
<p>Receives CSV and XML files, stages and checks their records, and promotes the good ones to typed tables.
Bad records are kept with their reasons.</p>
<ul>
  <li><a href="/ops/queues">Queues</a> (Bull Board): bells that ring for work; the work itself is in the database</li>
  <li><a href="/api/v1/messages">Messages</a>, <a href="/api/v1/executions">executions</a>, <a href="/api/v1/projects">data projects</a>,
    <a href="/api/v1/activities">activities</a>, <a href="/api/v1/entities">entities</a>, <a href="/api/v1/formats">formats</a></li>
  <li><a href="/api/v1/openapi.json">OpenAPI document</a> of everything here</li>
  <li><a href="/healthz">Alive?</a> <a href="/readyz">Ready?</a> <a href="/metrics">Metrics</a></li>
</ul>
<p>Send a file:</p>
<pre>curl --data-binary @customers.csv \\
  'http://…/api/connector/enqueue/{activity id}?entity=Customers&amp;company=USMF'</pre>
<p>Programs that import data packages find the package API of Dynamics 365 below <code>/data/DataManagementDefinitionGroups</code>.</p>
</html>
`
