import path from 'node:path'
import fc from 'fast-check'
import ts from 'typescript'
import * as entityModule from '../../src/entity'
import { type Entity, fieldTypes, findColumn, type InferredEntity, inferEntity, type Sample } from '../../src/entity'
import { texts } from './arbitraries'

const root = path.join(__dirname, '../..')

/** Runs the generated file and gives the entity that it exports. */
function define({ source, exportName }: InferredEntity): Entity {
  const { outputText } = ts.transpileModule(source, { compilerOptions: { module: ts.ModuleKind.CommonJS } })
  const exported: Record<string, Entity> = {}
  new Function('exports', 'require', outputText)(exported, () => entityModule)
  return exported[exportName]!
}

/** A sample written as lines with commas; an empty field is not given. */
function sample(fileName: string, header: string, ...lines: string[]): Sample {
  return {
    fileName,
    columns: header.split(','),
    records: lines.map((line) => line.split(',').map((v) => v || undefined)),
  }
}

const customers = sample(
  'customers_2026-11-01.csv',
  'dataAreaId,CustomerAccount,Name,CreditLimit,Since,Changed,Blocked,Vip,Rank,Big,Guid,Zip Code,Größe (cm)',
  'usmf,C-1,Anna,10.50,2020-02-29,2026-01-01T10:00:00Z,No,true,1,9007199254740993,6b1f9e0c-1111-4222-8333-0123456789ab,10115,1.5',
  'usmf,C-2,Anna,7,2021-01-01,2026-01-01 10:00,Yes,false,2,1,6b1f9e0c-1111-4222-8333-0123456789ac,80331,2',
  'dat,C-2,Bob,-1000.125,,,no,FALSE,3,2,6b1f9e0c-1111-4222-8333-0123456789ad,20095,',
)

