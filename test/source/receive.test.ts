import { addActivity, enableActivity } from '../../src/project/activity'
import { setProjectEntity } from '../../src/project/data-project'
import { receive } from '../../src/source/receive'
import { addMasterData } from '../helpers/build'
import { openTestHub, type TestHub } from '../helpers/test-hub'

const file = 'CurrencyCode,Name\nCHF,Franc\n'

describe('receive', () => {
  let hub: TestHub
  let activityId: string
  beforeAll(async () => {
    hub = await openTestHub(undefined, { MAX_MESSAGE_BYTES: '200000' })
    await addMasterData(hub)
    const entities = ['CurrencyEntity', 'PaymentTermEntity'].map((entity) => ({ entity, sourceFormat: null }))
    activityId = (await addActivity(hub.hub.db, { name: 'Two entities', entities, company: 'USMF' })).id
  })
  afterAll(() => hub.close())

  const count = async (table: string) =>
    (await hub.hub.db.query<{ n: number }>(`SELECT count(*) AS n FROM entrepot.${table}`))[0]!.n
  const refusal = (entity: string, delivery: object = {}, bytes: string | Buffer = file) =>
    hub.deliver(entity, bytes, delivery).then(
      () => 'received',
      (error) => `${error.status} ${error.code} ${error.message}`,
    )

  it.each([10, 65_536, 65_537, 199_000])('keeps %d bytes as they came', async (size) => {
    const bytes = Buffer.from(Array.from({ length: size }, (_, i) => i % 256))
    const { messageId } = await hub.deliver('Currencies', bytes)
    const [row] = await hub.hub.db.query<{
      payload: Buffer | null
      location: string | null
      bytes: number
      ok: boolean
    }>(`SELECT payload, payload_location AS location, bytes FROM entrepot.message WHERE id = $1`, [messageId])
    const kept: Uint8Array[] = row!.payload ? [row!.payload] : []
    if (row!.location) for await (const piece of hub.hub.payloads.open(row!.location)) kept.push(piece)
    expect(Buffer.concat(kept).equals(bytes)).toBe(true)
    expect(row!.bytes).toBe(size)
    expect(row!.payload === null).toBe(size > 65_536)
  })

  it('makes one message of many deliveries with one key, also at the same time, and leaves no bytes of the others', async () => {
    const large = `${file}${'#'.repeat(100_000)}`
    const before = await count('payload_chunk')
    const received = await Promise.all(
      Array.from({ length: 20 }, () => hub.deliver('Currencies', large, { idempotencyKey: 'one' })),
    )
    expect(new Set(received.map(({ messageId }) => messageId)).size).toBe(1)
    expect(received.filter(({ isRepeat }) => !isRepeat)).toHaveLength(1)
    expect(await count('payload_chunk')).toBe(before + 1)
  })

  it('refuses a known key with other bytes (EA103), and takes it in another activity', async () => {
    await hub.deliver('Currencies', file, { idempotencyKey: 'two' })
    expect(await refusal('Currencies', { idempotencyKey: 'two' }, `${file}NOK,Krone\n`)).toMatch(/^409 EA103 .*'two'/)
    expect(await refusal('Currencies', { idempotencyKey: 'two', activityId }, `${file}NOK,Krone\n`)).toBe('received')
  })

  it('takes files of a composite by its names, to be handled by themselves however small', async () => {
    for (const name of ['Sales orders composite V3', 'salesorderv3entity']) {
      const { messageId, works } = await hub.deliver(name, '<Document/>')
      expect((await hub.outcome(messageId)).message.entity).toBe('SalesOrderV3Entity')
      expect(works).toEqual([expect.objectContaining({ isSmall: false })])
    }
    expect(await refusal('Sales orders compsite V3')).toMatch(/did you mean 'Sales orders composite V3'/)
  })

  it('refuses what it cannot place, saying what there is', async () => {
    expect(await refusal('Currencys')).toMatch(/^400 EA102 .*did you mean 'Currencies'/)
    expect(await refusal('')).toMatch(/^400 EA106/)
    expect(await refusal('', { activityId })).toMatch(/^400 EA106 .*CurrencyEntity, PaymentTermEntity/)
    expect(await refusal('Vendors V2', { activityId })).toMatch(/^400 EA105 .*Two entities/)
    expect(await refusal('Currencies', { activityId: 'nonsense' })).toMatch(/^404 EA101/)
    expect(await refusal('Currencies', { sourceFormat: 'Word' })).toMatch(/^400 EA115 .*CSV-Comma/)
    expect(await refusal('Currencies', { sourceFormat: 'Excel' })).toMatch(/^400 EA115 .*workbooks are not read/)
  })

  it('refuses a zip without files (EF301), also where the entity is named', async () => {
    const empty = Buffer.from(`PK\x05\x06${'\0'.repeat(18)}`, 'latin1')
    for (const entity of ['Currencies', '']) {
      expect(await refusal(entity, {}, empty)).toBe('400 EF301 The zip file holds no file.')
    }
  })

  it('takes no entity that is turned off in the project of its activity', async () => {
    const { db } = hub.hub
    const entities = ['CurrencyEntity', 'PaymentTermEntity'].map((entity) => ({ entity, sourceFormat: null }))
    const { id } = await addActivity(db, { name: 'One of two', entities, company: 'usmf' })
    await setProjectEntity(db, 'One of two', { entity: 'PaymentTermEntity', disabled: true })
    expect(await refusal('Terms of payment', { activityId: id })).toMatch(/^400 EA105 .*One of two/)
    const { message } = await hub.importFile('', file, { activityId: id })
    expect(message).toMatchObject({ entity: 'CurrencyEntity', status: 'Processed' })
  })

  it('refuses a message above the limit (EA104) and leaves nothing of it', async () => {
    const before = [await count('message'), await count('payload_chunk')]
    expect(await refusal('Currencies', {}, 'x'.repeat(200_001))).toMatch(/^413 EA104 .*200000/)
    expect([await count('message'), await count('payload_chunk')]).toEqual(before)
  })

  it('leaves nothing of a message whose sender breaks off', async () => {
    const before = [await count('message'), await count('payload_chunk'), await count('execution')]
    const breaking = async function* () {
      yield Buffer.alloc(100_000, 65)
      throw new Error('the sender went away')
    }
    await expect(receive(hub.hub, { origin: 'http', entity: 'Currencies' }, breaking())).rejects.toThrow(
      'the sender went away',
    )
    expect([await count('message'), await count('payload_chunk'), await count('execution')]).toEqual(before)
  })

  it('takes no messages for a disabled activity (EA111)', async () => {
    const { id } = await addActivity(hub.hub.db, {
      name: 'Off',
      entities: [{ entity: 'CurrencyEntity', sourceFormat: null }],
    })
    await enableActivity(hub.hub.db, id, false)
    expect(await refusal('', { activityId: id })).toMatch(/^403 EA111 .*Off/)
  })

  it('gives messages the company of their activity, where they name none themselves', async () => {
    const companyOf = async (delivery: object) => {
      const { messageId } = await hub.deliver('Terms of payment', 'Name\nX\n', { activityId, ...delivery })
      return (await hub.outcome(messageId)).message.company
    }
    expect(await companyOf({})).toBe('usmf')
    expect(await companyOf({ company: ' DEMF ' })).toBe('demf')
  })

  it('takes names that no database text can hold', async () => {
    const { messageId } = await hub.deliver('Currencies', file, { externalId: 'a\0b.csv' })
    expect((await hub.outcome(messageId)).message.externalId).toBe('a␀b.csv')
    expect(await refusal('Currencies', { company: 'us\0' })).toBe('received')
    expect(await refusal('Currencies', { idempotencyKey: 'a\0' })).toBe('received')
  })

  it('gives messages numbers in the order in which they came', async () => {
    const ids: string[] = []
    for (let n = 0; n < 5; n++) ids.push((await hub.deliver('Currencies', file)).messageId)
    const rows = await hub.hub.db.query<{ id: string }>(
      'SELECT id FROM entrepot.message WHERE id = ANY($1) ORDER BY seq',
      [ids],
    )
    expect(rows.map(({ id }) => id)).toEqual(ids)
  })
})
