import { Currencies } from '../../entities/currencies'
import { CustomerGroups } from '../../entities/customer-groups'
import { MessageRejected } from '../../src/errors'
import { mapColumns } from '../../src/staging/column-map'

const lenient = { strict: false, company: null }

/** What the call throws. */
function rejection(call: () => unknown): MessageRejected {
  try {
    call()
  } catch (error) {
    if (error instanceof MessageRejected) return error
    throw error
  }
  throw new Error('Nothing was thrown')
}

describe('mapColumns', () => {
  it('gives for each column of the entity the index of the source column, and -1 where there is none', () => {
    const { sources, unknown } = mapColumns(Currencies, ['Name', 'CurrencyCode'], lenient)
    expect(Currencies.columns.slice(0, 3).map(({ name }) => name)).toEqual(['CurrencyCode', 'Name', 'Symbol'])
    expect(sources.slice(0, 3)).toEqual([1, 0, -1])
    expect(unknown).toEqual([])
  })

  it.each(['CURRENCYCODE', 'currency code', 'Currency_Code', 'currency-code'])(
    'matches %s whatever its case, spaces and hyphens',
    (name) => {
      expect(mapColumns(Currencies, [name], lenient).sources[0]).toBe(0)
    },
  )

  it('lists columns that the entity does not know, as the file spells them', () => {
    expect(mapColumns(Currencies, ['CurrencyCode', 'Free Text', '__proto__', ''], lenient).unknown).toEqual([
      'Free Text',
      '__proto__',
      '',
    ])
  })

  it('refuses such columns when the activity is strict (EF108), naming them', () => {
    const error = rejection(() => mapColumns(Currencies, ['CurrencyCode', 'Colour'], { strict: true, company: null }))
    expect(error).toMatchObject({ code: 'EF108', message: expect.stringContaining("'Colour'"), place: { line: 1 } })
  })

  it('refuses a header of which nothing matches (EF102), naming what is there and what there could be', () => {
    const error = rejection(() => mapColumns(Currencies, ['a', 'b'], lenient))
    expect(error).toMatchObject({ code: 'EF102', message: expect.stringMatching(/'a', 'b'.*'CurrencyCode'/s) })
  })

  it('refuses a field that is named twice (EF103), by both of its names', () => {
    const error = rejection(() => mapColumns(Currencies, ['CurrencyCode', 'currency code'], lenient))
    expect(error).toMatchObject({
      code: 'EF103',
      message: "The columns 'CurrencyCode' and 'currency code' are the same field",
      place: { field: 'CurrencyCode', line: 1 },
    })
  })

  it('refuses a file without a column for the key (EF104), naming the key', () => {
    const error = rejection(() => mapColumns(Currencies, ['Name'], lenient))
    expect(error).toMatchObject({ code: 'EF104', place: { field: 'CurrencyCode' } })
  })

  it('takes the company from the message where no column gives it, and refuses a file when neither does (EP105)', () => {
    const columns = ['CustomerGroupId']
    expect(mapColumns(CustomerGroups, columns, { strict: false, company: 'usmf' }).sources[0]).toBe(-1)
    expect(rejection(() => mapColumns(CustomerGroups, columns, lenient))).toMatchObject({
      code: 'EP105',
      place: { field: 'dataAreaId' },
    })
  })

  it('keeps its sentences short however many columns a file has', () => {
    const many = Array.from({ length: 5_000 }, (_, i) => `c${i}${'x'.repeat(100)}`)
    expect(rejection(() => mapColumns(Currencies, many, lenient)).message.length).toBeLessThan(1_500)
  })
})
