import { randomUUID } from 'node:crypto'
import { addActivity } from '../../src/project/activity'
import { ended, getJson, type RunningHub, send } from '../api/running-hub'
import { csv } from '../helpers/build'
import { packageOf } from '../helpers/package'
import { callAction, endStatus, put, runContoso, upload, valueFrom, valueIn } from './package-client'
import { groups, terms, unzip, utf16, zipOf } from './packages'

/**
 * What Microsoft's Recurring Integrations Scheduler sends, and what it makes of the answers.
 * Source  microsoft/Recurring-Integrations-Scheduler, the jobs Import, ExecutionMonitor, Upload and ProcessingMonitor.
 */
describe('Recurring Integrations Scheduler', () => {
  let running: RunningHub
  let url: string

  beforeAll(async () => {
    running = await runContoso()
    url = running.url
  })
  afterAll(() => running.stop())

  /** As the import job makes it: the project may have any characters. */
  const newExecutionId = (project: string) => `${project}-2026-01-05_08-00-00-${randomUUID()}`

  async function importPackage(bytes: Buffer, project: string, executionId = newExecutionId(project)) {
    const answer = await callAction(url, 'ImportFromPackage', {
      packageUrl: await upload(url, bytes),
      definitionGroupId: project,
      executionId,
      execute: true,
      overwrite: true,
      legalEntityId: 'USMF',
    })
    expect(answer.status).toBe(200)
    return { executionId, answer }
  }

  describe('in its import job', () => {
    it('gets a place to write to as JSON within a text, and puts the package there without a Content-Type', async () => {
      const answer = await callAction(url, 'GetAzureWriteUrl', { uniqueFileName: randomUUID() })
      expect(answer.status).toBe(200)
      expect(answer.headers['content-type']).toMatch(/^application\/json\b.*charset=utf-8/)
      expect(Object.keys(JSON.parse(answer.text))).toEqual(['@odata.context', 'value'])
      const { BlobId, BlobUrl } = JSON.parse(valueIn(answer))
      expect(BlobId).toMatch(/^\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}$/)
      expect(BlobUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/dmf\/.+\?sv=.+&sig=.+$/)
      expect((await put(BlobUrl, await packageOf('Put', [terms('Net1')]))).status).toBe(201)
    })

    it('imports a file by the template of a package, whose manifest it writes anew', async () => {
      // The template has the documents as Dynamics 365 writes them: UTF-16, one line.
      const plain = await unzip(await packageOf('Template', [{ ...terms('none'), inputFilePath: 'Template.csv' }]))
      const manifest = plain['Manifest.xml']!.toString()
      const template = { Manifest: utf16(manifest), header: utf16(plain['PackageHeader.xml']!.toString()) }
      const bytes = await zipOf({
        'PackageHeader.xml': template.header,
        'Manifest.xml': asXmlDocumentSaves(template.Manifest, 'terms-01.csv'),
        'terms-01.csv': terms('RisNet1').text,
      })
      const { executionId, answer } = await importPackage(bytes, 'Terms & more (100%/daily)')
      expect(valueIn(answer)).toBe(executionId)
      expect(await endStatus(url, executionId)).toBe('Succeeded')
      expect(await termsNamed('RisNet1')).toHaveLength(1)
    })

    it('may ask twice for the same import, not having heard the answer: it is done once', async () => {
      const bytes = await packageOf('Twice', [terms('RisTwice')])
      const { executionId } = await importPackage(bytes, 'Twice')
      // With a new place for the package, as each run of the job has.
      await importPackage(bytes, 'Twice', executionId)
      expect(await endStatus(url, executionId)).toBe('Succeeded')
      const { body } = await getJson(`${url}/api/v1/executions?project=Twice`)
      expect(body.value).toHaveLength(1)
    })

    it('may ask twice at the same time', async () => {
      const bytes = await packageOf('At once', [terms('RisAtOnce')])
      const executionId = newExecutionId('At once')
      const answers = await Promise.all([1, 2, 3, 4].map(() => importPackage(bytes, 'At once', executionId)))
      expect(answers.map(({ answer }) => valueIn(answer))).toEqual([executionId, executionId, executionId, executionId])
      expect(await endStatus(url, executionId)).toBe('Succeeded')
    })

    it('may have ids of executions as long as its projects let them be', async () => {
      const project = `${'Ä long náme '.repeat(16)}end`
      const { executionId } = await importPackage(await packageOf('Long', [terms('RisLong')]), project)
      expect(executionId.length).toBeGreaterThan(250)
      expect(await endStatus(url, executionId)).toBe('Succeeded')
      const page = await getJson(await valueFrom(url, 'GetExecutionSummaryPageUrl', { executionId }))
      expect([page.status, page.body.executionId, page.body.project]).toEqual([200, executionId, project])
    })
  })

  describe('in its execution monitor', () => {
    it('is told a status as soon as an import was taken in, and never an error', async () => {
      const { executionId } = await importPackage(await packageOf('At once 2', [terms('RisSoon')]), 'At once 2')
      const seen = new Set<string>()
      for (let status = ''; status !== 'Succeeded'; seen.add(status)) {
        status = await valueFrom(url, 'GetExecutionSummaryStatus', { executionId })
      }
      expect([...seen].filter((status) => !['NotRun', 'Executing', 'Succeeded'].includes(status))).toEqual([])
    })

    it('fetches the keys of failed records of each entity that the manifest names, and the page of the execution', async () => {
      const entities = [terms('RisKeys'), groups(['RK1', 'RisKeys'], ['RK2', 'None'], ['RK3', 'Nothing'])]
      const disabled = { entityName: 'Vendor groups', text: csv(['dataAreaId', 'VendorGroupId'], []), disable: true }
      const bytes = await packageOf('Keys', [...entities, disabled])
      const { executionId } = await importPackage(bytes, 'Keys')
      expect(await endStatus(url, executionId)).toBe('PartiallySucceeded')

      const page = await valueFrom(url, 'GetExecutionSummaryPageUrl', { executionId })
      expect((await fetch(page)).status).toBe(200)

      const manifest = String((await unzip(bytes))['Manifest.xml'])
      const files = new Map<string, string>()
      for (const [, entityName = ''] of manifest.matchAll(/<EntityName>(.*?)<\/EntityName>/g)) {
        if ((await valueFrom(url, 'GenerateImportTargetErrorKeysFile', { executionId, entityName })) !== 'True')
          continue
        const fileUrl = await valueFrom(url, 'GetImportTargetErrorKeysFileUrl', { executionId, entityName })
        const { status, text } = await send(fileUrl, { method: 'GET' })
        expect(status).toBe(200)
        files.set(entityName, text.replace(/^\uFEFF/, ''))
      }
      expect([...files]).toEqual([['Customer groups', 'dataAreaId,CustomerGroupId\r\nusmf,RK2\r\nusmf,RK3\r\n']])
    })

    it('finds an entity by the name that the manifest gives it, be it a label in another language', async () => {
      const entity = {
        ...groups(['RG1', 'None'], ['RG2', '']),
        entityName: 'Debitorengruppen',
        targetEntity: 'CustCustomerGroupEntity',
      }
      const { executionId } = await importPackage(await packageOf('German', [entity]), 'German')
      expect(await endStatus(url, executionId)).toBe('PartiallySucceeded')
      const entityName = 'Debitorengruppen'
      expect(await valueFrom(url, 'GenerateImportTargetErrorKeysFile', { executionId, entityName })).toBe('True')
      const fileUrl = await valueFrom(url, 'GetImportTargetErrorKeysFileUrl', { executionId, entityName })
      expect(await (await fetch(fileUrl)).text()).toContain('RG1')
    })

    it('is told what is wrong as JSON within a text, whatever characters stand in it', async () => {
      const awkward = 'It"s\nnew \\ line\ttab'
      const entity = groups([awkward.slice(0, 6), ''], ['RE2', awkward.slice(0, 10)])
      const { executionId } = await importPackage(await packageOf('Errors', [entity]), 'Errors')
      expect(await endStatus(url, executionId)).toBe('PartiallySucceeded')
      const errors = JSON.parse(await valueFrom(url, 'GetExecutionErrors', { executionId }))
      expect(errors).toEqual([
        { RecordId: '2', Field: 'PaymentTermId', ErrorMessage: expect.stringContaining('It"s\nnew \\') },
      ])
      const all = await packageOf('No errors', [terms('RisGood')])
      const { executionId: good } = await importPackage(all, 'No errors')
      expect(await endStatus(url, good)).toBe('Succeeded')
      expect(await valueFrom(url, 'GetExecutionErrors', { executionId: good })).toBe('[]')
    })
  })

  describe('with a recurring job', () => {
    it('uploads a package without naming an entity, and watches it until it is processed', async () => {
      const { id } = await addActivity(running.hub.db, {
        name: 'Terms and groups',
        entities: ['PaymentTermEntity', 'CustCustomerGroupEntity'].map((entity) => ({ entity, sourceFormat: null })),
      })
      const bytes = await packageOf('Upload', [terms('RisUp'), groups(['RU1', 'RisUp'], ['RU2', 'None'])])
      const enqueued = await send(`${url}/api/connector/enqueue/${id}?company=USMF`, {
        headers: {
          authorization: 'Bearer some.access.token',
          'x-ms-dyn-externalidentifier': 'upload-01.zip',
          expect: '100-continue',
          'content-length': bytes.length,
        },
        body: [bytes],
      })
      expect(enqueued.status).toBe(200)
      // The job keeps the answer with its quotes, and takes them off for jobstatus only.
      const messageId = enqueued.text
      expect(messageId).toMatch(/^"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"$/)
      const bare = messageId.replaceAll('"', '')
      const statusUrl = `${url}/api/connector/jobstatus/${id}?jobId=${bare}`
      const names = ['Enqueued', 'InProcess', 'Processed', 'ProcessedWithErrors', 'PostProcessError', 'PreProcessError']
      const first = await getJson(statusUrl)
      expect(names).toContain(first.body.DataJobStatus.DataJobState)
      expect(nulls(first.body)).toEqual([])
      expect(await ended(url, bare)).toBe('ProcessedWithErrors')

      const { body } = await getJson(statusUrl)
      expect(nulls(body)).toEqual([])
      expect(body).toMatchObject({
        DataJobStatus: {
          DataProject: expect.stringMatching(/./),
          DataJobIdentifier: bare,
          ExternalIdentifier: 'upload-01.zip',
          DataJobState: 'ProcessedWithErrors',
        },
        ExecutionDetail: [
          { EntityName: 'Terms of payment', Company: 'USMF', StagingRecords: 1, TargetRecords: 1, TargetErrorCount: 0 },
          { EntityName: 'Customer groups', Company: 'USMF', StagingRecords: 2, TargetRecords: 1, TargetErrorCount: 1 },
        ],
      })
      const moments = [body.DataJobStatus, ...body.ExecutionDetail].flatMap((each) =>
        Object.entries(each).filter(([name]) => name.endsWith('DateTime')),
      )
      expect(moments.filter(([, moment]) => !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(String(moment)))).toEqual([])

      // Its message id, quotes and all, stands where others have an execution id.
      const errors = await callAction(url, 'GetExecutionErrors', `{"executionId":"\\"${bare}\\""}`)
      expect(errors.status).toBe(200)
      expect(JSON.parse(valueIn(errors))).toMatchObject([{ RecordId: '2', Field: 'PaymentTermId' }])
    })

    it('checks its connection: the service answers, and an activity that is not there is an error of the server', async () => {
      expect((await fetch(url)).status).toBe(200)
      const unknown = await fetch(`${url}/api/connector/dequeue/00000000-0000-0000-0000-000000000000`)
      expect(unknown.status).toBe(500)
    })
  })

  function termsNamed(name: string) {
    return running.hub.db.query('SELECT FROM target."PaymentTermEntity" WHERE "Name" = $1', [name])
  }
})

/** The manifest as .NET's XmlDocument writes it after its first InputFilePath was changed: indented, UTF-8, no declaration. */
function asXmlDocumentSaves(manifest: Buffer, file: string): string {
  return manifest
    .toString('utf16le')
    .replace('\uFEFF', '')
    .replace(/<InputFilePath>.*?<\/InputFilePath>/, `<InputFilePath>${file}</InputFilePath>`)
    .replace(/><(\/?)/g, (_, slash) => (slash ? '>\r\n  </' : '>\r\n    <'))
}

/** Names of the properties, however deep, that are null or missing, which .NET's dates and numbers cannot be. */
function nulls(value: unknown, name = ''): string[] {
  if (value === null || value === undefined) return [name]
  return typeof value === 'object' ? Object.entries(value).flatMap(([key, each]) => nulls(each, `${name}.${key}`)) : []
}
