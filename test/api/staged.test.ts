import { packageOf } from '../helpers/package'
import { askJson, ended, getJson, type RunningHub, runHub, sendCompany } from './running-hub'

const tooLong = 'x'.repeat(61)

describe('staged records over HTTP', () => {
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
  const messages = new Map<string, string>()
  /** Runs a project of its own with a package of terms and groups, and waits for its end. */
  async function run(termsFile: string, groupsFile: string, mode = 'import'): Promise<string> {
    const name = `Project ${Math.random()}`
    await ask('POST', '/projects', { name })
    for (const entity of ['Terms of payment', 'Customer groups'])
      await ask('PUT', `/projects/${name}/entities/${entity}`, {})
    const file = await packageOf(name, [
      { entityName: 'Terms of payment', text: termsFile },
      { entityName: 'Customer groups', text: groupsFile },
    ])
    const answer = await fetch(`${api}/projects/${name}/run?company=usmf&mode=${mode}`, {
      method: 'POST',
      body: new Uint8Array(file),
    })
    const { messageId, executionId } = (await answer.json()) as { messageId: string; executionId: string }
    messages.set(executionId, messageId)
    await ended(running.url, messageId)
    return executionId
  }
  const atEnd = async (executionId: string) => {
    await ended(running.url, messages.get(executionId)!)
    return (await getJson(`${api}/executions/${executionId}`)).body
  }
  /** All pages of a list, each by the link of the one before. */
  async function pages(path: string) {
    const found: { recordNumber: number; entity: string; code: string }[][] = []
    for (let link: string | null = path; link !== null; ) {
      const { body } = await getJson(`${running.url}${link}`)
      found.push(body.value)
      link = body.nextLink
    }
    return found
  }

  it('are listed with filters, page by page', async () => {
    const lines = Array.from({ length: 7 }, (_, i) => `P${i},${i % 2 === 0 ? 'even & equal' : 'odd'}\n`)
    const executionId = await run(`Name,Description\n${lines.join('')}`, 'CustomerGroupId\n1\n')
    const path = `/api/v1/executions/${executionId}/staged?entity=Terms+of+payment`
    const numbers = async (query: string) =>
      (await pages(path + query)).map((page) => page.map(({ recordNumber }) => recordNumber))
    expect(await numbers('&limit=3')).toEqual([[1, 2, 3], [4, 5, 6], [7]])
    expect(await numbers('&limit=2&field=Description&contains=EVEN%20%26')).toEqual([[1, 3], [5, 7], []])
    expect(await numbers('&status=Error')).toEqual([[]])
    expect(await numbers('&status=Completed&afterRecord=5')).toEqual([[6, 7]])
    const [first] = (await getJson(running.url + path)).body.value
    expect(first).toEqual({
      entity: 'PaymentTermEntity',
      recordNumber: 1,
      line: 2,
      status: 'Completed',
      values: { dataAreaId: 'usmf', Name: 'P0', Description: 'even & equal', NumberOfDays: null, NumberOfMonths: null },
      raw: null,
      errors: [],
    })
  })

  it('are corrected, validated and promoted', async () => {
    const executionId = await run(
      `Name,Description\nC,${tooLong}\nD,d\n`,
      'CustomerGroupId,PaymentTermId\nC,C\nD,D\nE,none\n',
      'stage',
    )
    const path = `/executions/${executionId}`
    const corrected = await ask('PATCH', `${path}/staged/1?entity=PaymentTerms`, {
      Description: 'short',
      numberofdays: '5',
    })
    expect(corrected).toEqual({
      status: 200,
      body: expect.objectContaining({
        status: 'NotStarted',
        errors: [],
        values: expect.objectContaining({ Description: 'short', NumberOfDays: '5' }),
      }),
    })
    expect(Object.keys(corrected.body).sort()).toEqual([
      'entity',
      'errors',
      'line',
      'raw',
      'recordNumber',
      'status',
      'values',
    ])
    const validated = await ask('POST', `${path}/validate`)
    expect(validated).toEqual({ status: 202, body: { executionId } })
    const { log, entities } = await atEnd(executionId)
    expect(log.map(({ text }: { text: string }) => text)).toEqual(
      expect.arrayContaining([
        'PaymentTermEntity was validated: 2 would be inserted, 0 updated, 0 left as they are, 0 are in error',
        'CustCustomerGroupEntity was validated: 2 would be inserted, 0 updated, 0 left as they are, 1 are in error',
      ]),
    )
    expect(entities).toMatchObject([{ targetStatus: 'NotStarted' }, { targetStatus: 'NotStarted' }])

    const one = { entity: 'Terms of payment', records: [1] }
    expect((await ask('POST', `${path}/promote`, one)).status).toBe(202)
    expect((await atEnd(executionId)).entities[0].records).toMatchObject({ read: 2, inserted: 1 })
    await ask('POST', `${path}/promote`, {})
    const end = await atEnd(executionId)
    expect(end.entities.map(({ records }: { records: object }) => records)).toMatchObject([
      { read: 2, inserted: 2, error: 0 },
      { read: 3, inserted: 2, error: 1 },
    ])
    expect(end.status).toBe('PartiallySucceeded')
  })

  it.each([
    ['PATCH', '/staged/1', { Name: 'x' }, 400, 'EA109'],
    ['PATCH', '/staged/1?entity=Nothing', { Name: 'x' }, 400, 'EA102'],
    ['PATCH', '/staged/9?entity=PaymentTerms', { Name: 'x' }, 404, 'EA108'],
    ['PATCH', '/staged/one?entity=PaymentTerms', { Name: 'x' }, 400, 'EA109'],
    ['PATCH', '/staged/1?entity=PaymentTerms', { Colour: 'x' }, 400, 'EA109'],
    ['PATCH', '/staged/1?entity=PaymentTerms', { Name: {} }, 400, 'EA109'],
    ['POST', '/promote', { records: [1] }, 409, 'EA110'],
    ['POST', '/promote', { records: [] }, 400, 'EA109'],
    ['POST', '/promote', { entity: 'PaymentTerms', records: [2] }, 409, 'EA110'],
    ['POST', '/promote', { entity: 'Nothing' }, 400, 'EA102'],
    ['POST', '/validate?entity=Currencies', undefined, 409, 'EA110'],
    ['GET', '/staged', undefined, 400, 'EA109'],
    ['GET', '/staged?entity=PaymentTerms&status=Lost', undefined, 400, 'EA109'],
    ['GET', '/staged?entity=PaymentTerms&contains=x', undefined, 400, 'EA109'],
  ])('refuse %s %s with %j', async (method, path, body, status, code) => {
    refusing ??= await run('Name\nR\n', 'CustomerGroupId\nR\n', 'stage')
    const refused = await ask(method, `/executions/${refusing}${path}`, body)
    expect([refused.status, refused.body.error.code]).toEqual([status, code])
  })
  let refusing: string | undefined

  it('do not exist where there is no execution', async () => {
    expect((await getJson(`${api}/executions/none/staged`)).status).toBe(404)
    expect((await ask('POST', '/executions/none/promote', {})).status).toBe(404)
    expect((await ask('POST', '/executions/none/validate')).status).toBe(404)
  })

  it('in error of several entities are listed page by page, whole records each, or those of one', async () => {
    const terms = Array.from({ length: 130 }, (_, i) => `E${i},${tooLong},x\n`)
    const groups = Array.from({ length: 90 }, (_, i) => `G${i},${tooLong},none\n`)
    const executionId = await run(
      `Name,Description,NumberOfDays\n${terms.join('')}`,
      `CustomerGroupId,Description,PaymentTermId\n${groups.join('')}`,
    )
    const path = `/api/v1/executions/${executionId}/errors`
    const found = await pages(`${path}?limit=101`)
    const records = (page: (typeof found)[number]) =>
      new Set(page.map(({ entity, recordNumber }) => `${entity} ${recordNumber}`))
    expect(found.flat()).toHaveLength(440)
    expect(found.length).toBeGreaterThan(4)
    // No record is cut in two by the end of a page.
    expect(found.reduce((sum, page) => sum + records(page).size, 0)).toBe(220)
    const ofGroups = await pages(`${path}?limit=100&entity=Customer+groups`)
    expect(records(ofGroups.flat()).size).toBe(90)
    expect(new Set(ofGroups.flat().map(({ entity }) => entity))).toEqual(new Set(['CustCustomerGroupEntity']))

    const file = await fetch(`${running.url}${path}?format=file&entity=Customer+groups&reasons=true`)
    const lines = (await file.text()).trimEnd().split('\r\n')
    expect([lines.length, lines[0]]).toEqual([91, 'CustomerGroupId,Description,PaymentTermId,ErrorMessage'])
    expect((await getJson(`${running.url}${path}?format=file`)).body.error.code).toBe('EA109')
  })
})
