import { type Database, openDatabase } from '../../src/platform/database'
import { addActivity, enableActivity, getActivity, listActivities } from '../../src/project/activity'
import { defaultLine } from '../../src/project/data-project'
import { createTestDatabase, type TestDatabase } from '../helpers/postgres'

describe('activities', () => {
  let database: TestDatabase
  let db: Database
  beforeAll(async () => {
    database = await createTestDatabase()
    db = openDatabase({ url: database.url, poolSize: 2, applicationName: 'test' })
  })
  afterAll(async () => {
    await db.close()
    await database.drop()
  })
  const entities = [{ entity: 'CurrencyEntity', sourceFormat: null }]

  it('are what was said of them, with defaults that are safe', async () => {
    const plain = await addActivity(db, { name: 'plain', entities })
    expect(plain).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'plain',
      project: 'plain',
      ordered: false,
      strict: false,
      enabled: true,
      company: null,
      entities: entities.map((entity) => ({ ...defaultLine, ...entity })),
    })
    const two = [...entities, { entity: 'PaymentTermEntity', sourceFormat: 'CSV-Semicolon' }]
    const full = await addActivity(db, { name: 'full', entities: two, ordered: true, strict: true, company: 'USMF' })
    expect(full).toMatchObject({ ordered: true, strict: true, company: 'usmf', entities: two })
    expect(await listActivities(db)).toEqual([full, plain])
  })

  it('have a name of their own (EA110), and at least one entity (EA109)', async () => {
    await addActivity(db, { name: 'taken', entities })
    await expect(addActivity(db, { name: 'taken', entities })).rejects.toMatchObject({ code: 'EA110', status: 409 })
    await expect(addActivity(db, { name: ' ', entities })).rejects.toMatchObject({ code: 'EA109', status: 400 })
    await expect(addActivity(db, { name: 'none', entities: [] })).rejects.toMatchObject({ code: 'EA109', status: 400 })
    expect((await listActivities(db)).map(({ name }) => name)).not.toContain('none')
  })

  it('are turned off and on', async () => {
    const { id } = await addActivity(db, { name: 'switched', entities })
    expect(await enableActivity(db, id, false)).toMatchObject({ enabled: false })
    expect(await getActivity(db, id)).toMatchObject({ enabled: false })
    expect(await enableActivity(db, id.toUpperCase(), true)).toMatchObject({ enabled: true })
  })

  it.each(['', 'nonsense', "'; DROP TABLE x", '6b29fc40-ca47-1067-b31d-00dd010662da'])(
    'are not found by the id %j (EA101)',
    async (id) => {
      await expect(getActivity(db, id)).rejects.toMatchObject({ code: 'EA101', status: 404 })
      await expect(enableActivity(db, id, true)).rejects.toMatchObject({ code: 'EA101', status: 404 })
    },
  )
})
