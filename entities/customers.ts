import {
  belongsTo,
  belongsToItself,
  date,
  dateTime,
  decimal,
  defineEntity,
  enumeration,
  noYes,
  type Row,
  string,
} from '../src/entity'
import { Currencies } from './currencies'
import { CustomerGroups } from './customer-groups'
import { CustVendorBlocked } from './enumerations'
import { PaymentTerms } from './payment-terms'

/** Who is sold to and invoiced. It has no rule over the whole record, so that the largest files take the fastest way. */
export const Customers = defineEntity({
  name: 'CustCustomerV3Entity',
  label: 'Customers V3',
  publicEntityName: 'CustomerV3',
  publicCollectionName: 'CustomersV3',
  isPublic: true,
  dataManagementEnabled: true,
  category: 'Master',
  companySpecific: true,
  key: ['CustomerAccount'],
  fields: {
    CustomerAccount: string({ maxLength: 20, mandatory: true }),
    OrganizationName: string({ maxLength: 100 }),
    NameAlias: string({ maxLength: 20, label: 'Search name' }),
    PartyType: string({ maxLength: 60, default: 'Organization' }),
    CustomerGroupId: string({ maxLength: 10, mandatory: true }),
    SalesCurrencyCode: string({ maxLength: 3, letterCase: 'upper' }),
    PaymentTerms: string({ maxLength: 10, label: 'Terms of payment' }),
    PaymentMethod: string({ maxLength: 10 }),
    InvoiceAccount: string({ maxLength: 20 }),
    CreditLimit: decimal(),
    IsCreditLimitMandatory: noYes(),
    OnHoldStatus: enumeration(CustVendorBlocked, { label: 'Invoicing and delivery on hold' }),
    SalesTaxGroup: string({ maxLength: 10 }),
    TaxExemptNumber: string({ maxLength: 20 }),
    LanguageId: string({ maxLength: 7 }),
    PrimaryContactEmail: string({ maxLength: 255 }),
    PrimaryContactPhone: string({ maxLength: 255 }),
    AddressStreet: string({ maxLength: 250 }),
    AddressZipCode: string({ maxLength: 10 }),
    AddressCity: string({ maxLength: 60 }),
    AddressCountryRegionId: string({ maxLength: 10 }),
    CredManCustomerSince: date({ label: 'Customer since' }),
    ModifiedDateTime: dateTime({ label: 'Changed in the source system' }),
  },
  relations: {
    CustomerGroup: belongsTo(() => CustomerGroups, { CustomerGroupId: 'CustomerGroupId' }),
    SalesCurrency: belongsTo(() => Currencies, { SalesCurrencyCode: 'CurrencyCode' }),
    PaymentTerm: belongsTo(() => PaymentTerms, { PaymentTerms: 'Name' }),
    InvoiceCustomer: belongsToItself({ InvoiceAccount: 'CustomerAccount' }),
  },
})
export type Customer = Row<typeof Customers>
