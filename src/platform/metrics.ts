import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { type CleanCounts, type Observation, onObservation, type PromotionCounts } from './observe'

/** A number that is read when it is asked for, with what tells it from others of its name. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** Gauges by name; see `gaugeMeanings` for what each says. */
export type Facts = { readonly [K in keyof typeof gaugeMeanings]?: readonly Sample[] }

/** What the gauges say, and the labels that they have. */
const gaugeMeanings = {
  entrepot_messages: { help: 'Messages in the history by status; the clean-up makes them fewer.', labels: ['status'] },
  entrepot_records: {
    help: 'Records of the executions in the history by what became of them; the clean-up makes them fewer.',
    labels: ['outcome'],
  },
  entrepot_executions_due: { help: 'Entities of executions that wait for a step.', labels: ['step'] },
  entrepot_oldest_waiting_seconds: { help: 'How long the oldest due work has waited.', labels: [] },
  entrepot_blocked_activities: { help: 'Ordered activities that a failed message holds up.', labels: [] },
  entrepot_queue_jobs: {
    help: 'Jobs of the queues: bells, and producers’ messages in inbound.',
    labels: ['queue', 'state'],
  },
  entrepot_queue_up: { help: '1 when the queues answer; while they do not, work goes on by the sweeper.', labels: [] },
} as const satisfies Record<string, { help: string; labels: readonly string[] }>

export interface Metrics {
  /** One answered request, for the histogram of answer times. */
  countAnswer(answer: { method: string; path: string; status: number; seconds: number }): void
  /** All metrics in Prometheus' text format. */
  text(): Promise<string>
  readonly contentType: string
  close(): void
}

/** From a batch of small messages to an hour for a large one. */
const stepSeconds = [0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 1_200, 3_600]
const answerSeconds = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30]
/** Several scrapers, or an impatient person, cost one query. */
const factsAgeMs = 2_000

/**
 * Measures this process from what it observes, and reads facts of the whole hub when it is asked.
 * Input   `readFacts`: an error of it fails `text`.
 */
export function openMetrics(readFacts: () => Promise<Facts>): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const gauges = Object.entries(gaugeMeanings).map(([name, { help, labels }]) => ({
    name: name as keyof typeof gaugeMeanings, // Object.entries forgets the type of the keys
    gauge: new Gauge<string>({ name, help, labelNames: labels, registers: [registry] }),
  }))
  const answers = new Histogram({
    name: 'entrepot_http_answer_seconds',
    help: 'Time from a request to its answer, by this process.',
    labelNames: ['method', 'path', 'status'],
    buckets: answerSeconds,
    registers: [registry],
  })
  const stopObserving = onObservation(observer(registry))
  const facts = keepFor(factsAgeMs, readFacts)
  return {
    contentType: registry.contentType,
    countAnswer: ({ method, path, status, seconds }) =>
      answers.observe({ method, path, status: String(status) }, seconds),
    async text() {
      const known = await facts()
      for (const { name, gauge } of gauges) {
        gauge.reset()
        for (const { labels = {}, value } of known[name] ?? []) gauge.set(labels, value)
      }
      return registry.metrics()
    },
    close: stopObserving,
  }
}

/** Counts what the steps of this process say they did. */
function observer(registry: Registry): (event: Observation) => void {
  const register = [registry]
  const received = counter(register, 'entrepot_messages_received_total', 'Messages kept by this process.', ['origin'])
  const receivedBytes = counter(register, 'entrepot_message_bytes_received_total', 'Bytes kept by this process.', [
    'origin',
  ])
  const records = counter(register, 'entrepot_records_handled_total', 'Records that steps of this process handled.', [
    'step',
    'outcome',
  ])
  const troubles = counter(register, 'entrepot_step_troubles_total', 'Steps of this process that did not go through.', [
    'step',
    'kind',
  ])
  const cleaned = counter(register, 'entrepot_cleaned_total', 'What the clean-up of this process removed.', ['what'])
  const durations = new Histogram({
    name: 'entrepot_step_seconds',
    help: 'Time that a step took for an entity of an execution, or for small messages together, in this process.',
    labelNames: ['step', 'entity'],
    buckets: stepSeconds,
    registers: register,
  })
  return (event) => {
    switch (event.at) {
      case 'message.received':
        received.inc({ origin: event.origin })
        receivedBytes.inc({ origin: event.origin }, event.bytes)
        return
      case 'stage.finished':
        durations.observe({ step: 'stage', entity: event.entity }, event.ms / 1_000)
        records.inc({ step: 'stage', outcome: 'staged' }, event.records - event.errors)
        records.inc({ step: 'stage', outcome: 'error' }, event.errors)
        return
      case 'promote.finished':
        durations.observe({ step: 'promote', entity: event.entity }, event.ms / 1_000)
        for (const [outcome, count] of outcomes(event)) records.inc({ step: 'promote', outcome }, count)
        return
      case 'step.retried':
      case 'step.conflict':
      case 'step.failed':
        troubles.inc({ step: event.step, kind: event.at.slice('step.'.length) })
        return
      case 'clean.finished':
        for (const [what, count] of cleanedThings(event)) cleaned.inc({ what }, count)
    }
  }
}

function outcomes({ inserted, updated, unchanged, superseded, errors }: PromotionCounts): [string, number][] {
  return Object.entries({ inserted, updated, unchanged, superseded, error: errors })
}

function cleanedThings(event: CleanCounts): [string, number][] {
  const { payloads, payloadBytes, stagedRecords, messages, orphans, orphanBytes } = event
  return Object.entries({
    payload: payloads,
    payload_byte: payloadBytes,
    staged_record: stagedRecords,
    message: messages,
    orphan: orphans,
    orphan_byte: orphanBytes,
  })
}

function counter<T extends string>(registers: Registry[], name: string, help: string, labelNames: T[]): Counter<T> {
  return new Counter({ name, help, labelNames, registers })
}

/** Asks again only when the last answer is old; those who ask meanwhile share it. Errors are not kept. */
function keepFor<T>(ageMs: number, ask: () => Promise<T>): () => Promise<T> {
  let last: Promise<T> | undefined
  let askedAt = 0
  return () => {
    if (last && performance.now() - askedAt < ageMs) return last
    askedAt = performance.now()
    const asked = ask()
    last = asked
    asked.catch(() => {
      if (last === asked) last = undefined
    })
    return asked
  }
}
