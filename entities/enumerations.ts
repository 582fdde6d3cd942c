import { defineEnumeration } from '../src/entity'

/** Which transactions a customer or vendor is blocked for. */
export const CustVendorBlocked = defineEnumeration('CustVendorBlocked', [
  'No',
  'Invoice',
  'All',
  'Payment',
  'Requisition',
  'Never',
])

/** How far a sales order or its line has come. */
export const SalesStatus = defineEnumeration('SalesStatus', ['None', 'Backorder', 'Delivered', 'Invoiced', 'Canceled'])

/** What a product is. */
export const EcoResProductType = defineEnumeration('EcoResProductType', ['Item', 'Service'])

/** How many units of the foreign currency an exchange rate is quoted for. */
export const ExchangeRateDisplayFactor = defineEnumeration('ExchangeRateDisplayFactor', [
  'One',
  'Ten',
  'Hundred',
  'Thousand',
  'TenThousand',
])
