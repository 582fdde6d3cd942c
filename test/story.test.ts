import { retryExecution } from '../src/execution/actions'
import { ringFor } from '../src/pipeline'
import type { Queues } from '../src/platform/queues'
import { addActivity } from '../src/project/activity'
import { errorsFile } from '../src/staging/errors-file'
import { ringForReceived } from '../src/work'
import { allFinished, expectAccounted } from './helpers/accounting'
import { type QueuePlace, queueBackends } from './helpers/queues'
import { openTestHub, type TestHub } from './helpers/test-hub'
import { waitFor } from './helpers/wait-for'

/**
 * The whole way of a record, told once: from the file that a producer sends, through staging, to the target table; and
 * what becomes of a record that is not good at first. Read it from top to bottom.
 */
describe.each(queueBackends)('the way of a record, with queues on $backend', ({ start }) => {
  let place: QueuePlace
  let hub: TestHub
  let queues: Queues

  beforeAll(async () => {
    place = await start()
    hub = await openTestHub(place)
    queues = await hub.work()
  })
  afterAll(async () => {
    await hub.close()
    await place.stop()
  })

  /** A producer sends a file: it is kept first, then a bell rings, then workers do the rest. */
  async function send(entity: string, lines: readonly string[], company?: string) {
    const received = await hub.deliver(entity, `${lines.join('\n')}\n`, company === undefined ? {} : { company })
    ringForReceived(queues, received)
    await allFinished(hub)
    return hub.outcome(received.messageId)
  }

  it('begins with the records that others refer to', async () => {
    const company = await send('Legal entities', ['LegalEntityId,Name', 'USMF,Contoso Entertainment System USA'])
    expect(company.message.status).toBe('Processed')
    expect(await hub.target('Legal entities')).toMatchObject([{ LegalEntityId: 'usmf', LanguageId: 'en-US' }])

    const terms = await send('Terms of payment', ['Name,NumberOfDays', 'Net30,30'], 'USMF')
    expect(terms.message.status).toBe('Processed')
  })

  it('leads good records into the target table, and keeps the others in staging with the reason', async () => {
    const { message, execution, errors } = await send(
      'Customer groups',
      [
        'CustomerGroupId,Description,PaymentTermId,Colour',
        '10,Wholesale,Net30,red', // good
        '20,Retail,Net10,blue', // refers to terms that are not there
        '30,Internet,,green', // good, and ...
        '30,Online,,green', // ... superseded: the last record of a key wins
        'TOO LONG A NAME,Other,,', // longer than its field
      ],
      'USMF',
    )
    expect(message.status).toBe('ProcessedWithErrors')
    expect(execution.status).toBe('PartiallySucceeded')
    // Every record that was read is accounted for.
    expect(execution.entities[0]!.records).toEqual({
      read: 5,
      inserted: 2,
      updated: 0,
      unchanged: 0,
      superseded: 1,
      error: 2,
    })
    expect(errors.map(({ line, code, reason }) => [line, code, reason])).toEqual([
      [3, 'EP101', "Terms of payment has no record with Name 'Net10' in company usmf"],
      [4, 'EP102', 'Record 4 of the same message has the same key and wins'],
      [6, 'ER202', expect.stringContaining("CustomerGroupId 'TOO LONG A NAME'")],
    ])
    // A column that the entity does not know is left out, and said to be.
    expect(execution.log).toMatchObject([{ code: 'EF108', text: expect.stringContaining('Colour') }])
    expect(await hub.target('Customer groups')).toMatchObject([
      {
        dataAreaId: 'usmf',
        CustomerGroupId: '10',
        Description: 'Wholesale',
        PaymentTermId: 'Net30',
        IsPublicSector_IT: 'No',
      },
      { dataAreaId: 'usmf', CustomerGroupId: '30', Description: 'Online' },
    ])
  })

  it('can be gone again by the records in error: as a file to correct, or as they are, once their trouble is gone', async () => {
    const [{ executionId, messageId } = { executionId: '', messageId: '' }] = await hub.hub.db.query<{
      executionId: string
      messageId: string
    }>(
      `SELECT x.id AS "executionId", m.id AS "messageId" FROM entrepot.message m JOIN entrepot.execution x ON x.message_id = m.id
       WHERE m.state = 'ProcessedWithErrors'`,
    )
    let file = ''
    for await (const text of errorsFile(hub.hub, executionId)) file += text
    expect(file.split('\r\n').slice(0, 3)).toEqual([
      'CustomerGroupId,Description,PaymentTermId,Colour',
      '20,Retail,Net10,',
      'TOO LONG A NAME,Other,,',
    ])

    await send('Terms of payment', ['Name,NumberOfDays', 'Net10,10'], 'USMF')
    const { due } = await retryExecution(hub.hub.db, executionId)
    await ringFor(queues, due)
    await allFinished(hub)
    const { execution, errors } = await hub.outcome(messageId)
    expect(execution.entities[0]!.records).toMatchObject({ read: 5, inserted: 3, superseded: 1, error: 1 })
    expect(errors.map(({ code }) => code)).toEqual(['EP102', 'ER202'])
  })

  it('changes only what is different when the records come again, in whatever format', async () => {
    const { message, execution } = await send('CustomerGroups', [
      '<?xml version="1.0" encoding="utf-8"?><Document>',
      '  <CustCustomerGroupEntity><dataAreaId>usmf</dataAreaId><CustomerGroupId>10</CustomerGroupId><Description>Wholesale</Description></CustCustomerGroupEntity>',
      '  <CustCustomerGroupEntity><dataAreaId>usmf</dataAreaId><CustomerGroupId>20</CustomerGroupId><Description>Shops</Description></CustCustomerGroupEntity>',
      '</Document>',
    ])
    expect(message.status).toBe('Processed')
    expect(execution.entities[0]!.records).toMatchObject({ read: 2, inserted: 0, updated: 1, unchanged: 1 })
    // What a record does not give stays as it was.
    expect((await hub.target('Customer groups'))[1]).toMatchObject({
      CustomerGroupId: '20',
      Description: 'Shops',
      PaymentTermId: 'Net10',
    })
  })

  it('ends before it begins for a file that can never pass, with an answer that its sender can act on', async () => {
    const { message, execution } = await send('Customer groups', ['Group;Text', '10;Wholesale'], 'USMF')
    expect(message).toMatchObject({
      status: 'PreProcessingError',
      error: {
        code: 'EF102',
        message: expect.stringContaining("'Group'"),
        innererror: { line: 1, hint: expect.any(String) },
      },
    })
    expect(execution).toMatchObject({
      status: 'Failed',
      entities: [{ stagingStatus: 'Error', targetStatus: 'NotRun' }],
    })
  })

  it('has a door for producers of jobs: what they put into the queue `inbound` becomes a message', async () => {
    const { id } = await addActivity(hub.hub.db, {
      name: 'Currencies from the shop',
      entities: [{ entity: 'CurrencyEntity', sourceFormat: null }],
    })
    // BullMQ's own queue, as a producer has it.
    const inbound = queues.forBoard.find((queue) => (queue as { name: string }).name === 'inbound') as {
      add(name: string, data: object): Promise<unknown>
    }
    await inbound.add('currencies', { activityId: id, payload: 'CurrencyCode,Name\nEUR,Euro\n', externalId: 'shop 1' })
    await waitForMessage('shop 1')
    await allFinished(hub)
    expect(await hub.target('Currencies')).toMatchObject([
      { CurrencyCode: 'EUR', Name: 'Euro', GeneralRoundingRule: expect.stringMatching(/^0\.01/) },
    ])
  })

  it('loses no record on it', () => expectAccounted(hub))

  function waitForMessage(externalId: string): Promise<unknown> {
    const stored = async () =>
      (await hub.hub.db.query('SELECT 1 FROM entrepot.message WHERE external_id = $1', [externalId]))[0]
    return waitFor(stored, { what: `the message ${externalId}` })
  }
})
