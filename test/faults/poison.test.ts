import { allFinished, expectAccounted } from '../helpers/accounting'
import { addMasterData, groupsFile, termsFile } from '../helpers/build'
import { type QueuePlace, queueBackends } from '../helpers/queues'
import { openTestHub, type TestHub } from '../helpers/test-hub'
import { killProcesses, startWorker } from '../helpers/worker-process'

describe.each(queueBackends)('a message that kills every worker, with queues on $backend', ({ start }) => {
  let place: QueuePlace
  let hub: TestHub

  beforeEach(async () => {
    place = await start()
    hub = await openTestHub(place, settings)
    await addMasterData(hub)
  })
  afterEach(async () => {
    await killProcesses()
    await hub.close()
    await place.stop()
  })
  const settings = { LEASE_SECONDS: '1', MAX_ATTEMPTS: '3' }

  it.each([
    { point: 'stage.inChunk', state: 'PreProcessingError' },
    { point: 'promote.inPart', state: 'PostProcessingError' },
  ])('ends as an error that says so, killing at $point, while others go on', async ({ point, state }) => {
    const poison = await hub.deliver('Terms of payment', termsFile(2_000))
    const others = [0, 1, 2, 3, 4].map((n) => hub.deliver('Customer groups', groupsFile(n)))
    // The supervisor: a worker that is killed is started again, as systemd or Kubernetes would.
    let killed = 0
    let message = (await hub.outcome(poison.messageId)).message
    while (message.finishedAt === null && killed < 10) {
      const worker = startWorker({ place, fault: `${point}:1:kill`, env: settings })
      const end = worker.logs('message.finished', ({ messageId }) => messageId === poison.messageId)
      if ((await Promise.race([worker.exit, end.then(() => undefined)]))?.signal === 'SIGKILL') killed++
      end.catch(() => undefined) // of a worker that was killed
      message = (await hub.outcome(poison.messageId)).message
    }
    // Three times without progress; the check before promotion is progress.
    expect(killed).toBe(point === 'stage.inChunk' ? 3 : 4)
    expect(message).toMatchObject({ status: state, error: { code: 'ES106', innererror: { hint: expect.any(String) } } })
    await allFinished(hub)
    for (const { messageId } of await Promise.all(others)) {
      expect((await hub.outcome(messageId)).message.status).toBe('ProcessedWithErrors')
    }
    await expectAccounted(hub)
  })
})
