import { sourceFormats } from '../../src/format/registry'
import { ended, getJson, type RunningHub, runHub, send } from './running-hub'

describe('the formats of the API', () => {
  let running: RunningHub
  let formats: string
  beforeAll(async () => {
    running = await runHub()
    await running.work()
    formats = `${running.url}/api/v1/formats`
  })
  afterAll(() => running.stop())

  const definition = { kind: 'delimited', delimiter: ';', decimalSeparator: ',', dateFormat: 'dd.MM.yyyy' }
  const whole = { ...definition, qualifier: '"', hasHeader: true }
  const call = async (method: string, name: string, body?: object) => {
    const { status, text } = await send(`${formats}/${encodeURIComponent(name)}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? [] : [JSON.stringify(body)],
    })
    return { status, body: text === '' ? undefined : JSON.parse(text) }
  }
  const codeOf = ({ status, body }: Awaited<ReturnType<typeof call>>) => [status, body.error.code]
  const remove = async (name: string) => {
    const { status, text } = await send(`${formats}/${name}`, { method: 'DELETE' })
    return { status, body: text === '' ? undefined : JSON.parse(text) }
  }

  it('are added, replaced, shown, listed and removed', async () => {
    const german = { name: 'German CSV', isBuiltIn: false, definition: whole }
    expect(await call('PUT', 'German CSV', definition)).toEqual({ status: 201, body: german })
    expect(await call('PUT', 'german csv', definition)).toEqual({ status: 200, body: german })
    expect(await getJson(`${formats}/GERMAN%20CSV`)).toEqual({ status: 200, body: german })
    const { body } = await getJson(formats)
    expect(body.value.map(({ name }: { name: string }) => name)).toEqual([...Object.keys(sourceFormats), 'German CSV'])
    expect(body.value[0]).toEqual({
      name: 'CSV-Comma',
      isBuiltIn: true,
      definition: { kind: 'delimited', delimiter: ',', qualifier: '"', hasHeader: true },
    })
    expect(await remove('German%20CSV')).toEqual({ status: 204, body: undefined })
    expect(codeOf(await remove('German%20CSV'))).toEqual([404, 'EA115'])
    expect(codeOf(await call('GET', 'German CSV'))).toEqual([404, 'EA115'])
  })

  it('are refused with all that is wrong', async () => {
    const answer = await call('PUT', 'Wrong', { ...definition, qualifier: 'xx', dateFormat: 'dd.MM.yy' })
    expect(codeOf(answer)).toEqual([400, 'EA109'])
    expect(answer.body.error.target).toBe('qualifier')
    expect(answer.body.error.message).toMatch(/qualifier: .*; dateFormat: /)
    expect(codeOf(await call('PUT', 'Wrong', { ...definition, delimeter: ';' }))).toEqual([400, 'EA109'])
    expect(codeOf(await call('PUT', 'XML-Element', { kind: 'xml' }))).toEqual([409, 'EA110'])
    expect(codeOf(await remove('XML-Element'))).toEqual([409, 'EA110'])
    expect(codeOf(await call('PUT', 'Excel', definition))).toEqual([400, 'EA115'])
  })

  it('are taken by activities and messages, by any spelling of their name', async () => {
    await call('PUT', 'Shop', definition)
    const { text } = await send(`${running.url}/api/v1/activities`, {
      headers: { 'content-type': 'application/json' },
      body: [JSON.stringify({ name: 'Shop', entities: [{ entity: 'Legal entities', sourceFormat: 'shop' }] })],
    })
    const activity = JSON.parse(text)
    expect(activity.entities).toEqual([{ entity: 'OMLegalEntity', sourceFormat: 'Shop' }])
    expect(codeOf(await remove('Shop'))).toEqual([409, 'EA110'])
    const enqueued = await send(`${running.url}/api/connector/enqueue/${activity.id}`, {
      body: ['LegalEntityId;Name\nUSMF;Contoso\n'],
    })
    expect(await ended(running.url, JSON.parse(enqueued.text))).toBe('Processed')
  })

  it('answers 400 to a file of errors whose format is removed', async () => {
    await call('PUT', 'Passing', definition)
    const { id } = await running.activity('OMLegalEntity')
    const { text } = await send(`${running.url}/api/connector/enqueue/${id}?format=passing`, {
      body: ['LegalEntityId;Name\nTOOLONG;Contoso\n'],
    })
    const messageId = JSON.parse(text)
    expect(await ended(running.url, messageId)).toBe('ProcessedWithErrors')
    const { body: message } = await getJson(`${running.url}/api/v1/messages/${messageId}`)
    const errors = `${running.url}/api/v1/executions/${message.executionId}/errors?format=file`
    expect(await (await fetch(errors)).text()).toContain('TOOLONG;Contoso')
    expect((await remove('Passing')).status).toBe(204)
    const { status, body } = await getJson(errors)
    expect([status, body.error.code]).toEqual([400, 'EA115'])
  })
})
