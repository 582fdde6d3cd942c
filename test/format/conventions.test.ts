import fc from 'fast-check'
import { date, dateTime, decimal, type Field, fieldTypes, int32, string } from '../../src/entity'
import { conventionOf, conventionProblems, inConvention } from '../../src/format/conventions'
import { type Conventions, groupSeparators } from '../../src/format/source-format'
import { texts } from '../entity/arbitraries'

/** What a text comes to: its canonical form, or the code and reason of its fault. */
function canonical(conventions: Conventions, field: Field, text: string): string {
  const converted = conventionOf(conventions, field)?.(text) ?? text
  const read = typeof converted === 'string' ? fieldTypes[field.type].parse(converted, field) : converted
  return typeof read === 'string' ? read : `${read.code} ${read.reason}`
}

const german: Conventions = {
  decimalSeparator: ',',
  groupSeparator: '.',
  dateFormat: 'dd.MM.yyyy',
  dateTimeFormat: 'dd.MM.yyyy HH:mm:ss',
  timeZone: 'Europe/Berlin',
}
const american: Conventions = { groupSeparator: ',', dateFormat: 'M/d/yyyy', dateTimeFormat: 'M/d/yyyy h:mm:ss tt' }
const swiss: Conventions = { groupSeparator: "'" }
const comma: Conventions = { decimalSeparator: ',' }

describe('a convention of numbers', () => {
  it.each<[Conventions, string, string]>([
    [german, '1.234.567,89', '1234567.89'],
    [german, '1234567,89', '1234567.89'],
    [german, ' -0,50 ', '-0.5'],
    [german, '+1.000', '1000'],
    [german, ',5', '0.5'],
    [german, '5,', '5'],
    [american, '1,234.5', '1234.5'],
    [swiss, "1'234.5", '1234.5'],
    [{ groupSeparator: '\u00a0', decimalSeparator: ',' }, '1\u00a0234,5', '1234.5'],
    [comma, '1234,5', '1234.5'],
  ])('%j reads %j as %s', (conventions, text, expected) => {
    expect(canonical(conventions, decimal(), text)).toBe(expected)
  })

  it.each<[Conventions, string, string]>([
    [german, '1.5', 'ER204 is no number of the form 1.234,56'],
    [german, '1234.567,89', 'ER204 is no number of the form 1.234,56'],
    [german, '1.234.56', 'ER204 is no number of the form 1.234,56'],
    [german, '1,234.56', 'ER204 is no number of the form 1.234,56'],
    [german, '1 234,56', 'ER204 is no number of the form 1.234,56'],
    [german, '1,5 €', 'ER204 is no number of the form 1.234,56'],
    [german, ',', 'ER204 is no decimal number'],
    [german, '0,1234567', 'ER204 has 7 decimals where 6 fit'],
    [comma, '1.5', 'ER204 is no number of the form 1234,56'],
    [american, '1.234,5', 'ER204 is no number of the form 1,234.56'],
  ])('%j refuses %j: %s', (conventions, text, expected) => {
    expect(canonical(conventions, decimal(), text)).toBe(expected)
  })

  it('holds for whole numbers', () => {
    expect(canonical(german, int32(), '-12.345')).toBe('-12345')
    expect(canonical(german, int32(), '12.34')).toBe('ER203 is no whole number of the form 1.234')
    expect(canonical(comma, int32(), '1,0')).toBe('ER203 is no whole number')
  })
})

