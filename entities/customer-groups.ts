import { belongsTo, defineEntity, noYes, type Row, string } from '../src/entity'
import { PaymentTerms } from './payment-terms'

/** Groups that customers are put into for posting, terms and reporting. */
export const CustomerGroups = defineEntity({
  name: 'CustCustomerGroupEntity',
  label: 'Customer groups',
  publicEntityName: 'CustomerGroup',
  publicCollectionName: 'CustomerGroups',
  isPublic: true,
  dataManagementEnabled: true,
  category: 'Reference',
  companySpecific: true,
  key: ['CustomerGroupId'],
  fields: {
    CustomerGroupId: string({ maxLength: 10, mandatory: true }),
    Description: string({ maxLength: 60 }),
    PaymentTermId: string({ maxLength: 10 }),
    IsPublicSector_IT: noYes(),
  },
  relations: { PaymentTerm: belongsTo(() => PaymentTerms, { PaymentTermId: 'Name' }) },
})
export type CustomerGroup = Row<typeof CustomerGroups>
