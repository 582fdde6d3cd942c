import { defineCompositeEntity } from '../src/entity'
import { SalesOrderHeaders } from './sales-order-headers'
import { SalesOrderLines } from './sales-order-lines'

/** Sales orders with their lines, each order one document. */
export const SalesOrders = defineCompositeEntity({
  name: 'SalesOrderV3Entity',
  label: 'Sales orders composite V3',
  root: SalesOrderHeaders,
  children: [{ entity: SalesOrderLines, relation: 'SalesOrderHeader' }],
})