describe('a convention of dates', () => {
  it.each<[string, string, string]>([
    ['dd.MM.yyyy', '31.12.2026', '2026-12-31'],
    ['dd.MM.yyyy', ' 29.02.2024 ', '2024-02-29'],
    ['MM/dd/yyyy', '12/31/2026', '2026-12-31'],
    ['M/d/yyyy', '1/2/2026', '2026-01-02'],
    ['M/d/yyyy', '12/31/2026', '2026-12-31'],
    ['yyyyMMdd', '20261231', '2026-12-31'],
    ["yyyy'年'M'月'd'日'", '2026年1月31日', '2026-01-31'],
  ])('%s reads %j as %s', (dateFormat, text, expected) => {
    expect(canonical({ dateFormat }, date(), text)).toBe(expected)
  })

  it.each<[string, string, string]>([
    ['dd.MM.yyyy', '2026-12-31', 'ER206 is not of the form dd.MM.yyyy'],
    ['dd.MM.yyyy', '31.12.26', 'ER206 is not of the form dd.MM.yyyy'],
    ['dd.MM.yyyy', '1.12.2026', 'ER206 is not of the form dd.MM.yyyy'],
    ['dd.MM.yyyy', '31.12.2026 00:00', 'ER206 is not of the form dd.MM.yyyy'],
    ['dd.MM.yyyy', '31x12x2026', 'ER206 is not of the form dd.MM.yyyy'],
    ['dd.MM.yyyy', '29.02.2026', 'ER206 is no day of the calendar'],
    ['MM/dd/yyyy', '31/12/2026', 'ER206 is no day of the calendar'],
    ['yyyyMMdd', '2026123', 'ER206 is not of the form yyyyMMdd'],
  ])('%s refuses %j: %s', (dateFormat, text, expected) => {
    expect(canonical({ dateFormat }, date(), text)).toBe(expected)
  })
})

describe('a convention of date-times', () => {
  it.each<[string, Conventions, string, string]>([
    ['in winter', german, '31.12.2026 08:15:00', '2026-12-31T07:15:00Z'],
    ['in summer', german, '01.07.2026 08:15:00', '2026-07-01T06:15:00Z'],
    ['in UTC', american, '7/1/2026 1:05:09 PM', '2026-07-01T13:05:09Z'],
    ['at midnight', american, '7/1/2026 12:00:00 am', '2026-07-01T00:00:00Z'],
    ['at noon', american, '7/1/2026 12:00:00 PM', '2026-07-01T12:00:00Z'],
    ['as no value', german, '01.01.1900 00:00:00', '1900-01-01T00:00:00Z'],
    ['before zones', german, '01.01.1850 00:00:00', '1849-12-31T23:06:32Z'],
    ['without seconds', { dateTimeFormat: 'dd.MM.yyyy HH:mm' }, '01.07.2026 08:15', '2026-07-01T08:15:00Z'],
    ['with fractions', { dateTimeFormat: 'yyyyMMddHHmmssfff' }, '20260701081501250', '2026-07-01T08:15:01.25Z'],
    [
      'with an offset, whatever the zone',
      { dateTimeFormat: 'dd.MM.yyyy HH:mm zzz', timeZone: 'Asia/Tokyo' },
      '01.07.2026 08:15 +02:00',
      '2026-07-01T06:15:00Z',
    ],
    ['in ISO 8601', { timeZone: 'Europe/Berlin' }, '2026-07-01T08:15:00', '2026-07-01T06:15:00Z'],
    ['in ISO 8601 with Z', { timeZone: 'Europe/Berlin' }, '2026-07-01T08:15:00Z', '2026-07-01T08:15:00Z'],
    ['as an ISO 8601 day', { timeZone: 'Europe/Berlin' }, '2026-07-01', '2026-06-30T22:00:00Z'],
    ['that comes twice: the first', german, '25.10.2026 02:30:00', '2026-10-25T00:30:00Z'],
    ['just behind what comes twice', german, '25.10.2026 03:00:00', '2026-10-25T02:00:00Z'],
    ['just behind a gap', german, '29.03.2026 03:00:00', '2026-03-29T01:00:00Z'],
  ])('reads a time %s', (_, conventions, text, expected) => {
    expect(canonical(conventions, dateTime(), text)).toBe(expected)
  })

  it.each<[string, Conventions, string, string]>([
    [
      'no clock showed',
      german,
      '29.03.2026 02:30:00',
      'ER207 is a time that clocks of Europe/Berlin are put forward over',
    ],
    [
      'no calendar of the place has',
      { timeZone: 'Pacific/Apia' },
      '2011-12-30T12:00:00',
      'ER207 is a time that clocks of Pacific/Apia are put forward over',
    ],
    ['has another form', german, '2026-07-01T08:15:00Z', 'ER207 is not of the form dd.MM.yyyy HH:mm:ss'],
    ['has no time', german, '01.07.2026', 'ER207 is not of the form dd.MM.yyyy HH:mm:ss'],
    ['is no time of the day', german, '01.07.2026 24:00:00', 'ER207 is no time of the day'],
    ['has an hour 0 of 12', american, '7/1/2026 0:05:09 PM', 'ER207 is not of the form M/d/yyyy h:mm:ss tt'],
    ['has an hour 13 of 12', american, '7/1/2026 13:05:09 PM', 'ER207 is not of the form M/d/yyyy h:mm:ss tt'],
    ['is beyond the years', german, '01.01.0001 00:00:00', 'ER207 is outside of years 1 to 9999'],
  ])('refuses a time that %s', (_, conventions, text, expected) => {
    expect(canonical(conventions, dateTime(), text)).toBe(expected)
  })
})

