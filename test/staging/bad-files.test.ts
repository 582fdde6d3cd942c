import { addActivity } from '../../src/project/activity'
import type { Delivery } from '../../src/source/receive'
import { expectAccounted } from '../helpers/accounting'
import { addMasterData } from '../helpers/build'
import { openTestHub, type TestHub } from '../helpers/test-hub'

/** A file that can never pass, and what its sender reads. */
interface BadFile {
  readonly what: string
  readonly file: string | Buffer
  readonly delivery?: Partial<Delivery>
  readonly code: string
  /** Part of the sentence. */
  readonly says: string | RegExp
  /** Where it says the trouble is. */
  readonly place?: { line?: number; column?: number }
}

const header = 'CurrencyCode,Name\n'
const badFiles: readonly BadFile[] = [
  { what: 'is empty', file: '', code: 'EF101', says: /empty/ },
  { what: 'holds only blank lines', file: '\n\r\n\n', code: 'EF101', says: /empty/ },
  {
    what: 'has no header',
    file: 'CHF,Swiss franc\nNOK,Norwegian krone\n',
    code: 'EF102',
    says: "'CHF'",
    place: { line: 1 },
  },
  {
    what: 'is of another entity',
    file: 'ItemNumber,Weight\n1,2\n',
    code: 'EF102',
    says: 'Currencies',
    place: { line: 1 },
  },
  {
    what: 'names a field twice',
    file: 'CurrencyCode,Name,NAME\nCHF,a,b\n',
    code: 'EF103',
    says: "'NAME'",
    place: { line: 1 },
  },
  {
    what: 'has no column for the key',
    file: 'Name,Symbol\na,b\n',
    code: 'EF104',
    says: 'CurrencyCode',
    place: { line: 1 },
  },
  {
    what: 'never closes a quote',
    file: `${header}CHF,franc\nNOK,"krone\nSEK,krona\n`,
    code: 'EF105',
    says: /quote/,
    place: { line: 3 },
  },
  {
    what: 'is not UTF-8',
    file: Buffer.from(`${header}CHF,fran\xe7ais\n`, 'latin1'),
    code: 'EF106',
    says: /byte|utf-8/i,
    place: { line: 2 },
  },
  {
    what: 'ends within a character',
    file: Buffer.concat([Buffer.from(`${header}CHF,fran`), Buffer.from([0xc3])]),
    code: 'EF106',
    says: /byte|utf-8/i,
  },
  {
    what: 'has a record larger than the limit',
    file: `${header}CHF,${'x'.repeat(70_000)}\n`,
    code: 'EF107',
    says: /65536|bytes/,
    place: { line: 2 },
  },
  {
    what: 'declares an encoding that is not known',
    file: '<?xml version="1.0" encoding="utf-7"?><Document/>',
    code: 'EF109',
    says: /utf-7/i,
  },
  {
    what: 'is XML where CSV was announced',
    file: '<Document><Currency><CurrencyCode>CHF</CurrencyCode></Currency></Document>',
    delivery: { sourceFormat: 'CSV-Comma' },
    code: 'EF1',
    says: /./,
  },
  {
    what: 'is CSV where XML was announced',
    file: `${header}CHF,franc\n`,
    delivery: { sourceFormat: 'XML-Element' },
    code: 'EF',
    says: /./,
  },
  {
    what: 'is XML that is not well-formed',
    file: '<Document>\n<Currency>\n<CurrencyCode>CHF</Currency>\n</Document>',
    code: 'EF201',
    says: /./,
    place: { line: 3 },
  },
  {
    what: 'is XML that ends too early',
    file: '<Document>\n<Currency><CurrencyCode>CHF</CurrencyCode></Currency>\n<Curr',
    code: 'EF201',
    says: /./,
    place: { line: 3 },
  },
  {
    what: 'has a document type',
    file: '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Document><Currency><CurrencyCode>&e;</CurrencyCode></Currency></Document>',
    code: 'EF202',
    says: /DOCTYPE|document type/i,
    place: { line: 2 },
  },
  {
    what: 'is nested too deep',
    file: `<Document>${'<a>'.repeat(500)}${'</a>'.repeat(500)}</Document>`,
    code: 'EF203',
    says: /deep/,
  },
  {
    what: 'has no element of the entity',
    file: '<Document>\n<Vendor><Name>a</Name></Vendor>\n</Document>',
    code: 'EF204',
    says: /Vendor|Currenc/,
  },
]

