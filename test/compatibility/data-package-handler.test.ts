import { addActivity } from '../../src/project/activity'
import { ended, getJson, type RunningHub, send } from '../api/running-hub'
import { packageOf } from '../helpers/package'
import { callAction, endStatus, jsonHeaders, put, runContoso, upload, valueFrom, valueIn } from './package-client'
import { groups, terms } from './packages'

const zeroGuid = '00000000-0000-0000-0000-000000000000'

/**
 * What Microsoft's sample programs send, and how clients differ from one another in letter case, parameters and paths.
 * Source  microsoft/Dynamics-AX-Integration: DataPackageHandler, RecurringIntegrationApp.
 */
describe("Microsoft's samples", () => {
  let running: RunningHub
  let url: string

  beforeAll(async () => {
    running = await runContoso()
    url = running.url
  })
  afterAll(() => running.stop())

  const anotherGuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
  const parameters = (packageUrl: string) => ({
    packageUrl,
    definitionGroupId: 'AXI',
    executionId: '',
    execute: true,
    overwrite: true,
    legalEntityId: 'USMF',
  })

  it('always ask for room under the same name, and get a file of its own each time', async () => {
    const [one, other] = await Promise.all(
      [1, 2].map(async () => JSON.parse(await valueFrom(url, 'GetAzureWriteUrl', { uniqueFileName: zeroGuid }))),
    )
    expect(one.BlobId).not.toBe(other.BlobId)
    await put(one.BlobUrl, await packageOf('AXI', [terms('AxiOne')]))
    await put(other.BlobUrl, await packageOf('AXI', [terms('AxiOther')]))
    const ids = [
      await valueFrom(url, 'ImportFromPackage', { ...parameters(one.BlobUrl), definitionGroupId: 'AXI one' }),
      await valueFrom(url, 'ImportFromPackage', { ...parameters(other.BlobUrl), definitionGroupId: 'AXI other' }),
    ]
    for (const id of ids) expect(await endStatus(url, id)).toBe('Succeeded')
    const names = await running.hub.db.query(`SELECT "Name" FROM target."PaymentTermEntity" WHERE "Name" LIKE 'Axi%'`)
    expect(names).toHaveLength(2)
  })

  it.each([
    { what: 'an empty', change: { executionId: '' } },
    { what: 'a null', change: { executionId: null } },
    { what: 'no', change: { executionId: undefined } },
    { what: 'a blank', change: { executionId: '  ' } },
  ])('have an id made where they send $what execution id', async ({ change }) => {
    const packageUrl = await upload(url, await packageOf('AXI', [terms('AxiId')]))
    const executionId = await valueFrom(url, 'ImportFromPackage', { ...parameters(packageUrl), ...change })
    expect(executionId).toMatch(anotherGuid)
    expect(executionId).not.toBe(zeroGuid)
    expect(await endStatus(url, executionId)).toBe('Succeeded')
  })

  it('may spell actions and parameters in other letter case, and add parameters of other releases', async () => {
    const packageUrl = await upload(url, await packageOf('AXI', [terms('AxiCase')]))
    const executionId = await valueFrom(url, 'importFromPackageASYNC', {
      PackageUrl: packageUrl,
      DEFINITIONGROUPID: 'AXI',
      executionID: 'AXI case',
      Execute: 'true',
      overWrite: 'True',
      legalentityid: 'usmf',
      failOnError: true,
      runAsyncWithoutBatch: true,
      thresholdToRunInBatch: 1_000,
      importBatchGroupId: 'none',
    })
    expect(executionId).toBe('AXI case')
    expect(await endStatus(url, executionId)).toBe('Succeeded')
  })

  it('stop at the first entity with errors where they ask for it', async () => {
    const bytes = await packageOf('AXI', [groups(['A1', 'None']), terms('AxiStop')])
    const packageUrl = await upload(url, bytes)
    const status = async (failOnError: boolean) => {
      const given = { ...parameters(packageUrl), failOnError, definitionGroupId: `AXI ${failOnError}` }
      return endStatus(url, await valueFrom(url, 'ImportFromPackageAsync', given))
    }
    expect(await status(true)).toBe('Failed')
    expect(await status(false)).toBe('PartiallySucceeded')
  })

  it.each(['', '/en', '/en-us', '/namespaces/AXSF', '/NAMESPACES/axsf'])(
    'reach the actions below %j/data',
    async (prefix) => {
      for (const end of ['', '()', '?cross-company=true']) {
        const answer = await callAction(url + prefix, `GetAzureWriteUrl${end}`, { uniqueFileName: zeroGuid })
        expect([end, answer.status]).toEqual([end, 200])
        expect(JSON.parse(valueIn(answer)).BlobUrl).toMatch(/^http/)
      }
    },
  )

  it.each([undefined, 'text/plain', 'application/json;odata=verbose', 'no media type'])(
    'may send their JSON with the Content-Type %j',
    async (contentType) => {
      const { 'content-type': _, ...others } = jsonHeaders
      const headers = contentType === undefined ? others : { ...others, 'content-type': contentType }
      const answer = await callAction(url, 'GetAzureWriteUrl', { uniqueFileName: zeroGuid }, headers)
      expect(answer.status).toBe(200)
    },
  )

  it('enqueue a package with an empty entity, and without a Content-Type', async () => {
    const { id } = await addActivity(running.hub.db, {
      name: 'RecurringIntegrationApp',
      entities: ['PaymentTermEntity', 'CustCustomerGroupEntity'].map((entity) => ({ entity, sourceFormat: null })),
    })
    const bytes = await packageOf('App', [terms('AxiApp'), groups(['AA1', 'AxiApp'])])
    const { status, text } = await send(`${url}/en/api/connector/enqueue/%7B${id}%7D?entity=`, {
      headers: { 'x-ms-dyn-externalidentifier': 'app.zip', 'content-length': bytes.length },
      body: [bytes],
    })
    expect(status).toBe(200)
    expect(await ended(url, JSON.parse(text))).toBe('Processed')
    const { body } = await getJson(`${url}/api/connector/jobstatus/${id}?jobId=${JSON.parse(text)}`)
    expect(body.DataJobStatus.DataJobState).toBe('Processed')
    const executionId = await valueFrom(url, 'GetExecutionIdByMessageId', { messageId: JSON.parse(text) })
    expect(executionId).toBe(body.DataJobStatus.ExecutionIdentifier)
  })
})
