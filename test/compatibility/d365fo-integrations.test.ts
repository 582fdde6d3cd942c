import { randomUUID } from 'node:crypto'
import { addActivity } from '../../src/project/activity'
import { ended, type RunningHub, send } from '../api/running-hub'
import { packageOf } from '../helpers/package'
import { callAction, runContoso, valueIn } from './package-client'
import { groups, terms } from './packages'

/**
 * What the PowerShell module d365fo.integrations sends, and what it demands of the answers.
 * Source  d365collaborative/d365fo.integrations: Import-D365DmfPackage, Get-D365DmfMessageStatus, Export-D365DmfPackage,
 *         Invoke-D365DmfInit.
 */
describe('d365fo.integrations', () => {
  let running: RunningHub
  let url: string
  let activityId: string

  beforeAll(async () => {
    running = await runContoso()
    url = running.url
    const entities = ['PaymentTermEntity', 'CustCustomerGroupEntity'].map((entity) => ({ entity, sourceFormat: null }))
    activityId = (await addActivity(running.hub.db, { name: 'Packages', entities })).id
  })
  afterAll(() => running.stop())

  // Invoke-RestMethod writes no charset.
  const headers = { authorization: 'Bearer some.access.token', 'content-type': 'application/json' }

  async function enqueue(bytes: Buffer) {
    return send(`${url}/api/connector/enqueue/${activityId}`, {
      headers: {
        authorization: 'Bearer some.access.token',
        'content-type': 'application/zip',
        'content-length': bytes.length,
      },
      body: [bytes],
    })
  }
  const statusOf = (messageId: string) => callAction(url, 'GetMessageStatus', `{'messageId':'${messageId}'}`, headers)

  it.each([
    { what: 'Processed', entities: [terms('SplNet1'), groups(['S1', 'SplNet1'])] },
    { what: 'ProcessedWithErrors', entities: [groups(['S2', 'SplNet1'], ['S3', 'None'])] },
    { what: 'PreProcessingError', entities: [{ ...terms(), text: '' }] },
  ])('enqueues a package, and waits for $what by JSON in single quotes', async ({ what, entities }) => {
    const enqueued = await enqueue(await packageOf('Packages', entities))
    // Any other status of success is a failure to it.
    expect(enqueued.status).toBe(200)
    const messageId = JSON.parse(enqueued.text)
    const names = ['Enqueued', 'Preprocessing', 'Processing', 'Processed', 'ProcessedWithErrors', 'PreProcessingError']
    expect(names).toContain(valueIn(await statusOf(messageId)))
    await ended(url, messageId)
    const answer = await statusOf(messageId)
    expect([answer.status, valueIn(answer)]).toEqual([200, what])
    // It shows the context beside the status.
    expect(JSON.parse(answer.text)['@odata.context']).toBe(`${url}/data/$metadata#Edm.String`)
  })

  it('takes an apostrophe in single quotes, or its JSON in double ones', async () => {
    const answer = await callAction(url, 'GetMessageStatus', `{'messageId':'${randomUUID()}'}`, headers)
    expect(answer.status).toBe(400)
    for (const body of [`{'executionId':'Nobody"s'}`, '{"executionId":"Nobody\\"s"}']) {
      const refused = await callAction(url, 'GetExecutionSummaryStatus', body, headers)
      expect(JSON.parse(refused.text).error.innererror.message).toContain('Nobody"s')
    }
  })

  it('has the list of entities made anew', async () => {
    for (const body of ['{}', '']) {
      const answer = await callAction(url, 'InitializeDataManagement', body, headers)
      expect([answer.status, valueIn(answer)]).toEqual([200, ''])
    }
  })

  it('is told that there is nothing to export', async () => {
    const { status, text } = await send(`${url}/api/connector/dequeue/${activityId}`, { method: 'GET', headers })
    expect([status, text]).toEqual([204, ''])
  })
})