describe('a field without anything to convert', () => {
  it.each<[string, Conventions, Field]>([
    ['text', german, string({ maxLength: 10 })],
    ['a decimal with a dot', { decimalSeparator: '.', dateFormat: 'dd.MM.yyyy' }, decimal()],
    ['a whole number without groups', comma, int32()],
    ['an ISO date', { dateTimeFormat: 'dd.MM.yyyy HH:mm' }, date()],
    ['an ISO date-time in UTC', { dateFormat: 'dd.MM.yyyy' }, dateTime()],
  ])('has no convention: %s', (_, conventions, field) => {
    expect(conventionOf(conventions, field)).toBeUndefined()
    expect(inConvention(conventions, field)).toBeUndefined()
  })

  it('keeps its empty text', () => {
    for (const field of [decimal(), int32(), date(), dateTime()]) expect(conventionOf(german, field)!('')).toBe('')
  })
})

/** Conventions that hold any canonical value. */
const anyConventions = fc
  .record({
    decimalSeparator: fc.constantFrom('.', ','),
    groupSeparator: fc.option(fc.constantFrom(...groupSeparators), { nil: undefined }),
    dateFormat: fc.constantFrom(undefined, 'dd.MM.yyyy', 'MM/dd/yyyy', 'M/d/yyyy', 'yyyyMMdd', "d 'of' M yyyy"),
    dateTimeFormat: fc.constantFrom(
      undefined,
      'dd.MM.yyyy HH:mm:ss.ffffff',
      'M/d/yyyy h:mm:ss.ffffff tt',
      'yyyyMMddHHmmssffffff',
      "yyyy-MM-dd'T'HH:mm:ss.ffffffzzz",
    ),
    timeZone: fc.constantFrom(
      undefined,
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kolkata',
      'Australia/Lord_Howe',
    ),
  })
  .filter((conventions) => conventionProblems(conventions as Conventions).length === 0)
  .map((conventions) => conventions as Conventions) // exactOptionalPropertyTypes: undefined stands for left out

describe('what is written in a convention', () => {
  const readsBack = (conventions: Conventions, field: Field, value: string) => {
    const written = inConvention(conventions, field)?.(value) ?? value
    return canonical(conventions, field, written)
  }

  it('reads back as the same number', () => {
    const number = fc
      .tuple(fc.constantFrom('', '-'), fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.nat(999_999))
      .map(([sign, whole, rest]) => fieldTypes.decimal.parse(`${sign}${whole}.${rest}`, decimal()) as string)
    fc.assert(
      fc.property(anyConventions, number, (conventions, value) => {
        expect(readsBack(conventions, decimal(), value)).toBe(value)
      }),
      { numRuns: 500 },
    )
  })

  it('reads back as the same number with groups', () => {
    const grouped = anyConventions.filter(({ groupSeparator }) => groupSeparator !== undefined)
    fc.assert(
      fc.property(grouped, fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), (conventions, value) => {
        const text = value.toString().replace(/\B(?=(\d{3})+$)/g, conventions.groupSeparator!)
        expect(canonical(conventions, decimal(), text)).toBe(value.toString())
      }),
    )
  })

  const moment = fc.date({ min: new Date('0002-01-01'), max: new Date('9998-12-31'), noInvalidDate: true })

  it('reads back as the same date', () => {
    fc.assert(
      fc.property(anyConventions, moment, (conventions, at) => {
        const value = at.toISOString().slice(0, 10)
        expect(readsBack(conventions, date(), value)).toBe(value)
      }),
      { numRuns: 500 },
    )
  })

  it('reads back as the same date-time, or as the other one of an hour that comes twice', () => {
    const recent = fc.date({ min: new Date('1970-01-01'), max: new Date('2030-12-31'), noInvalidDate: true })
    fc.assert(
      fc.property(anyConventions, fc.oneof(moment, recent), (conventions, at) => {
        const value = fieldTypes.dateTime.parse(at.toISOString(), dateTime()) as string
        const back = readsBack(conventions, dateTime(), value)
        const laterMs = Date.parse(value) - Date.parse(back)
        if (laterMs !== 0) expect([1_800_000, 3_600_000]).toContain(laterMs)
        // Written and read once more it stays what it is.
        expect(readsBack(conventions, dateTime(), back)).toBe(back)
        const isExact = conventions.dateTimeFormat === undefined || conventions.dateTimeFormat.endsWith('zzz')
        if (isExact || (conventions.timeZone ?? 'UTC') === 'UTC') expect(back).toBe(value)
      }),
      { numRuns: 1_000 },
    )
  })

  it('leaves a text that is not canonical as it is', () => {
    expect(inConvention(german, date())!('soon')).toBe('soon')
    expect(inConvention(german, dateTime())!('soon')).toBe('soon')
  })
})

