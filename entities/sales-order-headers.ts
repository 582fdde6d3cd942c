import { belongsTo, date, dateTime, defineEntity, enumeration, noYes, type Row, string } from '../src/entity'
import { Currencies } from './currencies'
import { Customers } from './customers'
import { SalesStatus } from './enumerations'
import { PaymentTerms } from './payment-terms'

/** What a customer ordered; the lines say how much of which product. */
export const SalesOrderHeaders = defineEntity({
  name: 'SalesOrderHeaderV2Entity',
  label: 'Sales order headers V2',
  publicEntityName: 'SalesOrderHeaderV2',
  publicCollectionName: 'SalesOrderHeadersV2',
  isPublic: true,
  dataManagementEnabled: true,
  category: 'Document',
  companySpecific: true,
  key: ['SalesOrderNumber'],
  fields: {
    SalesOrderNumber: string({ maxLength: 20, mandatory: true }),
    SalesOrderName: string({ maxLength: 60 }),
    OrderingCustomerAccountNumber: string({ maxLength: 20, mandatory: true }),
    InvoiceCustomerAccountNumber: string({ maxLength: 20 }),
    CurrencyCode: string({ maxLength: 3, mandatory: true, letterCase: 'upper' }),
    PaymentTermsName: string({ maxLength: 10 }),
    CustomersOrderReference: string({ maxLength: 60 }),
    SalesOrderStatus: enumeration(SalesStatus),
    RequestedReceiptDate: date(),
    RequestedShippingDate: date(),
    OrderCreationDateTime: dateTime(),
    AreTotalsCalculated: noYes(),
    DeliveryModeCode: string({ maxLength: 10 }),
    Email: string({ maxLength: 80 }),
  },
  relations: {
    OrderingCustomer: belongsTo(() => Customers, { OrderingCustomerAccountNumber: 'CustomerAccount' }),
    InvoiceCustomer: belongsTo(() => Customers, { InvoiceCustomerAccountNumber: 'CustomerAccount' }),
    Currency: belongsTo(() => Currencies, { CurrencyCode: 'CurrencyCode' }),
    PaymentTerm: belongsTo(() => PaymentTerms, { PaymentTermsName: 'Name' }),
  },
})
export type SalesOrderHeader = Row<typeof SalesOrderHeaders>
