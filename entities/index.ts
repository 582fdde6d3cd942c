import type { CompositeEntity, Entity } from '../src/entity'
import { Currencies } from './currencies'
import { CustomerGroups } from './customer-groups'
import { Customers } from './customers'
import { ExchangeRates } from './exchange-rates'
import { LegalEntities } from './legal-entities'
import { PaymentTerms } from './payment-terms'
import { ReleasedProducts } from './released-products'
import { SalesOrderHeaders } from './sales-order-headers'
import { SalesOrderLines } from './sales-order-lines'
import { SalesOrders } from './sales-orders'
import { VendorGroups } from './vendor-groups'
import { Vendors } from './vendors'

/** The entities of this hub in promotion order: what others relate to comes first. A new entity is one line here. */
export const entities: readonly Entity[] = [
  LegalEntities,
  Currencies,
  ExchangeRates,
  PaymentTerms,
  CustomerGroups,
  VendorGroups,
  Customers,
  Vendors,
  ReleasedProducts,
  SalesOrderHeaders,
  SalesOrderLines,
]

/** The composite entities of this hub: entities of the list above, nested. */
export const composites: readonly CompositeEntity[] = [SalesOrders]
