import { randomUUID } from 'node:crypto'
import type { RunningHub } from '../api/running-hub'
import { packageOf } from '../helpers/package'
import { queueBackends } from '../helpers/queues'
import { callAction, endStatus, runContoso, upload, valueIn } from './package-client'
import { groups, terms } from './packages'

const manyImports = 100

/** Dynamics 365 answers imports on one project that come together with deadlocks and duplicate keys. */
describe.each(queueBackends)('imports on one project that come together, on $backend', (backend) => {
  let running: RunningHub

  beforeAll(async () => {
    running = await runContoso({ backend })
  })
  afterAll(() => running.stop())

  it('all succeed, and have each record there once', async () => {
    const { url, hub } = running
    const imported = await Promise.all(
      Array.from({ length: manyImports }, async (_, i) => {
        // Terms of their own, terms that all of them have, and a group that needs the former.
        const bytes = await packageOf('Crowd', [terms(`Crowd${i}`, 'CrowdAll'), groups([`Crowd${i}`, `Crowd${i}`])])
        const executionId = `Crowd ${i} ${randomUUID()}`
        const answer = await callAction(url, 'ImportFromPackage', {
          packageUrl: await upload(url, bytes),
          definitionGroupId: 'Crowd',
          executionId,
          execute: true,
          overwrite: true,
          legalEntityId: 'USMF',
        })
        expect(answer.status).toBe(200)
        expect(valueIn(answer)).toBe(executionId)
        return executionId
      }),
    )
    const ends = new Map<string, string>()
    for (const executionId of imported) ends.set(executionId, await endStatus(url, executionId))
    expect([...ends].filter(([, status]) => status !== 'Succeeded')).toEqual([])

    const there = await hub.db.query(
      `SELECT (SELECT count(*)::int FROM target."PaymentTermEntity" WHERE "Name" LIKE 'Crowd%') AS terms,
         (SELECT count(*)::int FROM target."CustCustomerGroupEntity" WHERE "CustomerGroupId" LIKE 'Crowd%') AS groups`,
    )
    expect(there).toEqual([{ terms: manyImports + 1, groups: manyImports }])
    const counted = await hub.db.query(
      `SELECT e.entity, sum(e.records_read)::int AS read, sum(e.records_inserted)::int AS inserted,
         sum(e.records_unchanged)::int AS unchanged
       FROM entrepot.execution_entity e JOIN entrepot.execution x ON x.id = e.execution_id WHERE x.project = 'Crowd'
       GROUP BY e.entity ORDER BY e.entity`,
    )
    expect(counted).toEqual([
      { entity: 'CustCustomerGroupEntity', read: manyImports, inserted: manyImports, unchanged: 0 },
      { entity: 'PaymentTermEntity', read: 2 * manyImports, inserted: manyImports + 1, unchanged: manyImports - 1 },
    ])
  })
})
