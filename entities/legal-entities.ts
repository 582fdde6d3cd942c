import { defineEntity, noYes, type Row, string } from '../src/entity'

/** The companies; the `dataAreaId` of company-specific records is the id of one of them. */
export const LegalEntities = defineEntity({
  name: 'OMLegalEntity',
  label: 'Legal entities',
  publicEntityName: 'LegalEntity',
  publicCollectionName: 'LegalEntities',
  isPublic: true,
  dataManagementEnabled: true,
  category: 'Master',
  companySpecific: false,
  key: ['LegalEntityId'],
  fields: {
    LegalEntityId: string({ maxLength: 4, mandatory: true, letterCase: 'lower', label: 'Company' }),
    Name: string({ maxLength: 100, mandatory: true }),
    NameAlias: string({ maxLength: 20, label: 'Search name' }),
    PartyNumber: string({ maxLength: 40 }),
    LanguageId: string({ maxLength: 7, default: 'en-US' }),
    AddressCountryRegionId: string({ maxLength: 10, label: 'Country or region' }),
    VATNum: string({ maxLength: 20, label: 'Tax registration number' }),
    IsConsolidationCompany: noYes(),
    IsEliminationCompany: noYes(),
  },
})
export type LegalEntity = Row<typeof LegalEntities>
