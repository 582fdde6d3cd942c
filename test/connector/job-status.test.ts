import type { JobStatus } from '../../src/connector/job-status'
import { ended, getJson, type RunningHub, runHub, send } from '../api/running-hub'

const emptyDate = '1900-01-01T00:00:00Z'
const moment = expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)

describe('jobstatus', () => {
  let running: RunningHub
  let activityId: string

  beforeAll(async () => {
    running = await runHub()
    activityId = (await running.activity('OMLegalEntity')).id
  })
  afterAll(() => running.stop())

  async function enqueue(file: string, to = activityId): Promise<string> {
    const headers = { 'x-ms-dyn-externalidentifier': 'companies-01.csv' }
    const { text } = await send(`${running.url}/api/connector/enqueue/${to}?company=usmf`, { headers, body: [file] })
    return JSON.parse(text)
  }
  async function statusOf(jobId: string, of = activityId): Promise<JobStatus> {
    const { status, body } = await getJson(`${running.url}/api/connector/jobstatus/${of}?jobId=${jobId}`)
    expect(status).toBe(200)
    return body
  }

  it('has every property, none of them null, before, and after the message is handled', async () => {
    const messageId = await enqueue('LegalEntityId,Name\nUSMF,Contoso\nDEMF,Contoso Germany\n')
    const before = await statusOf(messageId)
    const project = before.DataJobStatus.DataProject
    const executionId = before.DataJobStatus.ExecutionIdentifier
    expect(before).toEqual({
      DataJobStatus: {
        DataProject: expect.any(String),
        DataJobIdentifier: messageId,
        ExternalIdentifier: 'companies-01.csv',
        ExecutionIdentifier: expect.stringMatching(/./),
        DataJobStartedDateTime: emptyDate,
        DataJobCompletedDateTime: emptyDate,
        DataJobState: 'Enqueued',
      },
      ExecutionLog: '',
      ExecutionDetail: [
        {
          EntityName: 'Legal entities',
          Company: 'USMF',
          StagingRecords: 0,
          StagingStatus: 'Waiting',
          StagingErrorCount: 0,
          TargetRecords: 0,
          TargetStatus: 'NotStarted',
          TargetErrorCount: 0,
          ExecutionStartedDateTime: emptyDate,
          ExecutionCompletedDateTime: emptyDate,
        },
      ],
    })
    await running.work(['stage'])
    await running.work(['promote', 'sweep'])
    expect(await ended(running.url, messageId)).toBe('Processed')
    expect(await statusOf(messageId)).toEqual({
      DataJobStatus: {
        DataProject: project,
        DataJobIdentifier: messageId,
        ExternalIdentifier: 'companies-01.csv',
        ExecutionIdentifier: executionId,
        DataJobStartedDateTime: moment,
        DataJobCompletedDateTime: moment,
        DataJobState: 'Processed',
      },
      ExecutionLog: expect.any(String),
      ExecutionDetail: [
        {
          EntityName: 'Legal entities',
          Company: 'USMF',
          StagingRecords: 2,
          StagingStatus: 'Finished',
          StagingErrorCount: 0,
          TargetRecords: 2,
          TargetStatus: 'Finished',
          TargetErrorCount: 0,
          ExecutionStartedDateTime: moment,
          ExecutionCompletedDateTime: moment,
        },
      ],
    })
  })

  it('tells of records in error with their reasons', async () => {
    const messageId = await enqueue('LegalEntityId,Name\nFRRT,Contoso France\nTOOLONG,Nobody\n')
    expect(await ended(running.url, messageId)).toBe('ProcessedWithErrors')
    const { DataJobStatus, ExecutionLog, ExecutionDetail } = await statusOf(messageId)
    expect(DataJobStatus.DataJobState).toBe('ProcessedWithErrors')
    expect(ExecutionLog).toMatch(/^Record 2, line 3, LegalEntityId: ER202: .+/m)
    expect(ExecutionDetail).toMatchObject([
      { StagingRecords: 2, StagingErrorCount: 1, TargetRecords: 1, TargetErrorCount: 0 },
    ])
  })

  it('says PreProcessError of a file that cannot be staged, and why', async () => {
    const messageId = await enqueue('')
    expect(await ended(running.url, messageId)).toBe('PreProcessingError')
    const { DataJobStatus, ExecutionLog, ExecutionDetail } = await statusOf(messageId)
    expect(DataJobStatus.DataJobState).toBe('PreProcessError')
    expect(ExecutionLog).toMatch(/EF101/)
    expect(ExecutionDetail).toMatchObject([{ StagingStatus: 'Error', TargetStatus: 'NotRun' }])
  })

  it('takes the id in double quotes and braces, its key in any letter case, and a language prefix', async () => {
    const messageId = await enqueue('LegalEntityId,Name\nUSMF,Contoso\n')
    for (const path of [
      `/en/api/connector/jobstatus/${activityId}?jobid=%22${messageId}%22`,
      `/api/connector/JobStatus/%7B${activityId}%7D?JOBID=%7B${messageId.toUpperCase()}%7D`,
    ]) {
      const { status, body } = await getJson(running.url + path)
      expect([status, body.DataJobStatus?.DataJobIdentifier]).toEqual([200, messageId])
    }
  })

  it('answers 500 for an unknown activity, 404 for a message that it has not, 400 without an id', async () => {
    const messageId = await enqueue('LegalEntityId,Name\nUSMF,Contoso\n')
    const other = await running.activity('OMLegalEntity')
    const codeOf = async (path: string) => {
      const { status, body } = await getJson(`${running.url}/api/connector/jobstatus/${path}`)
      return [status, body.error.code]
    }
    expect(await codeOf(`00000000-0000-0000-0000-000000000000?jobId=${messageId}`)).toEqual([500, 'EA101'])
    expect(await codeOf(`${other.id}?jobId=${messageId}`)).toEqual([404, 'EA108'])
    expect(await codeOf(`${activityId}?jobId=00000000-0000-0000-0000-000000000000`)).toEqual([404, 'EA108'])
    expect(await codeOf(activityId)).toEqual([400, 'EA109'])
  })

  it('answers the connection check of schedulers as Dynamics 365 does', async () => {
    const unknown = await fetch(`${running.url}/api/connector/dequeue/00000000-0000-0000-0000-000000000000`)
    expect(unknown.status).toBe(500)
    const known = await fetch(`${running.url}/api/connector/dequeue/${activityId}`)
    expect([known.status, await known.text()]).toEqual([204, ''])
  })
})
