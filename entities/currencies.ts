import { decimal, defineEntity, noYes, type Row, string } from '../src/entity'

/** The currencies of all companies, by ISO 4217 code. */
export const Currencies = defineEntity({
  name: 'CurrencyEntity',
  label: 'Currencies',
  publicEntityName: 'Currency',
  publicCollectionName: 'Currencies',
  isPublic: true,
  dataManagementEnabled: true,
  category: 'Reference',
  companySpecific: false,
  key: ['CurrencyCode'],
  fields: {
    CurrencyCode: string({ maxLength: 3, mandatory: true, letterCase: 'upper' }),
    Name: string({ maxLength: 120 }),
    Symbol: string({ maxLength: 5 }),
    GeneralRoundingRule: decimal({ default: '0.01' }),
    RoundingRulePrices: decimal(),
    ReferenceCurrencyForTriangulation: noYes(),
  },
})
export type Currency = Row<typeof Currencies>
