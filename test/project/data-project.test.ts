import { type Database, openDatabase } from '../../src/platform/database'
import { addActivity, getActivity } from '../../src/project/activity'
import {
  addProject,
  changeProject,
  defaultLine,
  findProject,
  getProject,
  listProjects,
  orderOf,
  overwriteProject,
  type ProjectEntity,
  removeProject,
  removeProjectEntity,
  setProjectEntity,
  settingsOf,
} from '../../src/project/data-project'
import { createTestDatabase, type TestDatabase } from '../helpers/postgres'

describe('data projects', () => {
  let database: TestDatabase
  let db: Database
  beforeAll(async () => {
    database = await createTestDatabase()
    db = openDatabase({ url: database.url, poolSize: 8, applicationName: 'test' })
  })
  afterAll(async () => {
    await db.close()
    await database.drop()
  })
  const line = (entity: string, more: Partial<ProjectEntity> = {}): ProjectEntity => ({
    ...defaultLine,
    entity,
    ...more,
  })
  const overwrite = (name: string, lines: readonly ProjectEntity[], options = { overwrite: true }) =>
    db.transaction((tx) => overwriteProject(tx, { name, description: `${lines.length} lines` }, lines, options))

  it('are what was said of them, with defaults, by name', async () => {
    const plain = await addProject(db, { name: 'plain' })
    expect(plain).toEqual({
      name: 'plain',
      operation: 'Import',
      category: 'Integration',
      description: '',
      entities: [],
    })
    const full = { operation: 'Export', category: 'Configuration', description: 'All of it' } as const
    expect(await addProject(db, { name: 'full', ...full })).toMatchObject(full)
    expect((await listProjects(db)).map(({ name }) => name)).toEqual(['full', 'plain'])
  })

  it('have names that are told apart without regard to letter case (EA110), and are not blank (EA109)', async () => {
    await addProject(db, { name: 'Groups' })
    await expect(addProject(db, { name: 'GROUPS' })).rejects.toMatchObject({ code: 'EA110', status: 409 })
    await expect(addProject(db, { name: ' ' })).rejects.toMatchObject({ code: 'EA109', status: 400 })
    expect(await getProject(db, 'groups')).toMatchObject({ name: 'Groups' })
    const entities = [{ entity: 'CurrencyEntity', sourceFormat: null }]
    await expect(addActivity(db, { name: 'gROUPS', entities })).rejects.toMatchObject({ code: 'EA110', status: 409 })
    await expect(getProject(db, 'nothing')).rejects.toMatchObject({ code: 'EA118', status: 404 })
  })

  it.each(['two\nlines', 'a\ttab', 'x'.repeat(501)])(
    'have names of one line and at most 500 characters (EA109): %j',
    async (name) => {
      await expect(addProject(db, { name })).rejects.toMatchObject({ code: 'EA109', status: 400 })
    },
  )

  it('are added once, however many add them at the same time', async () => {
    await Promise.all(Array.from({ length: 8 }, () => db.query('SELECT pg_sleep(0.05)'))) // all connections are open
    for (const round of [1, 2, 3, 4, 5]) {
      const names = [`Race ${round}`, `RACE ${round}`, `race ${round}`, `Race ${round}`]
      const added = await Promise.allSettled(names.map((name) => addProject(db, { name })))
      expect(added.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const outcome of added) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'EA110', status: 409 })
      }
      expect((await listProjects(db)).filter(({ name }) => name.toLowerCase() === `race ${round}`)).toHaveLength(1)
    }
  })

  it('are changed where something is said, and stay as they are else', async () => {
    await addProject(db, { name: 'changed', category: 'Other', description: 'before' })
    expect(await changeProject(db, 'CHANGED', { description: 'after' })).toMatchObject({
      name: 'changed',
      category: 'Other',
      description: 'after',
    })
    await expect(changeProject(db, 'nothing', {})).rejects.toMatchObject({ code: 'EA118' })
  })

  it('have entities in the order in which they are run, each changed where something is said', async () => {
    await addProject(db, { name: 'lines' })
    await setProjectEntity(db, 'lines', { entity: 'B', levelInExecutionUnit: 2 })
    await setProjectEntity(db, 'lines', { entity: 'C' })
    await setProjectEntity(db, 'LINES', { entity: 'A', executionUnit: 2, mapping: [{ field: 'Name', source: 'N' }] })
    const changed = await setProjectEntity(db, 'lines', { entity: 'A', taskCount: 4, truncateEntityData: true })
    expect(changed.entities).toEqual([
      line('C'),
      line('B', { levelInExecutionUnit: 2 }),
      line('A', {
        executionUnit: 2,
        mapping: [{ field: 'Name', source: 'N' }],
        taskCount: 4,
        truncateEntityData: true,
      }),
    ])
    expect((await setProjectEntity(db, 'lines', { entity: 'A', mapping: null, taskCount: null })).entities[2]).toEqual(
      line('A', { executionUnit: 2, truncateEntityData: true }),
    )
    expect((await removeProjectEntity(db, 'lines', 'C')).entities.map(({ entity }) => entity)).toEqual(['B', 'A'])
    await expect(removeProjectEntity(db, 'lines', 'C')).rejects.toMatchObject({ code: 'EA105', status: 404 })
    await expect(setProjectEntity(db, 'nothing', { entity: 'A' })).rejects.toMatchObject({ code: 'EA118' })
  })

  it('lose no change when several are made at the same time', async () => {
    await addProject(db, { name: 'together' })
    const changes = [{ file: 'a.csv' }, { taskCount: 3 }, { disabled: true }, { failLevelOnError: true }]
    await Promise.all(changes.map((change) => setProjectEntity(db, 'together', { entity: 'A', ...change })))
    expect((await getProject(db, 'together')).entities).toEqual([line('A', Object.assign({}, ...changes))])
  })

  it('are removed with their entities, unless an activity is a channel of theirs (EA110)', async () => {
    await addProject(db, { name: 'gone' })
    await setProjectEntity(db, 'gone', { entity: 'A' })
    await removeProject(db, 'GONE')
    expect(await findProject(db, 'gone')).toBeUndefined()
    await expect(removeProject(db, 'gone')).rejects.toMatchObject({ code: 'EA118', status: 404 })

    await addProject(db, { name: 'channelled' })
    await addActivity(db, { name: 'its channel', project: 'Channelled' })
    await expect(removeProject(db, 'channelled')).rejects.toMatchObject({
      code: 'EA110',
      status: 409,
      message: expect.stringContaining('its channel'),
    })
  })

  it('have activities that take what the project has, as it is at the time', async () => {
    await addProject(db, { name: 'existing' })
    const { id, project } = await addActivity(db, { name: 'a channel', project: 'EXISTING' })
    expect(project).toBe('existing')
    await setProjectEntity(db, 'existing', { entity: 'A', sourceFormat: 'CSV-Semicolon' })
    expect((await getActivity(db, id)).entities).toEqual([line('A', { sourceFormat: 'CSV-Semicolon' })])
    await expect(addActivity(db, { name: 'of none', project: 'none' })).rejects.toMatchObject({ code: 'EA118' })
  })

  describe('of a package', () => {
    it('are made, and made anew with just its entities, under the name that is there', async () => {
      await overwrite('Pack', [line('A'), line('B')])
      await overwrite('PACK', [line('C', { mapping: [{ field: 'x', source: 'y' }] })])
      expect(await findProject(db, 'pack')).toEqual({
        name: 'Pack',
        operation: 'Import',
        category: 'Integration',
        description: '1 lines',
        entities: [line('C', { mapping: [{ field: 'x', source: 'y' }] })],
      })
    })

    it('are refused where they are there and may not be overwritten (EA116), and stay as they were', async () => {
      await overwrite('Kept', [line('A')], { overwrite: false })
      await expect(overwrite('KEPT', [line('B')], { overwrite: false })).rejects.toMatchObject({
        code: 'EA116',
        status: 400,
      })
      expect((await getProject(db, 'kept')).entities).toEqual([line('A')])
    })

    it('are whole when several packages for one project come at the same time', async () => {
      const sets = Array.from({ length: 8 }, (_, n) => Array.from({ length: n + 1 }, (_, i) => line(`E${i}`)))
      await Promise.all(sets.map((lines, n) => overwrite(n % 2 === 0 ? 'Busy' : 'BUSY', lines)))
      const project = await getProject(db, 'busy')
      expect(project.entities).toHaveLength(Number.parseInt(project.description, 10))
      expect((await listProjects(db)).filter(({ name }) => name.toLowerCase() === 'busy')).toHaveLength(1)
    })
  })

  it('hand on to an execution what differs from an import without a project, and the order', () => {
    expect(settingsOf(line('A'))).toBeNull()
    const said = {
      mapping: [{ field: 'x', source: 'y' }],
      truncateEntityData: true,
      runBusinessValidation: false,
      importThreshold: 0,
      taskCount: 1,
    }
    expect(settingsOf(line('A', said))).toEqual(said)
    expect(orderOf(line('A', { executionUnit: 3, failLevelOnError: true }))).toEqual({
      executionUnit: 3,
      levelInExecutionUnit: 1,
      sequenceInLevel: 1,
      failLevelOnError: true,
      failExecutionUnitOnError: false,
    })
  })
})
