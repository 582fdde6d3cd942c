import { openLifecycle } from '../src/platform/lifecycle'
import { readConfig } from '../src/platform/config'
import { openHub } from '../src/hub'
import { receive } from '../src/source/receive'
import { answerBell, steps } from '../src/pipeline'
import { createTestDatabase } from './helpers/postgres'
import { onObservation } from '../src/platform/observe'
const one = async function* (t: string) { yield Buffer.from(t) }
it('works', async () => {
  onObservation((e) => console.log(JSON.stringify(e, (k, v) => v instanceof Error ? v.stack : v)))
  const { url, drop } = await createTestDatabase()
  const lifecycle = openLifecycle()
  const hub = await openHub(readConfig({ DATABASE_URL: url }), lifecycle, 'test')
  const bells = { ringAll: async () => undefined }
  const imp = async (entity: string, text: string, company?: string) => {
    const r = await receive(hub, { origin: 'cli', entity, ...(company ? { company } : {}) }, one(text))
    for (const s of steps) await answerBell(hub, bells, s, String(r.workId))
    console.log(await hub.db.query('select * from entrepot.execution_entity_status where execution_id=$1', [r.executionId]), await hub.db.query('select * from entrepot.record_error'), await hub.db.query('select state,status,error from entrepot.message_status where id=$1', [r.messageId]))
  }
  await imp('Legal entities', 'LegalEntityId,Name\nUSMF,Contoso\n')
  await imp('PaymentTerms', 'Name,Description,NumberOfDays\nNet30,Net 30 days,30\nNet10,x,abc\n', 'USMF')
  await imp('CustomerGroups', 'dataareaid,CustomerGroupId,Description,PaymentTermId\nusmf,10,A,Net30\nusmf,20,B,Net99\nusmf,10,C,Net30\nusmf,30\n', 'USMF')
  await imp('CustomerGroups', '<Document><CUSTCUSTOMERGROUPENTITY><CUSTOMERGROUPID>10</CUSTOMERGROUPID><DESCRIPTION>D</DESCRIPTION></CUSTCUSTOMERGROUPENTITY></Document>', 'USMF')
  console.log(await hub.db.query('select * from target."CustCustomerGroupEntity"'))
  await lifecycle.shutdown('done')
  await drop()
})
