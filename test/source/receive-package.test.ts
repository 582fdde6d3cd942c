import { randomBytes } from 'node:crypto'
import { retryExecution } from '../../src/execution/actions'
import { addProject, findProject, setProjectEntity } from '../../src/project/data-project'
import { setNumberSequence } from '../../src/project/number-sequence'
import { buildPackage } from '../../src/source/package-build'
import { type Delivery, receive } from '../../src/source/receive'
import { expectAccounted } from '../helpers/accounting'
import { addMasterData, csv } from '../helpers/build'
import { type PackedEntity, packageOf } from '../helpers/package'
import { openTestHub, type TestHub } from '../helpers/test-hub'

const terms = (...names: string[]): PackedEntity => ({
  entityName: 'Terms of payment',
  text: csv(
    ['dataAreaId', 'Name', 'NumberOfDays'],
    names.map((name) => ['usmf', name, 30]),
  ),
})
const groups = (...pairs: [string, string][]): PackedEntity => ({
  entityName: 'Customer groups',
  text: csv(
    ['dataAreaId', 'CustomerGroupId', 'PaymentTermId'],
    pairs.map(([group, term]) => ['usmf', group, term]),
  ),
})

describe('a data package', () => {
  let hub: TestHub
  beforeEach(async () => {
    hub = await openTestHub()
    await addMasterData(hub)
  })
  afterEach(() => hub.close())

  async function deliver(file: Buffer, delivery: Partial<Delivery> = {}) {
    return receive(hub.hub, { origin: 'cli', company: 'usmf', ...delivery }, once(file))
  }
  async function importPackage(file: Buffer, delivery?: Partial<Delivery>) {
    const { messageId } = await deliver(file, delivery)
    await hub.run()
    return hub.outcome(messageId)
  }

  it('is one execution of all its entities, in the order of its manifest, and makes its data project', async () => {
    const file = await packageOf('Terms and groups', [terms('Net10'), groups(['10', 'Net10'], ['20', 'Net99'])])
    const { message, execution, errors } = await importPackage(file)
    expect(message).toMatchObject({ entity: null, project: 'Terms and groups', status: 'ProcessedWithErrors' })
    expect(execution).toMatchObject({ project: 'Terms and groups', status: 'PartiallySucceeded', mode: 'import' })
    expect(execution.entities).toMatchObject([
      { entity: 'PaymentTermEntity', file: 'Terms of payment.csv', targetStatus: 'Finished', records: { inserted: 1 } },
      { entity: 'CustCustomerGroupEntity', targetStatus: 'Error', records: { inserted: 1, error: 1 } },
    ])
    expect(errors).toMatchObject([{ entity: 'CustCustomerGroupEntity', recordNumber: 2, code: 'EP101' }])
    expect(await findProject(hub.hub.db, 'terms and GROUPS')).toMatchObject({
      name: 'Terms and groups',
      operation: 'Import',
      entities: [
        { entity: 'PaymentTermEntity', sequenceInLevel: 1, sourceFormat: 'CSV-Comma', file: 'Terms of payment.csv' },
        { entity: 'CustCustomerGroupEntity', sequenceInLevel: 2 },
      ],
    })
    // Where a manifest has no mapping the log says that names decide.
    expect(execution.log.map(({ text }) => text)).toContainEqual(
      expect.stringContaining('Terms of payment has no mapping in the manifest'),
    )
    await expectAccounted(hub)
  })

  it('has what its manifest cannot say of a mapping from its project, which keeps it', async () => {
    const name = 'Numbered terms'
    const { db, registry } = hub.hub
    await setNumberSequence(db, { name: 'Terms', format: 'T####', gapless: true })
    await addProject(db, { name })
    const mapping = [
      { field: 'Name', source: 'NO', numberSequence: 'Terms' },
      { field: 'Description', source: 'TEXT', ignoreBlankValues: true },
      { field: 'NumberOfDays', source: 'DAYS', isOptional: true },
    ]
    const project = await setProjectEntity(db, name, { entity: 'PaymentTermEntity', mapping })
    const built = async (text: string) => {
      const files = [{ line: project.entities[0]!, name: 'terms.csv', header: [], bytes: once(Buffer.from(text)) }]
      const pieces: Uint8Array[] = []
      for await (const piece of buildPackage(registry, project, files)) pieces.push(piece)
      return Buffer.concat(pieces)
    }
    const { execution } = await importPackage(await built('NO,TEXT,DAYS\n,good,5\n'), { project: name })
    expect(execution.entities[0]!.records).toMatchObject({ inserted: 1 })
    const again = await importPackage(await built('NO,TEXT\nT0001,\n'))
    expect(again.execution.entities[0]!.records).toMatchObject({ unchanged: 1 })
    expect(again.execution.log).toEqual([])
    expect(await findProject(db, name)).toMatchObject({ entities: [{ mapping }] })
  })

  it('reads a line by its label where its target entity is another, and says so', async () => {
    const file = await packageOf('Two minds', [{ ...terms('A'), targetEntity: 'VendVendorGroupEntity' }])
    const { execution } = await importPackage(file)
    expect(execution.entities).toMatchObject([{ entity: 'PaymentTermEntity', records: { inserted: 1 } }])
    expect(execution.log.map(({ text }) => text)).toContainEqual(
      'Terms of payment is taken for PaymentTermEntity, though the manifest names VendVendorGroupEntity as its target entity',
    )
  })

  it.each(['two\nlines', 'x'.repeat(501)])('cannot have the name %j (EA109)', async (name) => {
    await expect(deliver(await packageOf(name, [terms('A')]))).rejects.toMatchObject({ code: 'EA109', status: 400 })
  })

  it('stages its entities in any order, and promotes them level by level', async () => {
    // The group comes before its terms in the file, and after them in the order.
    const file = await packageOf('Levels', [
      { ...groups(['10', 'Net10']), levelInExecutionUnit: 2, sequenceInLevel: 1 },
      { ...terms('Net10'), levelInExecutionUnit: 1 },
    ])
    const { message } = await importPackage(file)
    expect(message.status).toBe('Processed')
    await expectAccounted(hub)
  })

  it('is handled the same when it is too large to be handled in a group', async () => {
    const many = Array.from({ length: 5_000 }, (_, i) => `T${i}`)
    // Random texts, which no zip can make small.
    const records = many.map((name) => ['usmf', name, randomBytes(20).toString('hex')])
    const file = await packageOf('Large', [
      { ...terms(), text: `${csv(['dataAreaId', 'Name', 'Description'], records)}one,field,too,many\r\n` },
      groups(...many.slice(0, 500).map((name, i): [string, string] => [`G${i}`, name])),
    ])
    expect(file.length).toBeGreaterThan(100_000)
    const { execution } = await importPackage(file)
    expect(execution.entities).toMatchObject([
      { records: { read: 5_001, inserted: 5_000, error: 1 } },
      { records: { read: 500, inserted: 500, error: 0 } },
    ])
    await expectAccounted(hub)
  })

  it('is handled by the size of its files, however small its zip is', async () => {
    const names = Array.from({ length: 14_000 }, (_, i) => [
      'usmf',
      `T${i}`,
      'The same description again and again',
      30,
    ])
    const text = csv(['dataAreaId', 'Name', 'Description', 'NumberOfDays'], names)
    const file = await packageOf('Packed', [{ ...terms(), text: text.replaceAll('again,', `again${' '.repeat(24)},`) }])
    expect(file.length).toBeLessThan(64 * 1024)
    const { messageId } = await deliver(file)
    const works = () =>
      hub.hub.db.query('SELECT small, staging_table FROM entrepot.execution_entity ORDER BY id DESC LIMIT 1')
    expect(await works()).toMatchObject([{ small: false }])
    await hub.run()
    expect(await works()).toMatchObject([{ staging_table: expect.stringContaining('PaymentTermEntity') }])
    expect((await hub.outcome(messageId)).execution.entities[0]!.records).toMatchObject({ inserted: 14_000 })
    await expectAccounted(hub)
  })

  describe('whose entity has errors', () => {
    const bad = { ...groups(['10', 'Net99'], ['20', '']), levelInExecutionUnit: 1 }
    const sameLevel = { ...terms('Net11'), levelInExecutionUnit: 1, sequenceInLevel: 2 }
    const nextLevel: PackedEntity = {
      entityName: 'Vendor groups',
      text: csv(['dataAreaId', 'VendorGroupId'], [['usmf', '10']]),
      levelInExecutionUnit: 2,
      sequenceInLevel: 1,
    }
    const otherUnit: PackedEntity = {
      entityName: 'Currencies',
      text: csv(['CurrencyCode', 'Name'], [['CHF', 'Franc']]),
      executionUnit: 2,
    }

    it.each([
      { switches: {}, ran: ['Error', 'Finished', 'Finished', 'Finished'] },
      { switches: { failLevelOnError: true }, ran: ['Error', 'Finished', 'NotRun', 'Finished'] },
      { switches: { failExecutionUnitOnError: true }, ran: ['Error', 'NotRun', 'NotRun', 'Finished'] },
    ])('stops what follows as its switches $switches say', async ({ switches, ran }) => {
      const file = await packageOf('Switches', [{ ...bad, ...switches }, sameLevel, nextLevel, otherUnit])
      const { message, execution } = await importPackage(file)
      expect(execution.entities.map(({ targetStatus }) => targetStatus)).toEqual(ran)
      expect(message.status).toBe('ProcessedWithErrors')
      expect(execution.status).toBe('PartiallySucceeded')
      const stopped = execution.log.filter(({ code }) => code === 'EP107').map(({ text }) => text)
      expect(stopped).toHaveLength(ran.filter((status) => status === 'NotRun').length)
      await expectAccounted(hub)
    })

    it('runs the rest when it is retried and what was wrong is right', async () => {
      const file = await packageOf('Retry', [
        { ...bad, failExecutionUnitOnError: true },
        sameLevel,
        nextLevel,
        otherUnit,
      ])
      const { message, execution } = await importPackage(file)
      await hub.importFile('Terms of payment', csv(['dataAreaId', 'Name'], [['usmf', 'Net99']]))
      await retryExecution(hub.hub.db, execution.executionId)
      await hub.run()
      const after = await hub.outcome(message.messageId)
      expect(after.message.status).toBe('Processed')
      expect(after.execution.executionId).toBe(execution.executionId)
      expect(after.execution.entities.map(({ targetStatus }) => targetStatus)).toEqual([
        'Finished',
        'Finished',
        'Finished',
        'Finished',
      ])
      await expectAccounted(hub)
    })
  })

  it('may have a file that cannot be read: its entity fails, and the others go on', async () => {
    const broken = { ...groups(['10', 'Net30']), text: 'Nothing,of,this\n1,2,3\n' }
    const { message, execution } = await importPackage(await packageOf('Half', [broken, terms('Net12')]))
    expect(message).toMatchObject({ status: 'ProcessedWithErrors', error: { code: 'EF102' } })
    expect(execution.entities).toMatchObject([
      { stagingStatus: 'Error', targetStatus: 'NotRun', error: { code: 'EF102' } },
      { targetStatus: 'Finished' },
    ])
    await expectAccounted(hub)
  })

  it.each<{ what: string; entities: PackedEntity[]; company?: string; code: string; text: RegExp }>([
    {
      what: 'an entity that is not known',
      entities: [{ ...terms('Net1'), entityName: 'Term of payments' }],
      code: 'EA102',
      text: /Entity Term of payments of the package 'Bad' does not exist in the target environment; the nearest are 'Terms of payment'/,
    },
    {
      what: 'a mapping of fields that are none',
      entities: [{ ...terms('Net1'), entityMapList: [map('NAME', 'Name'), map('COLOUR', 'Colour')] }],
      code: 'EF112',
      text: /maps Terms of payment wrongly: Terms of payment has no field COLOUR/,
    },
    {
      what: 'a format that is not read',
      entities: [{ ...terms('Net1'), sourceFormat: 'EXCEL' }],
      code: 'EA115',
      text: /The entity PaymentTermEntity of the package 'Bad' cannot be read: .*Excel/,
    },
    {
      what: 'a legal entity that is not known',
      entities: [terms('Net1')],
      company: 'nope',
      code: 'EP103',
      text: /The legal entity 'nope' does not exist/,
    },
    {
      what: 'the same entity by two names',
      entities: [terms('Net1'), { ...terms('Net2'), entityName: 'PaymentTerms' }],
      code: 'EF317',
      text: /twice/,
    },
  ])('is refused with $what, and nothing is kept', async ({ entities, company, code, text }) => {
    const file = await packageOf('Bad', entities)
    const refused = deliver(file, company ? { company } : {})
    await expect(refused).rejects.toMatchObject({ code, status: 400, message: expect.stringMatching(text) })
    expect(await findProject(hub.hub.db, 'Bad')).toBeUndefined()
    expect(await hub.hub.db.query(`SELECT FROM entrepot.message WHERE entity IS NULL`)).toEqual([])
  })

  it('is staged only, or validated only, when that is asked for', async () => {
    const file = await packageOf('Dry', [terms('Net10', 'Net30'), groups(['10', 'Net10'], ['20', 'Net99'])])
    const dry = await importPackage(file, { mode: 'validate' })
    expect(dry.execution.entities).toMatchObject([
      { records: { read: 2, inserted: 1, unchanged: 1 } },
      // The terms of the same package count as there.
      { records: { read: 2, inserted: 1, error: 1 } },
    ])
    expect(dry.errors).toMatchObject([{ code: 'EP101', value: 'Net99' }])
    expect(await hub.target('Customer groups')).toEqual([])
    expect(await hub.target('Terms of payment')).toHaveLength(1)

    const staged = await importPackage(file, { mode: 'stage' })
    expect(staged.message.status).toBe('Processed')
    expect(staged.execution.entities).toMatchObject([
      { stagingStatus: 'Finished', targetStatus: 'NotStarted', records: { read: 2, inserted: 0 } },
      { stagingStatus: 'Finished', targetStatus: 'NotStarted' },
    ])
    expect(await hub.target('Terms of payment')).toHaveLength(1)
  })
})

function map(entityField: string, xmlField: string) {
  return {
    arrayIndex: 0,
    entityField,
    xmlField,
    isAutoDefault: false,
    isAutoGenerated: false,
    isDefaultValueEqualNull: false,
    useTextQualifier: false,
    conversions: [],
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}
