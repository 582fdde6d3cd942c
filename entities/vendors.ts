import { belongsTo, belongsToItself, decimal, defineEntity, enumeration, noYes, type Row, string } from '../src/entity'
import { Currencies } from './currencies'
import { CustVendorBlocked } from './enumerations'
import { PaymentTerms } from './payment-terms'
import { VendorGroups } from './vendor-groups'

/** Who is bought from and paid. */
export const Vendors = defineEntity({
  name: 'VendVendorV2Entity',
  label: 'Vendors V2',
  publicEntityName: 'VendorV2',
  publicCollectionName: 'VendorsV2',
  isPublic: true,
  dataManagementEnabled: true,
  category: 'Master',
  companySpecific: true,
  key: ['VendorAccountNumber'],
  fields: {
    VendorAccountNumber: string({ maxLength: 20, mandatory: true }),
    VendorOrganizationName: string({ maxLength: 100 }),
    VendorSearchName: string({ maxLength: 20 }),
    VendorGroupId: string({ maxLength: 10, mandatory: true }),
    CurrencyCode: string({ maxLength: 3, letterCase: 'upper' }),
    DefaultPaymentTermsName: string({ maxLength: 10 }),
    InvoiceVendorAccountNumber: string({ maxLength: 20 }),
    CreditLimit: decimal(),
    OnHoldStatus: enumeration(CustVendorBlocked),
    WillPurchaseOrderIncludePricesAndAmounts: noYes({ default: 'Yes' }),
    TaxExemptNumber: string({ maxLength: 20 }),
    PrimaryEmailAddress: string({ maxLength: 255 }),
    PrimaryPhoneNumber: string({ maxLength: 255 }),
    AddressCity: string({ maxLength: 60 }),
    AddressCountryRegionId: string({ maxLength: 10 }),
  },
  relations: {
    VendorGroup: belongsTo(() => VendorGroups, { VendorGroupId: 'VendorGroupId' }),
    Currency: belongsTo(() => Currencies, { CurrencyCode: 'CurrencyCode' }),
    DefaultPaymentTerm: belongsTo(() => PaymentTerms, { DefaultPaymentTermsName: 'Name' }),
    InvoiceVendor: belongsToItself({ InvoiceVendorAccountNumber: 'VendorAccountNumber' }),
  },
})
export type Vendor = Row<typeof Vendors>
