import { openLifecycle } from '../../src/platform/lifecycle'
import { type Observation, onObservation } from '../../src/platform/observe'

describe('lifecycle', () => {
  const seen: Observation[] = []
  let stop: () => void
  beforeEach(() => {
    seen.length = 0
    stop = onObservation((event) => seen.push(event))
  })
  afterEach(() => stop())

  it('closes the last opened first, one after another', async () => {
    const lifecycle = openLifecycle()
    const closed: string[] = []
    const slowly = async (name: string) => {
      await new Promise(setImmediate)
      closed.push(name)
    }
    for (const name of ['database', 'queues', 'http']) lifecycle.onShutdown(name, () => slowly(name))
    expect(await lifecycle.shutdown('test')).toBe(true)
    expect(closed).toEqual(['http', 'queues', 'database'])
  })

  it('closes the rest when one fails, and says which', async () => {
    const lifecycle = openLifecycle()
    const closed: string[] = []
    lifecycle.onShutdown('first', () => void closed.push('first'))
    lifecycle.onShutdown('broken', () => {
      throw new Error('no')
    })
    expect(await lifecycle.shutdown('test')).toBe(false)
    expect(closed).toEqual(['first'])
    expect(seen).toContainEqual(expect.objectContaining({ at: 'hub.release-failed', name: 'broken' }))
  })

  it('gives up after the grace, and says what it waited for', async () => {
    const lifecycle = openLifecycle(50)
    lifecycle.onShutdown('stuck', () => new Promise(() => undefined))
    expect(await lifecycle.shutdown('test')).toBe(false)
    expect(seen).toContainEqual(expect.objectContaining({ at: 'hub.release-failed', name: 'stuck' }))
  })

  it('closes once, however often it is asked', async () => {
    const lifecycle = openLifecycle()
    let closed = 0
    lifecycle.onShutdown('one', () => void closed++)
    await Promise.all([lifecycle.shutdown('a'), lifecycle.shutdown('b')])
    expect(closed).toBe(1)
  })
})
