import { belongsTo, date, decimal, defineEntity, enumeration, int64, type Row, string } from '../src/entity'
import { SalesStatus } from './enumerations'
import { ReleasedProducts } from './released-products'
import { SalesOrderHeaders } from './sales-order-headers'

/** One product of a sales order, with quantity and price; a return has a negative quantity. */
export const SalesOrderLines = defineEntity({
  name: 'SalesOrderLineV2Entity',
  label: 'Sales order lines V2',
  publicEntityName: 'SalesOrderLineV2',
  publicCollectionName: 'SalesOrderLinesV2',
  isPublic: true,
  dataManagementEnabled: true,
  category: 'Document',
  companySpecific: true,
  key: ['InventoryLotId'],
  fields: {
    InventoryLotId: string({ maxLength: 20, mandatory: true }),
    SalesOrderNumber: string({ maxLength: 20, mandatory: true }),
    LineCreationSequenceNumber: int64(),
    ItemNumber: string({ maxLength: 20, mandatory: true }),
    LineDescription: string({ maxLength: 1000 }),
    OrderedSalesQuantity: decimal(),
    SalesUnitSymbol: string({ maxLength: 10 }),
    SalesPrice: decimal(),
    SalesPriceQuantity: decimal({ default: '1' }),
    LineDiscountPercentage: decimal(),
    LineAmount: decimal(),
    RequestedShippingDate: date(),
    SalesOrderLineStatus: enumeration(SalesStatus),
  },
  relations: {
    SalesOrderHeader: belongsTo(() => SalesOrderHeaders, { SalesOrderNumber: 'SalesOrderNumber' }),
    ReleasedProduct: belongsTo(() => ReleasedProducts, { ItemNumber: 'ItemNumber' }),
  },
  validateRecord({ OrderedSalesQuantity, SalesPriceQuantity }) {
    // Decimals are canonical text, in which zero has one spelling.
    return [
      ...(OrderedSalesQuantity === '0'
        ? [{ field: 'OrderedSalesQuantity' as const, reason: 'is 0: a line orders or returns something' }]
        : []),
      ...(SalesPriceQuantity === '0'
        ? [{ field: 'SalesPriceQuantity' as const, reason: 'is 0: no price is per nothing' }]
        : []),
    ]
  },
})
export type SalesOrderLine = Row<typeof SalesOrderLines>
