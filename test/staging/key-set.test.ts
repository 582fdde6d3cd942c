import fc from 'fast-check'
import { KeySet } from '../../src/staging/key-set'

/** Adds keys of several parts each, numbered from 1. */
function added(keys: readonly (readonly string[])[], group?: KeySet): KeySet {
  const set = new KeySet(group)
  keys.forEach((parts, index) => {
    set.begin()
    for (const part of parts) set.feed(Buffer.from(part), 0, Buffer.byteLength(part))
    set.add(index + 1)
  })
  return set
}

describe('a set of keys', () => {
  it('names exactly the records whose key occurred before', () => {
    const key = fc.array(fc.string({ maxLength: 3 }), { minLength: 2, maxLength: 2 })
    fc.assert(
      fc.property(fc.array(key, { maxLength: 200 }), (keys) => {
        const seen = new Set<string>()
        const expected = keys.flatMap((parts, index) => {
          const text = JSON.stringify(parts)
          const isRepeat = seen.has(text)
          seen.add(text)
          return isRepeat ? [index + 1] : []
        })
        const set = added(keys)
        expect(set.repeats).toEqual(expected)
        expect(set.areUnique).toBe(expected.length === 0)
      }),
    )
  })

  it('tells keys apart whose parts only join to the same text', () => {
    expect(
      added([
        ['a', 'bc'],
        ['ab', 'c'],
        ['', 'abc'],
      ]).areUnique,
    ).toBe(true)
  })

  it('tells a hundred thousand keys apart, and finds the one that comes again', () => {
    const keys = Array.from({ length: 100_000 }, (_, n) => ['usmf', `C${String(n).padStart(9, '0')}`])
    expect(added(keys).areUnique).toBe(true)
    expect(added([...keys, keys[77_777]!]).repeats).toEqual([100_001])
  })

  it('finds in a group what occurs in two of its sets', () => {
    const group = new KeySet()
    expect(added([['a'], ['b']], group).areUnique).toBe(true)
    expect(group.areUnique).toBe(true)
    expect(added([['b']], group).areUnique).toBe(true)
    expect(group.areUnique).toBe(false)
  })

  it('knows nothing any more once a record was not seen', () => {
    const set = added([['a']])
    set.giveUp()
    expect(set.repeats).toBeNull()
    expect(set.areUnique).toBe(false)
  })
})
