import { customersFile } from './sample-customers'
import { productsFile } from './sample-products'

/** A channel of the demonstration: which system pushes what. */
export interface SampleActivity {
  readonly name: string
  /** Labels of its entities. */
  readonly entities: readonly string[]
  readonly ordered?: boolean
}

/** A file as a system would push it. */
export interface SampleFile {
  readonly activity: string
  readonly entity: string
  readonly company?: string
  readonly fileName: string
  readonly text: string
}

const reference = 'ERP reference data'

/** The systems around the hub. */
export const sampleActivities: readonly SampleActivity[] = [
  {
    name: reference,
    entities: ['Legal entities', 'Currencies', 'Terms of payment', 'Customer groups', 'Vendor groups'],
    ordered: true,
  },
  { name: 'CRM', entities: ['Customers V3'] },
  { name: 'Purchasing', entities: ['Vendors V2'] },
  { name: 'Product catalogue', entities: ['Released products V2'] },
  { name: 'Treasury', entities: ['Exchange rates'] },
  { name: 'Web shop', entities: ['Sales order headers V2', 'Sales order lines V2'], ordered: true },
]

/** Lines as a file, with the line ends that business software writes. */
export function fileOf(...lines: string[]): string {
  return `${lines.join('\r\n')}\r\n`
}

/** What everything else refers to; its activity is ordered, so that the files can be pushed without a pause. */
export const referenceFiles: readonly SampleFile[] = [
  {
    activity: reference,
    entity: 'Legal entities',
    fileName: 'legal-entities.csv',
    text: fileOf(
      'LegalEntityId,Name,NameAlias,AddressCountryRegionId,VATNum',
      'USMF,"Contoso Entertainment System USA",Contoso US,USA,',
      'DEMF,Contoso Entertainment System Deutschland,Contoso DE,DEU,DE123456789',
    ),
  },
  {
    activity: reference,
    entity: 'Currencies',
    fileName: 'currencies.csv',
    text: fileOf(
      'CurrencyCode;Name;Symbol;GeneralRoundingRule',
      'USD;US dollar;$;0.01',
      'EUR;Euro;€;0.01',
      'GBP;Pound sterling;£;0.01',
      'JPY;Japanese yen;¥;1',
    ),
  },
  {
    activity: reference,
    entity: 'Terms of payment',
    company: 'usmf',
    fileName: 'payment-terms.csv',
    text: fileOf(
      'Name,Description,NumberOfDays',
      'Net10,10 days,10',
      'Net30,30 days,30',
      'Net45,45 days,45',
      'COD,Cash on delivery,0',
    ),
  },
  {
    activity: reference,
    entity: 'Customer groups',
    company: 'usmf',
    fileName: 'customer-groups.csv',
    text: fileOf(
      'CustomerGroupId,Description,PaymentTermId',
      '10,Wholesale customers,Net30',
      '20,Major customers,Net45',
      '30,Retail customers,Net10',
      '80,"Other, cash only",COD',
    ),
  },
  {
    activity: reference,
    entity: 'Vendor groups',
    company: 'usmf',
    fileName: 'vendor-groups.csv',
    text: fileOf('VendorGroupId,Description,DefaultPaymentTermName', '10,Parts vendors,Net30', '40,Services,Net10'),
  },
]

/** The records of the businesses, which do not refer to each other. */
export const masterFiles = (): readonly SampleFile[] => [
  { activity: 'CRM', entity: 'Customers V3', company: 'usmf', fileName: 'customers.csv', text: customersFile() },
  {
    activity: 'Purchasing',
    entity: 'Vendors V2',
    company: 'usmf',
    fileName: 'vendors.txt',
    text: fileOf(
      ...[
        [
          'VendorAccountNumber',
          'VendorOrganizationName',
          'VendorGroupId',
          'CurrencyCode',
          'CreditLimit',
          'OnHoldStatus',
        ],
        ['1001', 'Acme Office Supplies', '10', 'USD', '25000', 'No'],
        ['1002', 'Lande Packaging Supplies', '10', 'USD', '10000', 'No'],
        ['1003', 'Ade Supply Company', '10', 'EUR', '75000.50', 'Payment'],
        ['1004', 'Datum Receivers', '40', 'USD', '0', 'All'],
        ['1005', 'Ürban Grün Logistik', '40', 'EUR', '5000', 'No'],
      ].map((fields) => fields.join('\t')),
    ),
  },
  {
    activity: 'Product catalogue',
    entity: 'Released products V2',
    company: 'usmf',
    fileName: 'products.xml',
    text: productsFile(),
  },
  {
    activity: 'Treasury',
    entity: 'Exchange rates',
    fileName: 'exchange-rates.xml',
    text: fileOf(
      '<?xml version="1.0" encoding="utf-8"?>',
      '<Document>',
      ...[
        ['EUR', 'USD', '2026-01-01', '1.1725'],
        ['EUR', 'USD', '2026-02-01', '1.1810'],
        ['GBP', 'USD', '2026-01-01', '1.3472'],
        ['JPY', 'USD', '2026-01-01', '0.00638'],
        ['USD', 'USD', '2026-01-01', '1'],
      ].map(
        ([from, to, start, rate]) =>
          `  <EXCHANGERATEENTITY RATETYPENAME="Default" FROMCURRENCY="${from}" TOCURRENCY="${to}" STARTDATE="${start}" RATE="${rate}" CONVERSIONFACTOR="One"/>`,
      ),
      '</Document>',
    ),
  },
]

/** The group that one customer lacked. */
export const lateGroupFile: SampleFile = {
  activity: reference,
  entity: 'Customer groups',
  company: 'usmf',
  fileName: 'customer-groups-late.csv',
  text: fileOf('CustomerGroupId,Description,PaymentTermId', '90,Intercompany customers,Net30'),
}
