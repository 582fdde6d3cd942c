// Producers use this class as it is.
import type { Queue } from 'bullmq'
import type { Queues } from '../../src/platform/queues'
import { addActivity } from '../../src/project/activity'
import { receiveJob } from '../../src/source/inbound'
import { allFinished } from '../helpers/accounting'
import { type QueuePlace, queueBackends } from '../helpers/queues'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { waitFor } from '../helpers/wait-for'

const file = 'CurrencyCode,Name\nCHF,Franc\n'

describe.each(queueBackends)('the inbound queue on $backend', ({ start }) => {
  let place: QueuePlace
  let hub: TestHub
  let queues: Queues
  let activityId: string

  beforeAll(async () => {
    place = await start()
    hub = await openTestHub(place)
    activityId = (
      await addActivity(hub.hub.db, {
        name: 'Currencies',
        entities: [{ entity: 'CurrencyEntity', sourceFormat: null }],
      })
    ).id
    queues = await hub.work()
  })
  afterAll(async () => {
    await hub.close()
    await place.stop()
  })

  const inbound = () => queues.forBoard.find((queue) => (queue as Queue).name === 'inbound') as Queue
  async function ended(data: unknown, options: object = {}) {
    const { id } = await inbound().add('any name', data, options)
    return waitFor(
      async () => {
        const state = await (await inbound().getJob(id!))?.getState()
        return (state === 'completed' || state === 'failed') && inbound().getJob(id!)
      },
      { what: 'the end of the job' },
    )
  }

  it.each([
    { what: 'text', data: { payload: file } },
    { what: 'base64', data: { payload: Buffer.from(file).toString('base64'), encoding: 'base64' } },
    {
      what: 'UTF-16 in base64',
      data: { payload: Buffer.from(`\ufeff${file}`, 'utf16le').toString('base64'), encoding: 'base64' },
    },
    {
      what: 'all there is to say',
      data: { payload: file, entity: 'Currencies', company: null, externalId: 'nr 7', encoding: 'utf8' },
    },
  ])('takes a job with $what, and answers with the message id', async ({ data }) => {
    const job = await ended({ activityId, ...data })
    expect(job.failedReason ?? '').toBe('')
    await allFinished(hub)
    const { message } = await hub.outcome(String(job.returnvalue))
    expect(message).toMatchObject({ origin: 'queue', status: 'Processed', activity: 'Currencies' })
    expect(message.externalId).toBe('externalId' in data ? 'nr 7' : null)
  })

  const malformed: { data: unknown; reason: RegExp }[] = [
    { data: {}, reason: /^EA107: The property activityId is missing/ },
    { data: [1], reason: /^EA107: .*object/ },
    { data: 'text', reason: /^EA107: .*object/ },
    { data: { payload: file }, reason: /^EA107: The property activityId is missing/ },
    { data: { activityId: 7, payload: file }, reason: /^EA107: The property activityId must be a string, not number/ },
    { data: { activityId: 'x', payload: file }, reason: /^EA101: .*'x'/ },
    { data: { activityId: '6b29fc40-ca47-1067-b31d-00dd010662da', payload: file }, reason: /^EA101/ },
    { data: { activityId: 'given' }, reason: /^EA107: The property payload is missing/ },
    {
      data: { activityId: 'given', payload: { a: 1 } },
      reason: /^EA107: The property payload must be a string, not object/,
    },
    { data: { activityId: 'given', payload: null }, reason: /^EA107: The property payload must be a string/ },
    {
      data: { activityId: 'given', payload: file, encoding: 'gzip' },
      reason: /^EA107: The property encoding .*'gzip'/,
    },
    {
      data: { activityId: 'given', payload: 'no*base64', encoding: 'base64' },
      reason: /^EA107: The property payload is not base64/,
    },
    {
      data: { activityId: 'given', payload: 'x'.repeat(300_000) },
      reason: /^EA107: The property payload has more than 262144 bytes/,
    },
    {
      data: { activityId: 'given', payload: file, colour: 'red' },
      reason: /^EA107: The property colour is not known; known are activityId/,
    },
    { data: { activityId: 'given', payload: file, entity: 'Vendors V2' }, reason: /^EA105: .*Vendors/ },
    { data: { activityId: 'given', payload: file, entity: 'Nothing' }, reason: /^EA102: .*'Nothing'/ },
  ]
  it.each(malformed)(
    'fails a malformed job for good, with a reason that names the trouble: $reason',
    async ({ data, reason }) => {
      const given = typeof data === 'object' && data !== null && 'activityId' in data && data.activityId === 'given'
      const job = await ended(given ? { ...data, activityId } : data, { attempts: 3 })
      expect(job.failedReason).toMatch(reason)
      expect(job.attemptsMade).toBe(1)
    },
  )

  it('keeps a job that runs twice as one message', async () => {
    const job = await ended({ activityId, payload: file })
    // As after a crash between keeping the message and telling BullMQ.
    const identity = /^\d+$/.test(job.id ?? '') ? `${job.id}-${job.timestamp}` : (job.id ?? '')
    const again = await receiveJob(hub.hub, job.data, identity)
    expect(again).toMatchObject({ messageId: job.returnvalue, isRepeat: true })
  })

  it('tells jobs apart whose ids BullMQ gave twice, because the queue was emptied', async () => {
    const before = await ended({ activityId, payload: file })
    await inbound().obliterate({ force: true })
    const after = await ended({ activityId, payload: 'CurrencyCode,Name\nCHF,Another\n' })
    expect(after.failedReason ?? '').toBe('')
    expect(after.returnvalue).not.toBe(before.returnvalue)
  })

  it('takes a job with an id that the producer chose before as the same message, whatever became of the queue', async () => {
    const before = await ended({ activityId, payload: file }, { jobId: 'currencies-of-monday' })
    await inbound().obliterate({ force: true })
    const again = await ended({ activityId, payload: file }, { jobId: 'currencies-of-monday' })
    expect(again.returnvalue).toBe(before.returnvalue)
    await inbound().obliterate({ force: true })
    const other = await ended(
      { activityId, payload: 'CurrencyCode,Name\nCHF,Another\n' },
      { jobId: 'currencies-of-monday' },
    )
    expect(other.failedReason).toMatch(/^EA103/)
  })
})
