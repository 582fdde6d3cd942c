import { type PackedEntity, packageOf } from '../helpers/package'
import { askJson, ended, getJson, type RunningHub, runHub, sendCompany } from './running-hub'

const terms = (...names: string[]): PackedEntity => ({
  entityName: 'Terms of payment',
  text: `Name,Description\n${names.map((name) => `${name},of a package\n`).join('')}`,
})
interface RunAnswer {
  readonly messageId: string
  readonly executionId: string
  readonly error: { readonly code: string }
}

const groups: PackedEntity = { entityName: 'Customer groups', text: 'CustomerGroupId,PaymentTermId\n1,A\n2,none\n' }

describe('/api/v1/projects', () => {
  let running: RunningHub
  let api: string

  beforeAll(async () => {
    running = await runHub()
    api = `${running.url}/api/v1`
    await running.work()
    await sendCompany(running)
  })
  afterAll(() => running.stop())

  const ask = (method: string, path: string, body?: object) => askJson(api + path, method, body)
  const run = async (project: string, file: Buffer, query = '') => {
    const answer = await fetch(`${api}/projects/${encodeURIComponent(project)}/run?company=usmf${query}`, {
      method: 'POST',
      body: new Uint8Array(file),
    })
    return { status: answer.status, body: (await answer.json()) as RunAnswer }
  }
  /** The execution of a run, once it has ended. */
  const ranTo = async ({ body: { messageId, executionId } }: Awaited<ReturnType<typeof run>>) => {
    await ended(running.url, messageId)
    return (await getJson(`${api}/executions/${executionId}`)).body
  }

  it('adds a project, changes it, and removes it', async () => {
    const added = await ask('POST', '/projects', { name: 'First', category: 'Other' })
    const first = { name: 'First', operation: 'Import', category: 'Other', description: '', entities: [] }
    expect(added).toEqual({ status: 201, body: first })
    const changed = await ask('PATCH', '/projects/FIRST', { description: 'what it is for' })
    expect(changed).toEqual({ status: 200, body: { ...first, description: 'what it is for' } })
    expect((await ask('GET', '/projects')).body.value).toContainEqual(changed.body)
    expect((await ask('GET', '/projects/first')).body).toEqual(changed.body)
    expect(await ask('DELETE', '/projects/first')).toEqual({ status: 204, body: undefined })
    expect((await ask('GET', '/projects/first')).status).toBe(404)
  })

  it.each([
    ['POST', '/projects', { name: 'TAKEN' }, 409, 'EA110'],
    ['POST', '/projects', { name: '' }, 400, 'EA109'],
    ['POST', '/projects', { name: 'x', category: 'Pet' }, 400, 'EA109'],
    ['POST', '/projects', { name: 'x', colour: 'red' }, 400, 'EA109'],
    ['PATCH', '/projects/none', {}, 404, 'EA118'],
    ['DELETE', '/projects/none', undefined, 404, 'EA118'],
    ['GET', '/projects/none/executions', undefined, 404, 'EA118'],
    ['GET', '/projects/%00', undefined, 404, 'EA118'],
    ['GET', '/projects/a%00b/executions', undefined, 404, 'EA118'],
    ['PATCH', '/projects/a%00b', {}, 404, 'EA118'],
    ['DELETE', '/projects/a%00b', undefined, 404, 'EA118'],
    ['PUT', '/projects/a%00b/entities/Currencies', {}, 404, 'EA118'],
    ['DELETE', '/projects/a%00b/entities/Currencies', undefined, 404, 'EA118'],
    ['POST', '/projects', { name: 'a\0b' }, 400, 'EA109'],
    ['PUT', '/projects/none/entities/Currencies', {}, 404, 'EA118'],
    ['PUT', '/projects/taken/entities/Nothing', {}, 400, 'EA102'],
    ['PUT', '/projects/taken/entities/Currencies', { taskCount: 33 }, 400, 'EA109'],
    ['DELETE', '/projects/taken/entities/Currencies', undefined, 404, 'EA105'],
  ])('refuses %s %s with %j', async (method, path, body, status, code) => {
    await ask('POST', '/projects', { name: 'Taken' })
    const refused = await ask(method, path, body)
    expect([refused.status, refused.body.error.code]).toEqual([status, code])
  })

  it('sets the entities of a project, by any of their names, and takes them out', async () => {
    await ask('POST', '/projects', { name: 'Lines' })
    const mapping = [
      { field: 'CurrencyCode', source: 'CODE', conversions: [{ from: 'euro', to: 'EUR' }] },
      { field: 'Name', source: null, defaultValue: 'money' },
    ]
    const line = { levelInExecutionUnit: 2, truncateEntityData: true, taskCount: 4, mapping }
    const set = await ask('PUT', '/projects/lines/entities/currencies', line)
    expect([set.status, set.body.entities]).toEqual([
      200,
      [expect.objectContaining({ entity: 'CurrencyEntity', ...line })],
    ])
    const less = await ask('PUT', '/projects/lines/entities/CurrencyEntity', { mapping: null, taskCount: null })
    expect(less.body.entities).toEqual([
      expect.objectContaining({ levelInExecutionUnit: 2, truncateEntityData: true, taskCount: null, mapping: null }),
    ])
    const gone = await ask('DELETE', '/projects/lines/entities/Currency')
    expect([gone.status, gone.body.entities]).toEqual([200, []])
  })

  it('refuses a mapping with all that is wrong with it (EF112), and keeps the line as it was', async () => {
    await ask('POST', '/projects', { name: 'Mapped' })
    await ask('PUT', '/projects/mapped/entities/Currencies', { file: 'money.csv' })
    const mapping = [
      { field: 'Nmae', source: 'x' },
      { field: 'GeneralRoundingRule', source: 'y', defaultValue: 'much' },
    ]
    const { status, body } = await ask('PUT', '/projects/mapped/entities/Currencies', { mapping })
    expect(status).toBe(400)
    expect(body.error).toMatchObject({ code: 'EF112' })
    expect(body.error.message).toMatch(/no field Nmae; did you mean Name\?; .*'much'.*; CurrencyCode is a key field/)
    expect((await ask('GET', '/projects/mapped')).body.entities).toMatchObject([{ file: 'money.csv', mapping: null }])
  })

  it('runs a project with a package, in each mode, and lists its runs', async () => {
    const name = 'Terms & groups'
    const path = `/projects/${encodeURIComponent(name)}`
    await ask('POST', '/projects', { name })
    await ask('PUT', `${path}/entities/Terms of payment`, {})
    await ask('PUT', `${path}/entities/Customer groups`, { failLevelOnError: true })
    const before = (await ask('GET', path)).body
    const file = await packageOf('Another name', [terms('A', 'B'), groups])

    const dry = await ranTo(await run(name, file, '&mode=validate&name=dry'))
    expect(dry).toMatchObject({
      project: name,
      mode: 'validate',
      status: 'PartiallySucceeded',
      entities: [{ records: { inserted: 2 } }, { records: { inserted: 1, error: 1 } }],
    })
    const staged = await ranTo(await run(name, file, '&mode=stage'))
    expect(staged).toMatchObject({
      mode: 'stage',
      entities: [{ targetStatus: 'NotStarted' }, { targetStatus: 'NotStarted' }],
    })
    const real = await ranTo(await run(name, file))
    expect(real.entities.map(({ records }: { records: object }) => records)).toEqual(
      dry.entities.map(({ records }: { records: object }) => records),
    )
    expect((await ask('GET', path)).body).toEqual(before)

    const { value } = (await ask('GET', `${path}/executions`)).body
    expect(value).toMatchObject([
      { executionId: real.executionId, mode: 'import', entities: 2, records: { read: 4, inserted: 3, error: 1 } },
      { executionId: staged.executionId, mode: 'stage', records: { read: 4, inserted: 0 } },
      { executionId: dry.executionId, mode: 'validate' },
    ])
    expect((await ask('GET', `${path}/executions?limit=1`)).body.value).toHaveLength(1)
    const ofProject = (await ask('GET', `/executions?project=${encodeURIComponent(name)}`)).body.value
    expect(ofProject).toEqual(value)
    expect((await ask('GET', '/executions')).body.value.length).toBeGreaterThan(3)
  })

  it('leaves entities out of a run that are disabled in the project', async () => {
    await ask('POST', '/projects', { name: 'Half' })
    await ask('PUT', '/projects/half/entities/Terms of payment', {})
    await ask('PUT', '/projects/half/entities/Customer groups', { disabled: true })
    const file = await packageOf('Half', [terms('H'), groups])
    const { entities } = await ranTo(await run('half', file))
    expect(entities).toMatchObject([{ entity: 'PaymentTermEntity' }])
    await ask('PUT', '/projects/half/entities/Terms of payment', { disabled: true })
    const refused = await run('half', file)
    expect([refused.status, refused.body.error.code]).toEqual([400, 'EF315'])
  })

  it.each([
    ['a package with an entity that it does not take', async () => packageOf('x', [groups]), 400, 'EA105'],
    ['what is no package', async () => Buffer.from('Name\nA\n'), 400, 'EA106'],
    ['a broken package', async () => (await packageOf('x', [terms('A')])).subarray(0, 200), 400, 'EF301'],
  ])('refuses to run a project with %s', async (_, file, status, code) => {
    await ask('POST', '/projects', { name: 'Only terms' })
    await ask('PUT', '/projects/only terms/entities/Terms of payment', {})
    const refused = await run('only terms', await file())
    expect([refused.status, refused.body.error.code]).toEqual([status, code])
  })

  it('refuses to run a project that is not there, or in a mode that is none', async () => {
    const file = await packageOf('x', [terms('A')])
    expect((await run('none', file)).body.error.code).toBe('EA118')
    expect((await run('Only terms', file, '&mode=maybe')).status).toBe(400)
  })
})
