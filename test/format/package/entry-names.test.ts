import fc from 'fast-check'
import { entryNames } from '../../../src/format/package/entry-names'
import { nameFault, twinKey } from '../../../src/format/package/zip-names'

describe('entryNames', () => {
  it('keeps names that can be, without their folders', () => {
    expect(entryNames(['in/Customer groups.csv', '/tmp/Größe.xml', 'a..csv'])).toEqual([
      'Customer groups.csv',
      'Größe.xml',
      'a..csv',
    ])
  })

  it('numbers files of one name, in whatever letter case and folder, and those that are named as the package itself', () => {
    expect(entryNames(['a/x.csv', 'b/X.CSV', 'a/x.csv', 'Manifest.xml', 'packageheader.XML'])).toEqual([
      'x.csv',
      'X-2.CSV',
      'x-3.csv',
      'Manifest-2.xml',
      'packageheader-2.XML',
    ])
  })

  it('takes out what no entry may have', () => {
    expect(entryNames(['CON.csv', 'a:b.csv', 'back\\slash.csv', 'new\nline.csv', 'dot.', ''])).toEqual([
      'CON_.csv',
      'a_b.csv',
      'back_slash.csv',
      'new_line.csv',
      'dot',
      'file',
    ])
  })

  it('gives each of any files a name of its own that an entry may have', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ unit: fc.constantFrom('.', ' ', 'é', '\\', ':', 'a'), maxLength: 600 }),
      fc.constantFrom('aux', 'nul.csv', 'Manifest.xml', 'manifest-2.xml'),
    )
    fc.assert(
      fc.property(fc.array(name), (files) => {
        const names = entryNames(files)
        expect(names.filter((each) => nameFault(each) !== undefined || each.includes('/'))).toEqual([])
        expect(new Set(names.map(twinKey)).size).toBe(files.length)
      }),
    )
  })
})
