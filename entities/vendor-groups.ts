import { belongsTo, defineEntity, type Row, string } from '../src/entity'
import { PaymentTerms } from './payment-terms'

/** Groups that vendors are put into for posting, terms and reporting. */
export const VendorGroups = defineEntity({
  name: 'VendVendorGroupEntity',
  label: 'Vendor groups',
  publicEntityName: 'VendorGroup',
  publicCollectionName: 'VendorGroups',
  isPublic: true,
  dataManagementEnabled: true,
  category: 'Reference',
  companySpecific: true,
  key: ['VendorGroupId'],
  fields: {
    VendorGroupId: string({ maxLength: 10, mandatory: true }),
    Description: string({ maxLength: 60 }),
    DefaultPaymentTermName: string({ maxLength: 10 }),
    DefaultTaxGroupCode: string({ maxLength: 10 }),
  },
  relations: { DefaultPaymentTerm: belongsTo(() => PaymentTerms, { DefaultPaymentTermName: 'Name' }) },
})
export type VendorGroup = Row<typeof VendorGroups>
