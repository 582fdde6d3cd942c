import {
  belongsTo,
  belongsToItself,
  defineCompositeEntity,
  defineEntity,
  type Entity,
  entityRegistry,
  type Relation,
  string,
} from '../../src/entity'
import { ensureEntityTables } from '../../src/execution/entity-tables'
import { openTestHub, type TestHub } from '../helpers/test-hub'

function entity(name: string, key: readonly string[], relations: Record<string, Relation>): Entity {
  const fields = ['PlantId', 'HallId', 'RackId', 'Next', 'Note']
  return defineEntity({
    name: `${name}Entity`,
    label: `${name}s`,
    publicEntityName: name,
    publicCollectionName: `${name}Collection`,
    isPublic: true,
    dataManagementEnabled: true,
    category: 'Master',
    companySpecific: false,
    key: key as ['PlantId'],
    fields: Object.fromEntries(fields.map((field) => [field, string({ maxLength: 10, letterCase: 'upper' })])),
    relations,
  }) as unknown as Entity
}

/** Three levels, shared by all companies; the keys grow on the way down, and records name the next one of their kind. */
const plants = entity('Plant', ['PlantId'], { Follower: belongsToItself({ Next: 'PlantId' }) })
const halls = entity('Hall', ['PlantId', 'HallId'], { Of: belongsTo(() => plants, { PlantId: 'PlantId' }) as Relation })
const racks = entity('Rack', ['RackId'], {
  Of: belongsTo(() => halls, { PlantId: 'PlantId', HallId: 'HallId' }) as Relation,
  Follower: belongsToItself({ Next: 'RackId' }),
})
const sites = defineCompositeEntity({
  name: 'SitesEntity',
  label: 'Sites',
  root: plants,
  children: [{ entity: halls, relation: 'Of', children: [{ entity: racks, relation: 'Of' }] }],
})

let hub: TestHub
beforeEach(async () => {
  const opened = await openTestHub()
  await ensureEntityTables(opened.hub.db, [plants, halls, racks])
  // The steps get the hub itself, so that it is given other entities.
  Object.assign(opened.hub, { registry: entityRegistry([plants, halls, racks], [sites]) })
  hub = opened
})
afterEach(() => hub.close())

const codesOf = (errors: readonly { recordNumber: number; code: string; entity: string }[]) =>
  errors.map(({ recordNumber, code, entity: name }) => [recordNumber, code, name])
const keysOf = async ({ name }: Entity) =>
  (
    await hub.hub.db.query(
      `SELECT concat_ws('/', "PlantId", nullif("HallId", ''), nullif("RackId", '')) AS key FROM target."${name}" ORDER BY 1`,
    )
  ).map(({ key }) => key)

it('a composite of three levels hands keys down from level to level', async () => {
  const { message, errors } = await hub.importFile(
    'Sites',
    '<D><Plant PlantId="p1"><Hall><HallId>h1</HallId><Rack RackId="r1"/><Rack RackId="r2" HallId="H1"/></Hall>' +
      '<Hall HallId="h2"><Rack RackId="r3"/></Hall></Plant></D>',
  )
  expect(errors).toEqual([])
  expect(message.status).toBe('Processed')
  expect(await keysOf(plants)).toEqual(['P1'])
  expect(await keysOf(halls)).toEqual(['P1/H1', 'P1/H2'])
  expect(await keysOf(racks)).toEqual(['P1/H1/R1', 'P1/H1/R2', 'P1/H2/R3'])
})

it('records of three levels are in error together, wherever the one at fault stands', async () => {
  const { errors } = await hub.importFile(
    'Sites',
    '<D><Plant PlantId="p1"><Hall HallId="h1"><Rack RackId="r1" Note="much too long for it"/></Hall><Hall HallId="h2"/></Plant>' +
      '<Plant PlantId="p2"><Hall HallId="h1"><Rack RackId="r2" HallId="h9"/></Hall></Plant></D>',
  )
  expect(codesOf(errors)).toEqual([
    [1, 'EP106', 'PlantEntity'],
    [2, 'EP106', 'HallEntity'],
    [3, 'ER202', 'RackEntity'],
    [4, 'EP106', 'HallEntity'],
    [5, 'EP106', 'PlantEntity'],
    [6, 'EP106', 'HallEntity'],
    [7, 'ER109', 'RackEntity'],
  ])
  expect(await keysOf(plants)).toEqual([])
})

it('records of one file may relate to each other over documents, and what relates to a document in error is in error', async () => {
  const site = (plant: string, next: string, rack: string, nextRack: string) =>
    `<Plant PlantId="${plant}" Next="${next}"><Hall HallId="h"><Rack RackId="${rack}" Next="${nextRack}"/></Hall></Plant>`
  const good = [site('p1', 'p2', 'r1', ''), site('p2', '', 'r2', 'r1')]
  // The rack of p5 is nowhere; p4 relates to p5, and the rack of p3 to that of p4.
  const bad = [site('p3', '', 'r3', 'r4'), site('p4', 'p5', 'r4', ''), site('p5', '', 'r5', 'r9')]
  const { errors } = await hub.importFile('Sites', `<D>${[...good, ...bad].join('')}</D>`)
  expect(await keysOf(plants)).toEqual(['P1', 'P2'])
  expect(codesOf(errors)).toEqual([
    [7, 'EP106', 'PlantEntity'],
    [8, 'EP106', 'HallEntity'],
    [9, 'EP101', 'RackEntity'],
    [10, 'EP101', 'PlantEntity'],
    [11, 'EP106', 'HallEntity'],
    [12, 'EP106', 'RackEntity'],
    [13, 'EP106', 'PlantEntity'],
    [14, 'EP106', 'HallEntity'],
    [15, 'EP101', 'RackEntity'],
  ])
})
