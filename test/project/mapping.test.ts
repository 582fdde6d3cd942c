import { CustomerGroups } from '../../entities/customer-groups'
import { Customers } from '../../entities/customers'
import { PaymentTerms } from '../../entities/payment-terms'
import { type FieldMap, generateMapping, mappingFaults } from '../../src/project/mapping'

const reasons = (mapping: readonly FieldMap[]) => mappingFaults(PaymentTerms, mapping).map(({ reason }) => reason)
const key: FieldMap = { field: 'Name', source: 'CODE' }

describe('a mapping', () => {
  it('is right when its fields are fields, and key and mandatory ones have something to be filled from', () => {
    expect(mappingFaults(PaymentTerms, [key, { field: 'number_of_days', source: null, defaultValue: '30' }])).toEqual(
      [],
    )
    // The company may come from the message.
    expect(mappingFaults(CustomerGroups, [{ field: 'CUSTOMERGROUPID', source: 'G' }])).toEqual([])
  })

  it.each<{ what: string; map: FieldMap; reason: RegExp }>([
    {
      what: 'a field that is none',
      map: { field: 'Descripton', source: 'x' },
      reason: /^Terms of payment has no field Descripton; did you mean Description\?$/,
    },
    { what: 'a field twice', map: { field: 'NAME', source: 'x' }, reason: /^Name is mapped twice$/ },
    {
      what: 'nothing to fill a field from',
      map: { field: 'Description', source: null },
      reason: /^Description has neither a source nor a default value nor a number sequence$/,
    },
    {
      what: 'a default that is no value',
      map: { field: 'NumberOfDays', source: 'x', defaultValue: 'thirty' },
      reason: /^the default value of NumberOfDays 'thirty' is no whole number/,
    },
    {
      what: 'a conversion to what is no value',
      map: {
        field: 'NumberOfDays',
        source: 'x',
        conversions: [
          { from: 'a', to: '1' },
          { from: 'b', to: 'two' },
        ],
      },
      reason: /^the conversion of 'b' of NumberOfDays 'two' is no whole number/,
    },
    {
      what: 'two conversions of one text, in upper and lower case',
      map: {
        field: 'Description',
        source: 'x',
        conversions: [
          { from: 'a', to: '1' },
          { from: 'A', to: '2' },
        ],
      },
      reason: /^Description has two conversions of 'A'$/,
    },
    {
      what: 'a number sequence for what is no text',
      map: { field: 'NumberOfDays', source: null, numberSequence: 'Days' },
      reason: /^NumberOfDays is int32: a number sequence gives texts$/,
    },
    {
      what: 'a blank text that is to be left alone and to be replaced',
      map: { field: 'Description', source: 'x', defaultValue: 'none', ignoreBlankValues: true },
      reason: /^Description ignores blank values, and has a default value for them$/,
    },
    {
      what: 'a blank text that is to be left alone and to be numbered',
      map: { field: 'Description', source: 'x', numberSequence: 'D', ignoreBlankValues: true },
      reason: /^Description ignores blank values, and has a number sequence for them$/,
    },
  ])('is refused with $what', ({ map, reason }) => {
    expect(reasons([key, map])).toEqual([expect.stringMatching(reason)])
  })

  it('must cover the key and mandatory fields, and names those that it does not', () => {
    expect(mappingFaults(Customers, [{ field: 'NameAlias', source: 'x' }])).toEqual([
      { field: 'CustomerAccount', reason: 'CustomerAccount is a key field of Customers V3 and is not mapped' },
      { field: 'CustomerGroupId', reason: 'CustomerGroupId is mandatory of Customers V3 and is not mapped' },
    ])
  })

  it('may empty a field always, unless it is mandatory', () => {
    expect(reasons([key, { field: 'Description', source: null, defaultValue: '' }])).toEqual([])
    expect(reasons([{ ...key, defaultValue: '' }])).toEqual(['Name is mandatory: its default value is empty'])
  })

  it('has all of its faults named at once', () => {
    expect(
      reasons([
        { field: 'Colour', source: 'x' },
        { field: 'NumberOfDays', source: null },
      ]),
    ).toHaveLength(3)
  })
})

describe('generateMapping', () => {
  it('finds fields by name or label, whatever their case, spaces and underscores', () => {
    const header = ['CUSTOMER_ACCOUNT', 'search name', 'Customer-Group Id', 'Colour', 'terms of  payment']
    const { mapping, unmapped } = generateMapping(Customers, header)
    expect(mapping).toEqual([
      { field: 'CustomerAccount', source: 'CUSTOMER_ACCOUNT' },
      { field: 'NameAlias', source: 'search name' },
      { field: 'CustomerGroupId', source: 'Customer-Group Id' },
      { field: 'PaymentTerms', source: 'terms of  payment' },
    ])
    expect(unmapped).toEqual(['Colour'])
    expect(mappingFaults(Customers, mapping)).toEqual([])
  })

  it('gives a field to the first column of its name', () => {
    expect(generateMapping(Customers, ['NameAlias', 'Search name'])).toEqual({
      mapping: [{ field: 'NameAlias', source: 'NameAlias' }],
      unmapped: ['Search name'],
    })
  })
})