describe('any text', () => {
  it('is converted or refused, and an ISO date is refused where dates have another form', () => {
    fc.assert(
      fc.property(
        anyConventions,
        fc.constantFrom(decimal(), int32(), date(), dateTime()),
        texts,
        (conventions, field, text) => {
          const converted = conventionOf(conventions, field)?.(text) ?? text
          if (typeof converted === 'string') return
          expect(converted.code).toBe(
            { decimal: 'ER204', int32: 'ER203', date: 'ER206', dateTime: 'ER207' }[field.type as string],
          )
          expect(converted.reason).toMatch(/^is /)
        },
      ),
      { numRuns: 1_000 },
    )
    expect(conventionOf(german, date())!('2026-01-31')).toMatchObject({ code: 'ER206' })
  })
})

describe('conventionProblems', () => {
  it('finds nothing wrong with usual conventions', () => {
    for (const conventions of [german, american, swiss, comma, {}]) expect(conventionProblems(conventions)).toEqual([])
  })

  it.each<[object, string, RegExp]>([
    [{ decimalSeparator: ';' }, 'decimalSeparator', /neither a dot nor a comma/],
    [{ groupSeparator: '.' }, 'groupSeparator', /stands before the decimals already/],
    [{ groupSeparator: '_' }, 'groupSeparator', /is none of/],
    [{ dateFormat: 'dd.MM.yy' }, 'dateFormat', /^'dd.MM.yy': yy is not known: a year has four digits, yyyy$/],
    [{ dateFormat: 'DD.MM.YYYY' }, 'dateFormat', /DD is not known: the letters are yyyy MM M dd d$/],
    [{ dateFormat: 'dd.MMM.yyyy' }, 'dateFormat', /MMM is not known/],
    [{ dateFormat: 'dd.MM' }, 'dateFormat', /has no year/],
    [{ dateFormat: 'dd.MM.yyyy HH:mm' }, 'dateFormat', /HH is not known/],
    [{ dateFormat: 'dMyyyy' }, 'dateFormat', /cannot be seen/],
    [{ dateFormat: 'dd.d.MM.yyyy' }, 'dateFormat', /day twice/],
    [{ dateFormat: 'dd.MM.2yyy' }, 'dateFormat', /yyy is not known/],
    [{ dateFormat: 'dd.0MM.yyyy' }, 'dateFormat', /digits cannot stand/],
    [{ dateFormat: "dd.MM.yyyy 'x" }, 'dateFormat', /apostrophe is not closed/],
    [{ dateTimeFormat: 'dd.MM.yyyy' }, 'dateTimeFormat', /needs one hour/],
    [{ dateTimeFormat: 'dd.MM.yyyy hh:mm' }, 'dateTimeFormat', /hh and tt go together/],
    [{ dateTimeFormat: 'dd.MM.yyyy HH:mm tt' }, 'dateTimeFormat', /hh and tt go together/],
    [{ dateTimeFormat: 'dd.MM.yyyy HH:mm.fff' }, 'dateTimeFormat', /fractions of no second/],
    [{ timeZone: 'W. Europe Standard Time' }, 'timeZone', /no time zone of the IANA database/],
    [{ timeZone: '+01:00' }, 'timeZone', /no time zone of the IANA database/],
  ])('says what is wrong with %j', (conventions, property, sentence) => {
    const problems = conventionProblems(conventions as Conventions)
    expect(problems).toContainEqual({ property, sentence: expect.stringMatching(sentence) })
  })
})