describe('inferEntity', () => {
  it('guesses types, names and key, and says why', () => {
    const inferred = inferEntity(customers)
    expect(inferred.exportName).toBe('Customers')
    expect(inferred.fileName).toBe('customers.ts')
    expect(inferred.source).toContain(`
  key: ['CustomerAccount'],
  fields: {
    CustomerAccount: string({ maxLength: 10, mandatory: true }),
    Name: string({ maxLength: 10 }),
    CreditLimit: decimal({ precision: 18, scale: 3 }),
    Since: date(),
    Changed: dateTime(),
    Blocked: noYes(),
    Vip: boolean(),
    Rank: int32(),
    Big: int64(),
    Guid: guid(),
    ZipCode: string({ maxLength: 10, label: 'Zip Code' }),
    GrosseCm: decimal({ precision: 18, scale: 2, label: 'Größe (cm)' }),
  },`)
    expect(inferred.notes).toEqual([
      'Key: CustomerAccount is unique within a company and never empty in the 3 records of the sample.',
      'dataAreaId makes the entity company-specific and joins the key.',
      'ZipCode: digits, kept as text because the name suggests a code.',
    ])
    for (const note of inferred.notes) expect(inferred.source).toContain(`// ${note}\n`)
    expect(define(inferred)).toMatchObject({
      name: 'CustomerEntity',
      companySpecific: true,
      key: ['dataAreaId', 'CustomerAccount'],
    })
  })

  it.each<[what: string, sample: Sample, key: string[], note: string]>([
    [
      'the first unique column',
      sample('a.csv', 'Colour,Place', 'red,x', 'blue,x'),
      ['Colour'],
      'is unique and never empty',
    ],
    [
      'a name that ends like a key',
      sample('a.csv', 'Colour,PlaceId', 'red,x', 'blue,y'),
      ['PlaceId'],
      'PlaceId is unique',
    ],
    [
      'a pair',
      sample('a.csv', 'A,B,C', 'x,1,', 'x,2,', 'y,1,'),
      ['A', 'B'],
      'no column is unique, A and B together are',
    ],
    ['a column although nothing is unique', sample('a.csv', 'A,B', 'x,1', 'x,1'), ['A'], 'the last would win'],
    ['a column although there are no records', sample('a.csv', 'A,ItemId'), ['ItemId'], 'the sample has no records'],
    ['no measures and no empty values', sample('a.csv', 'P,E,K', '1.5,,a', '2.5,x,b'), ['K'], 'K is unique'],
  ])('takes as key %s', (_, given, key, note) => {
    const inferred = inferEntity(given)
    expect(define(inferred).key).toEqual(key)
    expect(inferred.notes[0]).toContain(note)
  })

  it.each([
    ['customer-groups.csv', 'CustomerGroups', 'CustomerGroup', 'Customer groups', 'customer-groups.ts'],
    ['C:\\in\\Currencies 2026.txt', 'Currencies', 'Currency', 'Currencies', 'currencies.ts'],
    [
      'CustCustomerGroupEntity.xml',
      'CustCustomerGroups',
      'CustCustomerGroup',
      'Cust customer group',
      'cust-customer-groups.ts',
    ],
    ['address.csv.gz', 'Addresses', 'Address', 'Address', 'addresses.ts'],
    ['2026-01-01.csv', 'Records', 'Record', 'Records', 'records.ts'],
    ['row.csv', 'Rows', 'RowRecord', 'Row', 'rows.ts'],
    ['', 'Records', 'Record', 'Records', 'records.ts'],
  ])('names the entity after the file %s', (fileName, collection, singular, label, file) => {
    const inferred = inferEntity(sample(fileName, 'Id', '1'))
    expect(inferred.fileName).toBe(file)
    expect(define(inferred)).toMatchObject({ publicCollectionName: collection, publicEntityName: singular, label })
  })

  it('makes names of fields unique and valid', () => {
    const columns = ['A b', 'AB', 'Ab', 'a-b', '1st', '№', 'x'.repeat(80), 'Data area-ID']
    expect(Object.keys(define(inferEntity({ fileName: 'a.csv', columns, records: [] })).fields)).toEqual([
      'AB2',
      'AB',
      'Ab3',
      'AB4',
      'Field1st',
      'No',
      'x'.repeat(51),
      'DataAreaID2',
    ])
  })

  it('notes companies that are none', () => {
    const { notes } = inferEntity(sample('a.csv', 'DATAAREAID,Id', 'toolong,1'))
    expect(notes).toContain('Some records have no company, or one of more than 4 characters: they will be in error.')
  })

  it('refuses a sample without a column for a field', () => {
    const empty = { fileName: 'a.csv', columns: ['dataAreaId'], records: [] }
    expect(() => inferEntity(empty)).toThrow(expect.objectContaining({ name: 'MessageRejected', code: 'EF102' }))
  })

  it('gives an entity that knows every column and takes every value of its sample', () => {
    const samples = fc
      .uniqueArray(fc.oneof(texts, fc.constantFrom('Id', 'dataAreaId', 'constructor')), {
        minLength: 1,
        maxLength: 5,
        selector: (column) => column.trim().toLowerCase(),
      })
      .map((columns) => columns.map((column) => column.trim()))
      .filter((columns) => columns.some((column) => column !== '' && column.toLowerCase() !== 'dataareaid'))
      .chain((columns) =>
        fc.record({
          columns: fc.constant(columns),
          fileName: fc.oneof(texts, fc.constantFrom('a*/b.csv', 'things.csv')),
          records: fc.oneof<fc.Arbitrary<(string | undefined)[][]>[]>(
            fc.array(
              fc.array(fc.option(texts, { nil: undefined }), { minLength: columns.length, maxLength: columns.length }),
            ),
            texts.map((text) => [columns.map(() => text)]),
          ),
        }),
      )
    fc.assert(
      fc.property(samples, (given) => {
        fc.pre(!given.records.flat().some((value) => value?.includes('\0')))
        const entity = define(inferEntity(given))
        const found = given.columns.map((column) => findColumn(entity, column))
        expect(new Set(found).size).toBe(given.columns.length)
        for (const [place, column] of found.entries()) {
          expect(column).toBeDefined()
          for (const value of given.records.map((record) => record[place])) {
            if (!value || column!.name === 'dataAreaId') continue
            expect(typeof fieldTypes[column!.field.type].parse(value, column!.field)).toBe('string')
          }
        }
      }),
      { numRuns: 400 },
    )
  })

  it('writes TypeScript that the compiler accepts', () => {
    const inferred = [customers, sample("it's.csv", `A'b,c"d\\,e\u2028f`, '1,2,3'), sample('row.csv', 'Id', '1')].map(
      inferEntity,
    )
    const files = new Map(
      inferred.map(({ source }, index) => [path.join(root, `entities/inferred-${index}.ts`), source]),
    )
    const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile)
    const { options } = ts.convertCompilerOptionsFromJson({ ...config.compilerOptions, incremental: false }, root)
    const host = ts.createCompilerHost(options)
    const { getSourceFile, fileExists, readFile } = host
    host.fileExists = (name) => files.has(path.normalize(name)) || fileExists(name)
    host.readFile = (name) => files.get(path.normalize(name)) ?? readFile(name)
    host.getSourceFile = (name, ...rest) => {
      const source = files.get(path.normalize(name))
      return source === undefined
        ? getSourceFile(name, ...rest)
        : ts.createSourceFile(name, source, ts.ScriptTarget.ES2023)
    }
    const program = ts.createProgram([...files.keys()], options, host)
    const faults = [...files.keys()].flatMap((name) => {
      const file = program.getSourceFile(name)
      return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    })
    expect(faults.map(({ messageText }) => messageText)).toEqual([])
  })
})
