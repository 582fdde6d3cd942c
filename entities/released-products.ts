import { boolean, decimal, defineEntity, enumeration, guid, int32, type Row, string } from '../src/entity'
import { EcoResProductType } from './enumerations'

/** The products that a company may buy, make, keep and sell. */
export const ReleasedProducts = defineEntity({
  name: 'EcoResReleasedProductV2Entity',
  label: 'Released products V2',
  publicEntityName: 'ReleasedProductV2',
  publicCollectionName: 'ReleasedProductsV2',
  isPublic: true,
  dataManagementEnabled: true,
  category: 'Master',
  companySpecific: true,
  key: ['ItemNumber'],
  fields: {
    ItemNumber: string({ maxLength: 20, mandatory: true }),
    ProductNumber: string({ maxLength: 70 }),
    SearchName: string({ maxLength: 20 }),
    ProductType: enumeration(EcoResProductType),
    ItemModelGroupId: string({ maxLength: 10 }),
    ProductGroupId: string({ maxLength: 10 }),
    SalesUnitSymbol: string({ maxLength: 10, default: 'ea' }),
    SalesPrice: decimal(),
    UnitCost: decimal(),
    NetProductWeight: decimal({ precision: 32, scale: 12 }),
    ShelfLifePeriodDays: int32(),
    // The last two are not Dynamics 365's: they show a true or false and a key of another system.
    IsSoldOnline: boolean(),
    CatalogProductId: guid({ label: 'Id in the product catalogue' }),
  },
})
export type ReleasedProduct = Row<typeof ReleasedProducts>
