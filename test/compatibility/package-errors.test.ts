import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { listProjects } from '../../src/project/data-project'
import { getJson, type RunningHub, send } from '../api/running-hub'
import { packageOf } from '../helpers/package'
import {
  type ActionError,
  actionsPath,
  callAction,
  endStatus,
  errorFrom,
  runContoso,
  upload,
  valueFrom,
  valueIn,
} from './package-client'
import { changed, fieldMap, groups, terms, utf16, zipOf } from './packages'

/** What the package API answers to what is wrong, in the body of errors of Dynamics 365; nothing is left of it then. */
describe('the package API refuses', () => {
  let running: RunningHub
  let url: string

  beforeAll(async () => {
    // Without the sweeper, which would remove what is expired before it is asked for.
    running = await runContoso({ roles: ['stage', 'promote'] })
    url = running.url
  })
  afterAll(() => running.stop())

  const usual = { definitionGroupId: '', executionId: '', execute: true, overwrite: true, legalEntityId: 'USMF' }
  const good = () => packageOf('Good', [terms('ErrNet1')])
  const importing = (name: string) =>
    `Exception occurred while executing action ${name} on Entity DataManagementDefinitionGroup: `

  async function counts(): Promise<unknown> {
    const [row] = await running.hub.db.query(
      `SELECT (SELECT count(*) FROM entrepot.data_project) AS projects, (SELECT count(*) FROM entrepot.message) AS messages,
         (SELECT count(*) FROM entrepot.execution) AS executions, (SELECT count(*) FROM entrepot.execution_entity) AS entities,
         (SELECT count(*) FROM entrepot.execution_log) AS notes, (SELECT count(*) FROM entrepot.number_sequence) AS sequences`,
    )
    return row
  }

  /** The refusal of an import, which leaves nothing behind. */
  async function refusal(parameters: object): Promise<ActionError> {
    const before = await counts()
    const error = await errorFrom(url, 'ImportFromPackage', { ...usual, ...parameters })
    expect(await counts()).toEqual(before)
    expect(error.status).toBe(400)
    expect(error.hint).toMatch(/^[A-Z].{10,}\.$|^[A-Z].*entrepot .+$/)
    expect(error.message.startsWith(importing('ImportFromPackage'))).toBe(true)
    return { ...error, message: error.message.slice(importing('ImportFromPackage').length) }
  }
  const refusalOf = async (bytes: Buffer, parameters: object = {}) =>
    refusal({ packageUrl: await upload(url, bytes), ...parameters })

  describe('a package', () => {
    const element = /<DataManagementPackageEntityData>.*<\/DataManagementPackageEntityData>/s

    it.each<{ what: string; bytes: () => Promise<Buffer>; code: string; text: RegExp }>([
      {
        what: 'with an entity that is not known',
        bytes: () => packageOf('Bad', [terms('E1'), { ...groups(['E1', '']), entityName: 'Custmer groups' }]),
        code: 'EA102',
        text: /^Entity Custmer groups of the package 'Bad' does not exist in the target environment; the nearest are 'Customer groups'/,
      },
      {
        what: 'whose file is not in it',
        bytes: async () => changed(await good(), { 'Terms of payment.csv': undefined }),
        code: 'EF315',
        text: /^The manifest names for the entity 'Terms of payment' the file 'Terms of payment\.csv', which is not in the zip\./,
      },
      {
        what: 'without a manifest',
        bytes: async () => changed(await good(), { 'Manifest.xml': undefined }),
        code: 'EF311',
        text: /^The package has no Manifest\.xml in its root\./,
      },
      {
        what: 'whose manifest is no XML',
        bytes: async () => changed(await good(), { 'Manifest.xml': (text) => text.slice(0, 400) }),
        code: 'EF201',
        text: /Manifest\.xml/,
      },
      {
        what: 'whose manifest is another document',
        bytes: async () => changed(await good(), { 'Manifest.xml': () => '<Project/>' }),
        code: 'EF312',
        text: /the root element is Project, not DataManagementPackageManifest/,
      },
      {
        what: 'whose manifest has a number that is none',
        bytes: async () =>
          changed(await good(), { 'Manifest.xml': (text) => text.replace(/<ExecutionUnit>1</, '<ExecutionUnit>one<') }),
        code: 'EF314',
        text: /ExecutionUnit.*one/,
      },
      {
        what: 'whose manifest lists nothing',
        bytes: async () => changed(await good(), { 'Manifest.xml': (text) => text.replace(element, '') }),
        code: 'EF318',
        text: /^The manifest lists no entity\./,
      },
      {
        what: 'that maps a column to no field',
        bytes: () =>
          packageOf('Bad', [
            { ...terms('E1'), entityMapList: [fieldMap('NAME', 'Name'), fieldMap('COLOUR', 'Colour')] },
          ]),
        code: 'EF112',
        text: /^The package 'Bad' maps Terms of payment wrongly: Terms of payment has no field COLOUR/,
      },
      {
        what: 'two of whose entities name one file',
        bytes: async () =>
          changed(await packageOf('Bad', [terms('E1'), groups(['E1', ''])]), {
            'Customer groups.csv': undefined,
            'Manifest.xml': (text) => text.replace('Customer groups.csv', 'Terms of payment.csv'),
          }),
        code: 'EF316',
        text: /^The entities 'Terms of payment' and 'Customer groups' both name the file 'Terms of payment\.csv'\./,
      },
      {
        what: 'with an Excel sheet',
        bytes: () => packageOf('Bad', [{ ...terms('E1'), sourceFormat: 'EXCEL' }]),
        code: 'EA115',
        text: /^The entity PaymentTermEntity of the package 'Bad' cannot be read: .*Excel workbooks are not read/,
      },
      {
        what: 'that is no zip',
        bytes: async () => utf16('Name,NumberOfDays\r\n'),
        code: 'EF301',
        text: /./,
      },
      { what: 'of no bytes', bytes: async () => Buffer.alloc(0), code: 'EF301', text: /./ },
      { what: 'of nothing', bytes: () => zipOf({}), code: 'EF301', text: /holds no file/ },
      {
        what: 'that has no name, and is given none',
        bytes: async () =>
          changed(await good(), {
            'Manifest.xml': (text) => text.replace('<DefinitionGroupName>Good<', '<DefinitionGroupName><'),
          }),
        code: 'EA109',
        text: /definitionGroupId/,
      },
    ])('$what', async ({ bytes, code, text }) => {
      expect(await refusalOf(await bytes())).toMatchObject({ code, message: expect.stringMatching(text) })
    })
  })

  it('to overwrite a data project that is there, unless it is told to', async () => {
    const executionId = await valueFrom(url, 'ImportFromPackage', {
      ...usual,
      packageUrl: await upload(url, await good()),
    })
    expect(await endStatus(url, executionId)).toBe('Succeeded')
    const before = await listProjects(running.hub.db)
    const other = await packageOf('GOOD', [groups(['E9', ''])])
    for (const overwrite of [false, undefined]) {
      expect(await refusalOf(other, { overwrite })).toMatchObject({
        code: 'EA116',
        message: "The data project 'Good' exists and overwrite has not been specified",
      })
    }
    expect(await listProjects(running.hub.db)).toEqual(before)
    expect(await valueFrom(url, 'ImportFromPackage', { ...usual, packageUrl: await upload(url, other) })).toMatch(/./)
  })

  it('a legal entity that is not there', async () => {
    expect(await refusalOf(await good(), { legalEntityId: 'NOPE' })).toMatchObject({
      code: 'EP103',
      message: "The legal entity 'nope' does not exist",
    })
  })

  describe('a packageUrl', () => {
    let elsewhere: Server
    let requests = 0
    beforeAll(async () => {
      elsewhere = createServer((_request, response) => {
        requests += 1
        response.end()
      })
      await new Promise<void>((resolve) => void elsewhere.listen(0, '127.0.0.1', resolve))
    })
    afterAll(() => void elsewhere.close())

    it('of another place, to which it sends no request', async () => {
      const there = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`
      const links = [
        `${there}/dmf/package.zip?sig=1`,
        there,
        'file:///etc/passwd',
        `${url}/dmf/errors-1/staging.txt`,
        'x',
      ]
      for (const packageUrl of links) {
        expect(await refusal({ packageUrl })).toMatchObject({
          code: 'EA109',
          message: expect.stringContaining('GetAzureWriteUrl'),
        })
      }
      // One of ours in all but its host: the file is looked for here.
      expect(await refusal({ packageUrl: `${there}/dmf/${randomUUID()}/package.zip?sig=1` })).toMatchObject({
        code: 'EA108',
      })
      expect(requests).toBe(0)
    })

    it.each([undefined, null, '', ' '])('that is %j', async (packageUrl) => {
      expect(await refusal({ packageUrl })).toMatchObject({
        code: 'EA109',
        message: expect.stringMatching(/^InvokeAction - Model state is invalid: packageUrl/),
      })
    })

    it('whose signature is not the one that it was given, or that has none', async () => {
      const packageUrl = await upload(url, await good())
      const links = [
        packageUrl.replace(/sig=./, (start) => (start === 'sig=A' ? 'sig=B' : 'sig=A')),
        packageUrl.slice(0, -3),
        packageUrl.replace(/&sig=.*/, ''),
        packageUrl.replace(/\?.*/, ''),
        packageUrl.replace(/se=2/, 'se=3'),
      ]
      for (const link of links) {
        expect(await refusal({ packageUrl: link })).toMatchObject({
          code: 'EA121',
          message: 'The signature of the link is wrong',
        })
      }
    })

    it('to which nothing was sent', async () => {
      const { BlobUrl } = JSON.parse(await valueFrom(url, 'GetAzureWriteUrl', { uniqueFileName: 'x' }))
      expect(await refusal({ packageUrl: BlobUrl })).toMatchObject({
        code: 'EA108',
        message: expect.stringContaining('nothing was put there yet'),
      })
    })

    it('that has expired', async () => {
      const packageUrl = await upload(url, await good())
      await running.hub.db.query(`UPDATE entrepot.blob SET expires_at = now() - interval '1 second'`)
      expect(await refusal({ packageUrl })).toMatchObject({
        code: 'EA121',
        message: expect.stringContaining('expired'),
      })
    })
  })

  it('an execution id that another package has, and takes the same package once only', async () => {
    const executionId = `Once only ${randomUUID()}`
    const bytes = await packageOf('Once only', [terms('ErrOnce')])
    const first = { ...usual, executionId, overwrite: false, packageUrl: await upload(url, bytes) }
    expect(await valueFrom(url, 'ImportFromPackage', first)).toBe(executionId)
    const before = await counts()
    // By the same link, and from another place; though the project is there by now.
    for (const packageUrl of [first.packageUrl, await upload(url, bytes)]) {
      expect(await valueFrom(url, 'ImportFromPackage', { ...first, packageUrl })).toBe(executionId)
    }
    expect(await counts()).toEqual(before)
    const other = await packageOf('Once only', [terms('ErrTwice')])
    expect(await refusalOf(other, { executionId })).toMatchObject({
      code: 'EA117',
      message: `The execution id '${executionId}' was used for another package`,
    })
    expect(await endStatus(url, executionId)).toBe('Succeeded')
  })

  it.each([
    [{ executionId: { k: 1 } }, 'executionId is {"k":1}, where a text may be'],
    [{ definitionGroupId: ['a'] }, 'definitionGroupId is ["a"], where a text may be'],
    [{ overwrite: 'maybe' }, 'overwrite is "maybe", where true or false may be'],
    [{ execute: 'ja' }, 'execute is "ja", where true or false may be'],
    [{ execute: 2 }, 'execute is 2, where true or false may be'],
    [{ failOnError: {} }, 'failOnError is {}, where true or false may be'],
  ])('the parameters %j', async (wrong, said) => {
    expect(await refusalOf(await good(), wrong)).toMatchObject({
      code: 'EA109',
      message: `InvokeAction - Model state is invalid: ${said}`,
    })
  })

  it.each(['TRUE', 'Yes', '1', 1, true])('no flag that is %j', async (overwrite) => {
    const packageUrl = await upload(url, await good())
    expect(await valueFrom(url, 'ImportFromPackage', { ...usual, packageUrl, overwrite, execute: 'No' })).toMatch(/./)
  })

  it('to be called with GET (405)', async () => {
    const answer = await fetch(`${url}${actionsPath}GetExecutionSummaryStatus`)
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
    expect(await answer.json()).toMatchObject({ error: { code: 'EA109' } })
    expect((await fetch(`${url}${actionsPath}Nothing`)).status).toBe(404)
  })

  it('names that cannot be kept', async () => {
    const packageUrl = await upload(url, await good())
    for (const [name, text] of [
      ['executionId', 'NUL \u0000'],
      ['executionId', 'x'.repeat(501)],
      ['definitionGroupId', 'x'.repeat(501)],
      ['definitionGroupId', 'NUL \u0000'],
      ['legalEntityId', 'a\u0000b'],
    ] as const) {
      const error = await refusal({ packageUrl, [name]: text })
      expect([name, error.code, error.message.includes(name)]).toEqual([name, 'EA109', true])
    }
    // Of UTF-16, as clients count: this is the longest.
    const executionId = '🚀'.repeat(250)
    expect(
      await valueFrom(url, 'ImportFromPackage', { ...usual, packageUrl, executionId, definitionGroupId: executionId }),
    ).toBe(executionId)
  })

  it('what is no JSON object, and an action that there is not', async () => {
    for (const body of ['[]', '"text"', '{', 'executionId=1', '{"executionId"}']) {
      expect(await errorFrom(url, 'GetExecutionSummaryStatus', body)).toMatchObject({
        status: 400,
        code: 'EA109',
        message: expect.stringContaining('InvokeAction - Model state is invalid'),
      })
    }
    expect(await errorFrom(url, 'MakeCoffee', {})).toMatchObject({ status: 404, code: 'EA108' })
    expect(await errorFrom(url, 'ExportToPackage', {})).toMatchObject({ status: 400, code: 'EX101' })
  })

  it.each([
    'GetExecutionSummaryStatus',
    'GetExecutionSummaryPageUrl',
    'GetExecutionErrors',
    'GetExportedPackageUrl',
    'GetEntityExecutionSummaryStatusList',
  ])('%s of an execution that there is not, or of none', async (action) => {
    for (const executionId of ['Nobody', randomUUID(), `"${randomUUID()}"`, 'x'.repeat(10_000)]) {
      const { status, code, message } = await errorFrom(url, action, { executionId })
      expect([status, code]).toEqual([400, 'EA108'])
      expect(message).toMatch(/^Exception occurred .*: Execution details were not found for execution id /)
    }
    for (const executionId of [undefined, null, '']) {
      expect(await errorFrom(url, action, { executionId })).toMatchObject({ status: 400, code: 'EA109' })
    }
    expect(await errorFrom(url, action, { executionId: 'a\u0000b' })).toMatchObject({ status: 400, code: 'EA109' })
  })

  it('the error files of an entity that nobody knows, with the nearest name', async () => {
    const packageUrl = await upload(url, await good())
    const executionId = await valueFrom(url, 'ImportFromPackage', { ...usual, packageUrl })
    for (const action of [
      'GenerateImportTargetErrorKeysFile',
      'GetImportTargetErrorKeysFileUrl',
      'GetImportStagingErrorFileUrl',
    ]) {
      const { code, message } = await errorFrom(url, action, { executionId, entityName: 'Terms of paymnt' })
      expect([action, code, message.includes('Terms of payment')]).toEqual([action, 'EA102', true])
      expect(await errorFrom(url, action, { executionId })).toMatchObject({ code: 'EA109' })
    }
    expect(await endStatus(url, executionId)).toBe('Succeeded')
  })

  describe('no package for a column that its manifest maps and its file lacks', () => {
    const mapped = (...fields: string[]) => ({
      ...terms('ErrMap'),
      entityMapList: fields.map((field) => fieldMap(field, field)),
    })
    const importOf = async (...fields: string[]) => {
      const packageUrl = await upload(url, await packageOf('Column', [mapped(...fields)]))
      const executionId = await valueFrom(url, 'ImportFromPackage', { ...usual, packageUrl })
      return { executionId, status: await endStatus(url, executionId) }
    }

    it('but fails the entity where the column is of its key', async () => {
      const bytes = await packageOf('Column', [
        { ...mapped(), entityMapList: [fieldMap('NAME', 'Title'), fieldMap('DESCRIPTION', 'Name')] },
      ])
      const executionId = await valueFrom(url, 'ImportFromPackage', { ...usual, packageUrl: await upload(url, bytes) })
      expect(await endStatus(url, executionId)).toBe('Failed')
      expect(JSON.parse(await valueFrom(url, 'GetExecutionErrors', { executionId }))).toEqual([
        { RecordId: '', Field: '', ErrorMessage: expect.stringMatching(/^EF104: .*Name/) },
      ])
    })

    it('and says so in the log where it is not', async () => {
      const { executionId, status } = await importOf('NAME', 'DESCRIPTION')
      expect(status).toBe('Succeeded')
      const { body } = await getJson(await valueFrom(url, 'GetExecutionSummaryPageUrl', { executionId }))
      expect(body.log.map(({ text }: { text: string }) => text)).toContainEqual(expect.stringContaining('DESCRIPTION'))
    })
  })
})

describe('a package that is only loaded', () => {
  let running: RunningHub
  let url: string

  beforeAll(async () => {
    running = await runContoso()
    url = running.url
  })
  afterAll(() => running.stop())

  const load = async (executionId: string, name: string) => {
    const packageUrl = await upload(url, await packageOf('Loaded', [terms(name)]))
    const parameters = {
      packageUrl,
      definitionGroupId: 'Loaded',
      executionId,
      execute: false,
      overwrite: true,
      legalEntityId: 'USMF',
    }
    expect(await valueFrom(url, 'ImportFromPackage', parameters)).toBe(executionId)
    return parameters
  }
  const isThere = async (name: string) =>
    (await running.hub.db.query('SELECT FROM target."PaymentTermEntity" WHERE "Name" = $1', [name])).length === 1

  it('has its project and its execution, which is not run until somebody retries it', async () => {
    await load('Loaded 1', 'LoadOne')
    // What comes after it is done, so that the workers have passed it by.
    const packageUrl = await upload(url, await packageOf('Run', [terms('LoadTwo')]))
    const after = await valueFrom(url, 'ImportFromPackage', { packageUrl })
    expect(await endStatus(url, after)).toBe('Succeeded')
    expect(await valueFrom(url, 'GetExecutionSummaryStatus', { executionId: 'Loaded 1' })).toBe('NotRun')
    expect(await valueFrom(url, 'GetExecutionErrors', { executionId: 'Loaded 1' })).toBe('[]')
    expect(await isThere('LoadOne')).toBe(false)
    expect((await listProjects(running.hub.db)).map(({ name }) => name)).toContain('Loaded')

    const retried = await send(`${url}/api/v1/executions/Loaded%201/retry`, {
      headers: { 'content-type': 'application/json' },
      body: ['{}'],
    })
    expect(retried.status).toBe(202)
    expect(await endStatus(url, 'Loaded 1')).toBe('Succeeded')
    expect(await isThere('LoadOne')).toBe(true)
  })

  it('is run when it is sent again with execute', async () => {
    const parameters = await load('Loaded 2', 'LoadThree')
    expect(valueIn(await callAction(url, 'ImportFromPackage', parameters))).toBe('Loaded 2')
    expect(await valueFrom(url, 'GetExecutionSummaryStatus', { executionId: 'Loaded 2' })).toBe('NotRun')
    for (const _ of [1, 2])
      expect(await valueFrom(url, 'ImportFromPackage', { ...parameters, execute: true })).toBe('Loaded 2')
    expect(await endStatus(url, 'Loaded 2')).toBe('Succeeded')
    expect(await isThere('LoadThree')).toBe(true)
    // Once it has been run, it is not run again.
    const before = await getJson(`${url}/api/v1/executions/Loaded%202`)
    await valueFrom(url, 'ImportFromPackage', { ...parameters, execute: true })
    expect(await getJson(`${url}/api/v1/executions/Loaded%202`)).toEqual(before)
  })
})
