import { mkdirSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { type CliPlace, cliPlace } from './run-cli'

const root = path.join(__dirname, '../..')

let cli: CliPlace
beforeAll(() => {
  // Entities are code: no database is needed to look at them.
  cli = cliPlace({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' })
  symlinkSync(path.join(root, 'src'), path.join(cli.folder, 'src'))
  mkdirSync(path.join(cli.folder, 'entities'))
})
afterAll(() => cli.remove())

/** What the compiler says of a file, with the settings of this project. */
function compile(file: string): string[] {
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root)
  const program = ts.createProgram([file], {
    ...options,
    noEmit: true,
    incremental: false,
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules/@types')],
    rootDir: '/',
  })
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

describe('entrepot entity', () => {
  it('lists the entities in the order of their promotion', async () => {
    const { value } = await cli.json(['entity', 'list'])
    const names = (value as { name: string }[]).map(({ name }) => name)
    expect(names.indexOf('OMLegalEntity')).toBe(0)
    expect(names.indexOf('CustCustomerV3Entity')).toBeGreaterThan(names.indexOf('CustCustomerGroupEntity'))
    expect(names.at(-1)).toBe('SalesOrderV3Entity')
    const { stdout } = await cli.run(['entity', 'list'])
    expect(stdout).toMatch(
      /Sales orders composite V3 +SalesOrderV3Entity +Sales order headers V2, Sales order lines V2/,
    )
  })

  it('shows fields, keys and relations', async () => {
    const { stdout } = await cli.run(['entity', 'show', 'Customers V3'])
    expect(stdout).toMatch(/CustomerAccount +string\(20\) +key/)
    expect(stdout).toMatch(/CustomerGroupId +string\(10\) +mandatory +Customer groups/)
    expect(stdout).toContain('CustVendorBlocked: No, Invoice, All')
  })

  it.each([
    ['delimited', 'warehouses.csv', ['dataAreaId;Warehouse Id;Area;Open', 'usmf;11;1.5;Yes', 'usmf;12;20;No']],
    [
      'XML-Element',
      'w.xml',
      [
        '<Document><WAREHOUSEENTITY><WarehouseId>11</WarehouseId><Area>1.5</Area></WAREHOUSEENTITY>',
        '<WAREHOUSEENTITY><WarehouseId>12</WarehouseId><Open>Yes</Open></WAREHOUSEENTITY></Document>',
      ],
    ],
    [
      'XML-Attribute',
      'a.xml',
      ['<D><Warehouse WarehouseId="11" Area="1.5"/><Warehouse WarehouseId="12" Open="No"/></D>'],
    ],
  ])('infers an entity of a %s file that compiles', async (format, name, lines) => {
    const out = path.join(cli.folder, 'entities', `${format}.ts`)
    const { code, stdout, stderr } = await cli.run(['entity', 'infer', cli.file(name, ...lines), '--out', out])
    expect(code).toBe(0)
    expect(stdout).toBe('')
    expect(stderr).toContain('Key: WarehouseId is unique')
    expect(stderr).toContain('entities/index.ts')
    const source = ts.sys.readFile(out)
    expect(source).toContain("name: 'WarehouseEntity'")
    expect(source).toContain("publicEntityName: 'Warehouse'")
    expect(source).toMatch(/WarehouseId: string\(.*\n.*Area: decimal\(.*\n.*Open: noYes\(/)
    expect(compile(out)).toEqual([])
  })

  it('writes to standard output, with its notes elsewhere', async () => {
    const { code, stdout, stderr } = await cli.run(['entity', 'infer', '-'], 'A,B\n1,2\n')
    expect(stdout).toMatch(/^import \{/)
    expect(stdout).toMatch(/\n$/)
    expect(stderr).toContain('note  Key: ')
    expect(code).toBe(0)
  })

  it('never writes over a file', async () => {
    const file = cli.file('a.csv', 'A,B', '1,2')
    const { code, stderr } = await cli.run(['entity', 'infer', file, '--out', file])
    expect(stderr).toContain(`EA113: The file ${file} cannot be written: it is there already`)
    expect(code).toBe(2)
  })

  it.each([
    ['an empty file', 'empty.csv', [], 'EF101'],
    ['XML without records', 'empty.xml', ['<Document/>'], 'EF204'],
  ])('refuses %s', async (_, name, lines, code) => {
    const result = await cli.run(['entity', 'infer', cli.file(name, ...lines)])
    expect(result.stderr).toContain(`${code}: `)
    expect(result.code).toBe(2)
  })
})
