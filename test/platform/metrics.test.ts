import { openMetrics } from '../../src/platform/metrics'
import { observe } from '../../src/platform/observe'

describe('the metrics of a process', () => {
  it('add up what its clean-ups removed', async () => {
    const metrics = openMetrics(async () => ({}))
    const counts = { payloads: 1, payloadBytes: 20, stagedRecords: 300, messages: 4, orphans: 5, orphanBytes: 60 }
    for (const ms of [1, 2]) observe({ at: 'clean.finished', ms, ...counts })
    const text = await metrics.text()
    metrics.close()
    for (const [what, count] of [
      ['payload', 2],
      ['payload_byte', 40],
      ['staged_record', 600],
      ['message', 8],
      ['orphan', 10],
      ['orphan_byte', 120],
    ]) {
      expect(text).toContain(`entrepot_cleaned_total{what="${what}"} ${count}\n`)
    }
  })
})
