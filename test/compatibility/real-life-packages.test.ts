import type { EntityFieldConversion } from '../../src/format/package/manifest-types'
import type { RunningHub } from '../api/running-hub'
import { csv } from '../helpers/build'
import { packageOf } from '../helpers/package'
import { endStatus, runContoso, upload, valueFrom } from './package-client'
import { changed, fieldMap, groups, terms, utf16 } from './packages'

/** Packages as Dynamics 365 and its tools write them, and as people mend them by hand. */
describe('a package', () => {
  let running: RunningHub
  let url: string

  beforeAll(async () => {
    running = await runContoso()
    url = running.url
  })
  afterAll(() => running.stop())

  async function importPackage(bytes: Buffer): Promise<{ executionId: string; status: string }> {
    const packageUrl = await upload(url, bytes)
    const parameters = { packageUrl, execute: true, overwrite: true, legalEntityId: 'USMF' }
    const executionId = await valueFrom(url, 'ImportFromPackage', parameters)
    return { executionId, status: await endStatus(url, executionId) }
  }
  const rows = (entity: string, condition: string) =>
    running.hub.db.query(`SELECT * FROM target."${entity}" WHERE ${condition} ORDER BY 2`)
  const asMicrosoft = (bytes: Buffer, more: Parameters<typeof changed>[1] = {}) =>
    changed(bytes, { 'Manifest.xml': utf16, 'PackageHeader.xml': utf16, ...more })

  it('of Dynamics 365 itself has UTF-16 in one line in all its documents, and CSV-Unicode', async () => {
    const text = 'NAME,DESCRIPTION,NUMBEROFDAYS\r\nUtf16A,"Zahlbar ""sofort"", 早く",10\r\nUtf16B,Übermorgen,2\r\n'
    const entity = {
      ...terms(),
      text,
      sourceFormat: 'CSV-Unicode',
      entityMapList: ['NAME', 'DESCRIPTION', 'NUMBEROFDAYS'].map((field) => fieldMap(field, field)),
    }
    const bytes = await asMicrosoft(await packageOf('Unicode', [entity]), { 'Terms of payment.csv': utf16 })
    expect((await importPackage(bytes)).status).toBe('Succeeded')
    expect(await rows('PaymentTermEntity', `"Name" LIKE 'Utf16%'`)).toMatchObject([
      { dataAreaId: 'usmf', Name: 'Utf16A', Description: 'Zahlbar "sofort", 早く', NumberOfDays: 10 },
      { dataAreaId: 'usmf', Name: 'Utf16B', Description: 'Übermorgen', NumberOfDays: 2 },
    ])
  })

  it('mended by hand has UTF-8 where CSV-Unicode is said, and line feeds alone', async () => {
    const entity = { ...terms(), text: 'Name,Description\nByHand,Grün\n', sourceFormat: 'CSV-Unicode' }
    expect((await importPackage(await packageOf('By hand', [entity]))).status).toBe('Succeeded')
    expect(await rows('PaymentTermEntity', `"Name" = 'ByHand'`)).toMatchObject([{ Description: 'Grün' }])
  })

  it('has XML files, whose names are in upper case, with elements or attributes', async () => {
    const element =
      '<?xml version="1.0" encoding="utf-8"?>\r\n<Document><PAYMENTTERMENTITY><NAME>XmlE</NAME>' +
      '<DESCRIPTION>With &lt;tags&gt; &amp; more</DESCRIPTION><NUMBEROFDAYS>7</NUMBEROFDAYS></PAYMENTTERMENTITY></Document>'
    const attribute =
      '<?xml version="1.0" encoding="utf-8"?><Document><CUSTCUSTOMERGROUPENTITY CUSTOMERGROUPID="XmlA" ' +
      'DESCRIPTION="A &quot;B&quot;" PAYMENTTERMID="XmlE" /><CUSTCUSTOMERGROUPENTITY CUSTOMERGROUPID="XmlB" /></Document>'
    const bytes = await packageOf('XML', [
      {
        ...terms(),
        text: element,
        inputFilePath: 'Terms of payment.xml',
        sourceFormat: 'XML-Element',
        entityMapList: ['NAME', 'DESCRIPTION', 'NUMBEROFDAYS'].map((field) => fieldMap(field, field)),
      },
      { ...groups(), text: attribute, inputFilePath: 'Customer groups.xml', sourceFormat: 'XML-Attribute' },
    ])
    expect((await importPackage(await asMicrosoft(bytes))).status).toBe('Succeeded')
    expect(await rows('PaymentTermEntity', `"Name" = 'XmlE'`)).toMatchObject([
      { Description: 'With <tags> & more', NumberOfDays: 7 },
    ])
    expect(await rows('CustCustomerGroupEntity', `"CustomerGroupId" LIKE 'Xml%'`)).toMatchObject([
      { CustomerGroupId: 'XmlA', Description: 'A "B"', PaymentTermId: 'XmlE' },
      { CustomerGroupId: 'XmlB', PaymentTermId: '' },
    ])
  })

  it('maps columns of other names to fields, with defaults and conversions of values', async () => {
    const entity = {
      ...groups(),
      text: csv(
        ['Key', 'Terms', 'Public'],
        [
          ['MapA', 'thirty', 'ja'],
          ['MapB', 'Net30', 'nein'],
          ['MapC', 'THIRTY', ''],
        ],
      ),
      entityMapList: [
        fieldMap('CUSTOMERGROUPID', 'Key'),
        fieldMap('PAYMENTTERMID', 'Terms', [pair('thirty', 'Net30')]),
        fieldMap('DESCRIPTION', '', [{ fieldType: 'String', isDefault: true, stagingStrValue: 'From outside' }]),
        fieldMap('ISPUBLICSECTOR_IT', 'Public', [
          pair('ja', 'Yes'),
          pair('nein', 'No'),
          { fieldType: 'Enum', isDefault: true, stagingStrValue: 'No' },
        ]),
      ],
    }
    expect((await importPackage(await asMicrosoft(await packageOf('Mapping', [entity])))).status).toBe('Succeeded')
    const common = { Description: 'From outside', PaymentTermId: 'Net30' }
    expect(await rows('CustCustomerGroupEntity', `"CustomerGroupId" LIKE 'Map_'`)).toMatchObject([
      { CustomerGroupId: 'MapA', ...common, IsPublicSector_IT: 'Yes' },
      { CustomerGroupId: 'MapB', ...common, IsPublicSector_IT: 'No' },
      { CustomerGroupId: 'MapC', ...common, IsPublicSector_IT: 'No' },
    ])
  })

  it.each(['TERMS OF PAYMENT', 'terms of payment ', 'PaymentTermEntity', 'PAYMENTTERMS'])(
    'names an entity as %j',
    async (entityName) => {
      const entity = { ...terms('Spelt'), entityName, inputFilePath: 'Terms.csv' }
      expect((await importPackage(await packageOf('Spelt', [entity]))).status).toBe('Succeeded')
    },
  )

  it('may lack a header, spell its documents in other letter case, and have more files than it names', async () => {
    const files = await packageOf('Loose', [{ ...terms('Loose'), inputFilePath: 'Terms.csv' }])
    const bytes = await changed(files, {
      'PackageHeader.xml': undefined,
      'Manifest.xml': (text) => text.replace('Terms.csv', 'TERMS.CSV'),
      'readme.txt': () => 'Not ours',
    })
    expect((await importPackage(bytes)).status).toBe('Succeeded')
  })
})

function pair(sourceStrValue: string, stagingStrValue: string): EntityFieldConversion {
  return { fieldType: 'String', isDefault: false, sourceStrValue, stagingStrValue }
}