describe('a file that can never pass', () => {
  let hub: TestHub
  beforeAll(async () => {
    hub = await openTestHub(undefined, { MAX_RECORD_BYTES: '65536' })
    await addMasterData(hub)
  })
  afterAll(() => hub.close())

  it.each(badFiles)('that $what is refused with $code, its place and what to do, and promotes nothing', async (bad) => {
    const before = await hub.target('Currencies')
    const { message, execution, errors } = await hub.importFile('Currencies', bad.file, bad.delivery)
    expect(message.status).toBe('PreProcessingError')
    expect(message.error!.code).toMatch(new RegExp(`^${bad.code}`))
    expect(message.error!.message).toMatch(bad.says)
    expect(message.error!.innererror).toMatchObject({
      type: 'MessageRejected',
      hint: expect.stringMatching(/\w+/),
      ...bad.place,
    })
    expect(message.error!.message.length).toBeLessThan(2_000)
    expect(execution.status).toBe('Failed')
    expect(execution.entities[0]).toMatchObject({ stagingStatus: 'Error', targetStatus: 'NotRun' })
    expect(errors).toEqual([])
    expect(await hub.target('Currencies')).toEqual(before)
  })

  it.each([
    { what: 'a NUL character', column: 'Na\0me' },
    { what: 'a character that is cut in two by the length of what is shown', column: `${'x'.repeat(59)}\u{1F600}` },
  ])('may have $what in its header, and is still answered', async ({ column }) => {
    const refused = await hub.importFile('Currencies', `${column},b\n1,2\n`)
    expect(refused.message).toMatchObject({ status: 'PreProcessingError', error: { code: 'EF102' } })
    const taken = await hub.importFile('Currencies', `CurrencyCode,${column}\nSGD,2\n`)
    expect(taken.message.status).toBe('Processed')
    expect(taken.execution.log).toEqual([expect.objectContaining({ code: 'EF108' })])
  })

  it('is refused alone: the small messages beside it pass', async () => {
    const good = await hub.deliver('Currencies', `${header}CHF,franc\n`)
    const bad = await hub.deliver('Currencies', 'x\n')
    const also = await hub.deliver('Currencies', `${header}NOK,krone\n`)
    await hub.run()
    const statuses = await Promise.all(
      [good, bad, also].map(async ({ messageId }) => (await hub.outcome(messageId)).message.status),
    )
    expect(statuses).toEqual(['Processed', 'PreProcessingError', 'Processed'])
  })

  it('is refused although its beginning was staged, when it is large and the trouble is at its end', async () => {
    const records = Array.from({ length: 60_000 }, (_, i) => `usmf,Q${i},some words to make it large\n`)
    const { message, execution } = await hub.importFile(
      'Terms of payment',
      `dataAreaId,Name,Description\n${records.join('')}usmf,"open\n`,
    )
    expect(message).toMatchObject({
      status: 'PreProcessingError',
      error: { code: 'EF105', innererror: { line: 60_002 } },
    })
    expect(execution.entities[0]!.records).toMatchObject({ inserted: 0, updated: 0 })
    expect((await hub.target('Terms of payment')).filter(({ Name }) => String(Name).startsWith('Q'))).toEqual([])
  })

  it('has columns that a strict activity does not know (EF108); another leaves them out and says so', async () => {
    const entities = [{ entity: 'CurrencyEntity', sourceFormat: null }]
    const strict = await addActivity(hub.hub.db, { name: 'strict', entities, strict: true })
    const file = 'CurrencyCode,Colour\nSEK,blue\n'
    const refused = await hub.importFile('', file, { activityId: strict.id })
    expect(refused.message).toMatchObject({
      status: 'PreProcessingError',
      error: { code: 'EF108', message: expect.stringContaining("'Colour'") },
    })
    const taken = await hub.importFile('Currencies', file)
    expect(taken.message.status).toBe('Processed')
    expect(taken.execution.log).toEqual([
      expect.objectContaining({ code: 'EF108', text: expect.stringContaining('Colour') }),
    ])
  })

  it('names a company that does not exist (EP103)', async () => {
    const { message } = await hub.importFile('Customer groups', 'CustomerGroupId\n10\n', { company: 'zzzz' })
    expect(message).toMatchObject({
      status: 'PreProcessingError',
      error: { code: 'EP103', message: expect.stringContaining("'zzzz'") },
    })
  })

  it('is not one that only has a header: it is processed, and its log says that it has no records', async () => {
    const { message, execution } = await hub.importFile('Currencies', header)
    expect(message.status).toBe('Processed')
    expect(execution.entities[0]!.records.read).toBe(0)
    expect(execution.log).toEqual([expect.objectContaining({ code: 'EF111' })])
  })

  it('leaves every record accounted for', () => expectAccounted(hub))
})
