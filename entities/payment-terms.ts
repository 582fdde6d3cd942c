import { defineEntity, int32, type Row, string } from '../src/entity'

/** When a payment is due. */
export const PaymentTerms = defineEntity({
  name: 'PaymentTermEntity',
  label: 'Terms of payment',
  publicEntityName: 'PaymentTerm',
  publicCollectionName: 'PaymentTerms',
  isPublic: true,
  dataManagementEnabled: true,
  category: 'Reference',
  companySpecific: true,
  key: ['Name'],
  fields: {
    Name: string({ maxLength: 10, mandatory: true }),
    Description: string({ maxLength: 60 }),
    NumberOfDays: int32(),
    NumberOfMonths: int32(),
  },
})
export type PaymentTerm = Row<typeof PaymentTerms>
