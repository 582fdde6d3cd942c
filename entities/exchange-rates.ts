import { belongsTo, date, decimal, defineEntity, enumeration, type Row, string } from '../src/entity'
import { Currencies } from './currencies'
import { ExchangeRateDisplayFactor } from './enumerations'

/** What one currency is worth in another, from a day on. */
export const ExchangeRates = defineEntity({
  name: 'ExchangeRateEntity',
  label: 'Exchange rates',
  publicEntityName: 'ExchangeRate',
  publicCollectionName: 'ExchangeRates',
  isPublic: true,
  dataManagementEnabled: true,
  category: 'Reference',
  companySpecific: false,
  key: ['RateTypeName', 'FromCurrency', 'ToCurrency', 'StartDate'],
  fields: {
    RateTypeName: string({ maxLength: 20, mandatory: true }),
    FromCurrency: string({ maxLength: 3, mandatory: true, letterCase: 'upper' }),
    ToCurrency: string({ maxLength: 3, mandatory: true, letterCase: 'upper' }),
    StartDate: date({ mandatory: true }),
    EndDate: date({ default: '2154-12-31' }),
    Rate: decimal({ precision: 32, scale: 16, mandatory: true }),
    ConversionFactor: enumeration(ExchangeRateDisplayFactor),
  },
  relations: {
    From: belongsTo(() => Currencies, { FromCurrency: 'CurrencyCode' }),
    To: belongsTo(() => Currencies, { ToCurrency: 'CurrencyCode' }),
  },
  validateRecord({ StartDate, EndDate, FromCurrency, ToCurrency }) {
    // Days are yyyy-MM-dd, so that their order as texts is their order in time.
    if (EndDate < StartDate)
      return [{ field: 'EndDate', reason: `ends on ${EndDate}, before its start on ${StartDate}` }]
    if (FromCurrency === ToCurrency)
      return [{ field: 'ToCurrency', reason: `is ${ToCurrency}, the currency it is from` }]
    return []
  },
})
export type ExchangeRate = Row<typeof ExchangeRates>
