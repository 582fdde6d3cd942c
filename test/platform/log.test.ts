import { MessageRejected } from '../../src/errors'
import { errorForLog } from '../../src/platform/log'
import { observe, onObservation } from '../../src/platform/observe'

describe('errorForLog', () => {
  it('gives code and place, and never the value of a record', () => {
    const error = new MessageRejected('EF106', 'Not UTF-8', { line: 3, field: 'Name', value: 'canary' })
    expect(errorForLog(error)).toEqual({ code: 'EF106', message: 'Not UTF-8', line: 3, field: 'Name' })
  })

  it('gives the stack of an error that nobody named', () => {
    const line = errorForLog(new Error('bug', { cause: new Error('why') }))
    expect(line).toMatchObject({ message: 'bug', cause: 'why', stack: expect.stringContaining('log.test') })
  })
})

describe('observe', () => {
  it('tells all who listen, until they stop, whatever one of them throws', () => {
    const heard: string[] = []
    const stopBad = onObservation(() => {
      throw new Error('bad listener')
    })
    const stopGood = onObservation(({ at }) => heard.push(at))
    observe({ at: 'sweep.rang', bells: 1 })
    stopGood()
    observe({ at: 'sweep.rang', bells: 1 })
    stopBad()
    expect(heard).toEqual(['sweep.rang'])
  })
})
