import { setTimeout as sleep } from 'node:timers/promises'
import { openProgress } from '../terminal'
import type { SampleFile } from './samples'

/** A file that was pushed, and the message that it became. */
export interface Pushed {
  readonly file: SampleFile
  readonly activityId: string
  readonly messageId: string
}

/** Pushes a file as any system would: one POST, whose answer is the message's id. Throws Error with the answer otherwise. */
export async function push(url: string, activityId: string, file: SampleFile): Promise<Pushed> {
  const query = new URLSearchParams({ entity: file.entity, ...(file.company ? { company: file.company } : {}) })
  const answer = await fetch(`${url}/api/connector/enqueue/${activityId}?${query}`, {
    method: 'POST',
    headers: { 'x-ms-dyn-externalidentifier': file.fileName },
    body: file.text,
  })
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`${file.fileName} was answered ${answer.status}: ${text}`)
  return { file, activityId, messageId: JSON.parse(text) }
}

/** What the status of a message says. */
interface JobStatus {
  readonly DataJobStatus: { readonly DataJobState: string }
}

const pollMs = 100
/** A slow machine needs some seconds; after this nothing will come any more. */
const patienceMs = 120_000

/** Asks for the status of messages until all have come to an end, showing which are under way. */
export async function waitForEnd(url: string, pushed: readonly Pushed[]): Promise<void> {
  const progress = openProgress()
  const deadline = Date.now() + patienceMs
  let underWay = [...pushed]
  try {
    while (underWay.length > 0) {
      const states = await Promise.all(underWay.map((message) => stateOf(url, message)))
      const shown = underWay.map(({ file }, at) => `${file.fileName} ${states[at]}`)
      underWay = underWay.filter((_, at) => !/^Processed|Error$/.test(states[at]!))
      if (underWay.length === 0) return
      if (Date.now() > deadline) throw new Error(`No end after ${patienceMs / 1_000} s: ${shown.join(', ')}`)
      if (process.stderr.isTTY) progress.show(`  ${shown.join(' · ')}`)
      await sleep(pollMs)
    }
  } finally {
    progress.clear()
  }
}

async function stateOf(url: string, { activityId, messageId }: Pushed): Promise<string> {
  const answer = await fetch(`${url}/api/connector/jobstatus/${activityId}?jobId=${messageId}`)
  if (!answer.ok) throw new Error(`The status of ${messageId} was answered ${answer.status}: ${await answer.text()}`)
  const status = (await answer.json()) as JobStatus // our own answer, whose shape its tests hold
  return status.DataJobStatus.DataJobState
}
