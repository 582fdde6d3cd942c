import { armFaults, faultPoint } from '../../src/platform/faults'

describe('faultPoint', () => {
  afterEach(() => armFaults(undefined))

  it('does nothing unless armed', () => {
    faultPoint('stage.afterChunk')
  })

  it('acts at the nth time only, and at its own name only', () => {
    armFaults('stage.afterChunk:2:throw, other:1:throw')
    faultPoint('stage.afterChunk')
    expect(() => faultPoint('stage.afterChunk')).toThrow('Fault at stage.afterChunk')
    faultPoint('stage.afterChunk')
    faultPoint('unnamed')
    expect(() => faultPoint('other')).toThrow('Fault at other')
  })

  it('refuses a fault that is misspelt, because it would never happen', () => {
    expect(() => armFaults('stage.afterChunk:kill')).toThrow('stage.afterChunk:kill')
    expect(() => armFaults('a:1:explode')).toThrow('explode')
  })
})
