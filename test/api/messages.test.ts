import { waitFor } from '../helpers/wait-for'
import { ended, getJson, type RunningHub, runHub, send } from './running-hub'

describe('/api/v1', () => {
  let running: RunningHub
  let api: string

  beforeAll(async () => {
    running = await runHub()
    api = `${running.url}/api/v1`
    await running.work()
  })
  afterAll(() => running.stop())

  const post = async (path: string, body?: object) => {
    const json = body && { headers: { 'content-type': 'application/json' }, body: [JSON.stringify(body)] }
    const { status, text } = await send(api + path, { ...json })
    return { status, body: JSON.parse(text) }
  }
  async function addActivity(more: object = {}) {
    const name = `Companies ${Math.random()}`
    return (await post('/activities', { name, entities: [{ entity: 'Legal entities' }], ...more })).body
  }
  async function enqueue(activityId: string, file: string): Promise<string> {
    const { status, text } = await send(`${running.url}/api/connector/enqueue/${activityId}`, { body: [file] })
    expect(status).toBe(200)
    return JSON.parse(text)
  }
  const message = async (id: string) => (await getJson(`${api}/messages/${id}`)).body

  it('adds an activity, which takes any name of an entity, and turns it off and on', async () => {
    const added = await post('/activities', {
      name: 'Groups',
      entities: [{ entity: 'Customer groups', sourceFormat: 'csv-semicolon' }],
      ordered: true,
      company: 'USMF',
    })
    expect(added).toEqual({
      status: 201,
      body: {
        id: expect.any(String),
        name: 'Groups',
        project: 'Groups',
        ordered: true,
        strict: false,
        enabled: true,
        company: 'usmf',
        entities: [{ entity: 'CustCustomerGroupEntity', sourceFormat: 'CSV-Semicolon' }],
      },
    })
    const { id } = added.body
    expect((await post(`/activities/${id}/disable`)).body).toMatchObject({ id, enabled: false })
    expect((await post(`/activities/${id}/enable`)).body).toMatchObject({ id, enabled: true })
    expect((await getJson(`${api}/activities`)).body.value).toContainEqual(added.body)
    expect((await getJson(`${api}/activities/${id}`)).body).toEqual(added.body)
  })

  it.each([
    ['a name that is taken', { name: 'Taken', entities: [{ entity: 'OMLegalEntity' }] }, 409, 'EA110'],
    ['an unknown entity', { name: 'A', entities: [{ entity: 'Nothing' }] }, 400, 'EA102'],
    ['an unknown format', { name: 'A', entities: [{ entity: 'OMLegalEntity', sourceFormat: 'Word' }] }, 400, 'EA115'],
    ['no entities', { name: 'A', entities: [] }, 400, 'EA109'],
    ['a misspelt property', { name: 'A', entities: [{ entity: 'OMLegalEntity' }], orderd: true }, 400, 'EA109'],
  ])('refuses an activity with %s', async (_, activity, status, code) => {
    await post('/activities', { name: 'Taken', entities: [{ entity: 'OMLegalEntity' }] })
    const refused = await post('/activities', activity)
    expect([refused.status, refused.body.error.code]).toEqual([status, code])
  })

  it('shows a message, its execution and what is wrong with its records', async () => {
    const { id, name } = await addActivity()
    const file = 'LegalEntityId,Name\nUSMF,Contoso\nTOOLONG,Nobody\nDEMF,\n'
    const messageId = await enqueue(id, file)
    await ended(running.url, messageId)
    const shown = await message(messageId)
    expect(shown).toEqual({
      messageId,
      seq: expect.any(Number),
      activityId: id,
      activity: name,
      entity: 'OMLegalEntity',
      project: name,
      company: null,
      externalId: null,
      origin: 'http',
      bytes: file.length,
      hasBytes: true,
      status: 'ProcessedWithErrors',
      error: null,
      receivedAt: expect.stringMatching(/Z$/),
      finishedAt: expect.stringMatching(/Z$/),
      isBlocking: false,
      waitsFor: null,
      executionId: expect.any(String),
    })
    const { body: execution } = await getJson(`${api}/executions/${shown.executionId}`)
    expect(execution).toMatchObject({
      messageId,
      status: 'PartiallySucceeded',
      entities: [{ entity: 'OMLegalEntity' }],
    })
    const { records } = execution.entities[0]
    expect(records).toEqual({ read: 3, inserted: 1, updated: 0, unchanged: 0, superseded: 0, error: 2 })
    const { body: errors } = await getJson(`${api}/executions/${shown.executionId}/errors`)
    expect(errors).toEqual({
      value: [
        expect.objectContaining({
          recordNumber: 2,
          line: 3,
          step: 'stage',
          code: 'ER202',
          field: 'LegalEntityId',
          value: 'TOOLONG',
        }),
        expect.objectContaining({ recordNumber: 3, line: 4, step: 'stage', code: 'ER201', field: 'Name' }),
      ],
      nextLink: null,
    })
  })

  it('gives the failed records as a file to correct', async () => {
    const { id } = await addActivity()
    const messageId = await enqueue(id, 'LegalEntityId,Name\nUSMF,Contoso\nTOOLONG,Nobody\n')
    await ended(running.url, messageId)
    const { executionId } = await message(messageId)
    const asked = [
      await fetch(`${api}/executions/${executionId}/errors?format=file`),
      await fetch(`${api}/executions/${executionId}/errors`, { headers: { accept: 'text/csv' } }),
    ]
    for (const answer of asked) {
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-disposition')).toBe('attachment; filename="errors-OMLegalEntity"')
      const lines = (await answer.text()).trim().split(/\r?\n/)
      expect(lines).toHaveLength(2)
      expect(lines[1]).toMatch(/TOOLONG,Nobody/)
    }
  })

  it('pages through all errors of all records', async () => {
    const { id } = await addActivity()
    const bad = Array.from({ length: 250 }, (_, i) => `TOOLONG${i},\n`) // two errors each
    const messageId = await enqueue(id, `LegalEntityId,Name\n${bad.join('')}`)
    await ended(running.url, messageId)
    const { executionId } = await message(messageId)
    const seen: string[] = []
    for (let next = `/api/v1/executions/${executionId}/errors?limit=101`; next; ) {
      const { body } = await getJson(running.url + next)
      for (const { recordNumber, code } of body.value) seen.push(`${recordNumber} ${code}`)
      next = body.nextLink
    }
    expect(seen).toHaveLength(500)
    expect(new Set(seen).size).toBe(500)
  })

  it('lists messages newest first, by activity and status, page by page', async () => {
    const { id } = await addActivity()
    const ids: string[] = []
    for (const company of ['A1', 'A2', 'A3']) ids.unshift(await enqueue(id, `LegalEntityId,Name\n${company},x\n`))
    for (const messageId of ids) await ended(running.url, messageId)
    const first = (await getJson(`${api}/messages?activityId=${id}&status=Processed&limit=2`)).body
    expect(first.value.map(({ messageId }: { messageId: string }) => messageId)).toEqual(ids.slice(0, 2))
    const second = (await getJson(running.url + first.nextLink)).body
    expect(second.value.map(({ messageId }: { messageId: string }) => messageId)).toEqual(ids.slice(2))
    expect(second.nextLink).toBeNull()
    expect((await getJson(`${api}/messages?activityId=${id}&status=Canceled`)).body.value).toEqual([])
  })

  it('runs records in error again, and refuses when there is nothing to run again', async () => {
    const { id } = await addActivity()
    const messageId = await enqueue(id, 'LegalEntityId,Name\nB1,x\nTOOLONG,y\n')
    await ended(running.url, messageId)
    const { executionId } = await message(messageId)
    expect(await post(`/executions/${executionId}/retry`)).toEqual({ status: 202, body: { executionId } })
    expect(await ended(running.url, messageId)).toBe('ProcessedWithErrors')
    const good = await enqueue(id, 'LegalEntityId,Name\nB1,x\n')
    await ended(running.url, good)
    const refused = await post(`/executions/${(await message(good)).executionId}/retry`)
    expect([refused.status, refused.body.error.code]).toEqual([409, 'EA110'])
  })

  it('lets the message behind a failed one of an ordered activity go on when that is skipped, or cancelled', async () => {
    const { id } = await addActivity({ ordered: true })
    for (const release of ['skip', 'cancel']) {
      const failed = await enqueue(id, '')
      const behind = await enqueue(id, 'LegalEntityId,Name\nC1,x\n')
      expect(await ended(running.url, failed)).toBe('PreProcessingError')
      await waitFor(async () => (await message(behind)).waitsFor === failed, { what: 'the message behind to wait' })
      const { isBlocking, executionId } = await message(failed)
      expect(isBlocking).toBe(true)
      const path = release === 'skip' ? `/messages/${failed}/skip` : `/executions/${executionId}/cancel`
      expect((await post(path)).status).toBe(202)
      expect(await ended(running.url, behind)).toBe('Processed')
    }
  })

  it('answers what does not exist with 404, and nonsense with 400', async () => {
    const codeOf = async (path: string) => {
      const { status, body } = await getJson(api + path)
      return [status, body.error.code]
    }
    expect(await codeOf('/messages/00000000-0000-0000-0000-000000000000')).toEqual([404, 'EA108'])
    expect(await codeOf('/messages/nonsense')).toEqual([404, 'EA108'])
    expect(await codeOf('/executions/nonsense')).toEqual([404, 'EA108'])
    expect(await codeOf('/executions/nonsense/errors')).toEqual([404, 'EA108'])
    expect(await codeOf('/executions/nonsense/errors?format=file')).toEqual([404, 'EA108'])
    expect(await codeOf('/messages?limit=lots')).toEqual([400, 'EA109'])
    expect(await codeOf('/messages?status=Lost')).toEqual([400, 'EA109'])
    expect(await codeOf('/messages?activityId=nonsense')).toEqual([400, 'EA109'])
    expect(await codeOf('/executions/a%00b')).toEqual([400, 'EA109'])
  })

  it('describes every composite with its members, and takes activities of them', async () => {
    const { body } = await getJson(`${api}/entities`)
    expect(body.composites).toEqual([
      {
        name: 'SalesOrderV3Entity',
        label: 'Sales orders composite V3',
        publicEntityName: 'SalesOrderV3Entity',
        companySpecific: true,
        members: [
          { entity: 'SalesOrderHeaderV2Entity', parent: null },
          { entity: 'SalesOrderLineV2Entity', parent: 'SalesOrderHeaderV2Entity' },
        ],
      },
    ])
    const { body: activity } = await post('/activities', {
      name: 'Orders',
      entities: [{ entity: 'sales orders composite v3' }],
    })
    expect(activity.entities).toMatchObject([{ entity: 'SalesOrderV3Entity' }])
  })

  it('describes every entity with its key and fields', async () => {
    const { body } = await getJson(`${api}/entities`)
    expect(body.value.map(({ name }: { name: string }) => name)).toEqual(
      running.hub.registry.all.map(({ name }) => name),
    )
    const groups = body.value.find(({ label }: { label: string }) => label === 'Customer groups')
    expect(groups).toMatchObject({ companySpecific: true, key: ['dataAreaId', 'CustomerGroupId'] })
    expect(groups.fields).toContainEqual({
      name: 'CustomerGroupId',
      type: 'string',
      mandatory: true,
      isKey: true,
      maxLength: 10,
    })
  })
})
