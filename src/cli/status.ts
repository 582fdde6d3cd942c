import { type ExecutionReport, findExecution, findMessage, listMessages, type MessageReport } from '../execution/report'
import type { MessageState } from '../execution/states'
import type { Hub } from '../hub'
import { exitCodes } from './failure'
import { findMessageId } from './find-run'
import { messageLabel, outcomeOf, printOutcome } from './outcome'
import { withHub } from './session'
import { count, moment, paint, print, printJson, size, table } from './terminal'

/** How many messages are listed. */
const listedMessages = 20

/** Shows a message with its newest execution; without an id, the newest messages. */
export function showStatus(id: string | undefined, { json = false }: { json?: boolean }): Promise<number> {
  return withHub('status', async (hub) => {
    if (id === undefined) await showNewest(hub, json)
    else await showOne(hub, id, json)
    return exitCodes.good
  })
}

async function showNewest({ db, registry }: Hub, json: boolean): Promise<void> {
  const messages = await listMessages(db, { limit: listedMessages })
  if (json) {
    printJson(messages)
    return
  }
  if (messages.length === 0) {
    print('There are no messages yet. Import one with: entrepot import FILE --entity NAME')
    return
  }
  print(
    table(messages, [
      { title: 'Received (UTC)', text: ({ receivedAt }) => moment(receivedAt) },
      { title: 'Status', text: statusText, style: ({ status }) => statusStyle(status) },
      { title: 'Entity', text: (message) => messageLabel({ registry }, { ...message, company: null }) },
      { title: 'Company', text: ({ company }) => company ?? '' },
      { title: 'Size', isNumber: true, text: ({ bytes }) => size(bytes) },
      { title: 'Activity', text: ({ activity }) => activity ?? '' },
      { title: 'Name', text: ({ externalId }) => externalId ?? '' },
      { title: 'Message', text: ({ messageId }) => messageId },
    ]),
  )
}

/** An ordered activity stands still without a word otherwise. */
function statusText({ status, isBlocking, waitsFor }: MessageReport): string {
  if (isBlocking) return `${status} (blocks)`
  return waitsFor === null ? status : `${status} (waits)`
}

function statusStyle(status: MessageState): 'green' | 'yellow' | 'red' | undefined {
  if (status === 'Processed') return 'green'
  if (status === 'ProcessedWithErrors') return 'yellow'
  return status.endsWith('Error') ? 'red' : undefined
}

async function showOne(hub: Hub, id: string, json: boolean): Promise<void> {
  const message = await findMessage(hub.db, await findMessageId(hub.db, id))
  const execution = await findExecution(hub.db, message.executionId)
  if (json) {
    printJson({ ...message, execution })
    return
  }
  print(
    paint('dim', `Received ${moment(message.receivedAt)} UTC by ${message.origin}, ${sizeOf(message)}`) +
      (message.activity === null ? '' : paint('dim', `, activity ${message.activity}`)),
  )
  if (execution.finishedAt === null) printUnderWay(message, execution)
  else {
    await printOutcome(hub, message, execution, outcomeOf(message, execution, 0), print)
  }
  if (message.isBlocking) {
    print(`\nThe later messages of its activity wait. To let them go on, correct its cause and then:
  entrepot retry ${execution.executionId}
or leave it behind with:
  entrepot skip ${message.messageId}`)
  }
}

function sizeOf({ bytes, hasBytes }: MessageReport): string {
  return bytes > 0 && !hasBytes ? `${size(bytes)} that the clean-up has removed` : size(bytes)
}

function printUnderWay(message: MessageReport, { entities, executionId }: ExecutionReport): void {
  print(statusText(message))
  for (const { stagingStatus, targetStatus, records, attempts } of entities) {
    print(`  staging ${stagingStatus}, target ${targetStatus}, ${count(records.read)} records staged`)
    if (attempts > 1) print(`  tried ${attempts} times without progress`)
  }
  if (message.waitsFor !== null)
    print(`  waits for message ${message.waitsFor}, which failed: see entrepot status ${message.waitsFor}`)
  print(paint('dim', `  message ${message.messageId}, execution ${executionId}`))
}
