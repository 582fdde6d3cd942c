import { createWriteStream, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** What a generated file of customers is like; the same kind and size gives the same bytes on every machine. */
export type CustomersKind = 'clean' | 'changed' | 'dirty'

/** Columns of the generated files: the key, three relations, text, a decimal and a date. */
export const customerColumns = [
  'CustomerAccount',
  'OrganizationName',
  'NameAlias',
  'CustomerGroupId',
  'SalesCurrencyCode',
  'PaymentTerms',
  'CreditLimit',
  'PrimaryContactEmail',
  'AddressStreet',
  'AddressCity',
  'CredManCustomerSince',
] as const

/**
 * Every hundredth record of a dirty file has an error, of each of these kinds in turn: which cell is changed to what.
 * All records keep their shape, since psql gives up at the first one that has another.
 */
const errorKinds: readonly { readonly cell: number; value(number: number): string }[] = [
  { cell: 6, value: () => '12.5.1' },
  { cell: 10, value: () => '2021-02-30' },
  { cell: 2, value: () => 'An alias that is longer than twenty characters' },
  { cell: 3, value: () => '' },
  { cell: 3, value: () => '999' },
  { cell: 4, value: () => 'XQX' },
  { cell: 5, value: () => 'Net77' },
  { cell: 0, value: (number) => account(number - 1) },
]
/** Which of `errorKinds` is a key that occurred before: the record wins, and the one before is superseded. */
const duplicateKind = errorKinds.length - 1

/** What must be there before customers: import in this order. */
export const seeds: readonly { entity: string; text: string }[] = [
  { entity: 'OMLegalEntity', text: 'LegalEntityId,Name\nusmf,Contoso Entertainment System USA\n' },
  {
    entity: 'CurrencyEntity',
    text: 'CurrencyCode,Name\nUSD,US Dollar\nEUR,Euro\nGBP,Pound Sterling\nCAD,Canadian Dollar\nJPY,Yen\n',
  },
  {
    entity: 'PaymentTermEntity',
    text: 'Name,NumberOfDays\nCash,0\nNet10,10\nNet15,15\nNet30,30\nNet60,60\n',
  },
  {
    entity: 'CustCustomerGroupEntity',
    text: `CustomerGroupId,Description\n${Array.from({ length: 20 }, (_, i) => `${(i + 1) * 10},Group ${i + 1}\n`).join('')}`,
  },
]
/** The company that all generated records belong to. */
export const company = 'usmf'

const words = ['Northwind', 'Contoso', 'Fabrikam', 'Adatum', 'Litware', 'Proseware', 'Wingtip', 'Tailspin']
const trades = ['Traders', 'Wholesales', 'Retail', 'Electronics', 'Foods', 'Furniture', 'Optics']
const cities = ['Seattle', 'München', 'Leeds', 'Toronto', 'Osaka', 'Århus', 'Łódź', 'San José', 'Austin']
const currencies = ['USD', 'EUR', 'GBP', 'CAD', 'JPY']
const terms = ['Cash', 'Net10', 'Net15', 'Net30', 'Net60']

function account(number: number): string {
  return `C-${String(number).padStart(8, '0')}`
}

/** Cells of a record (1-based number), in the order of `customerColumns`. */
export function customer(number: number, kind: CustomersKind): string[] {
  const mixed = (Math.imul(number, 0x9e3779b1) ^ (number >>> 3)) >>> 0 // spreads the values, deterministic
  const word = words[mixed % words.length]!
  const changed = kind === 'changed' ? 1 : 0
  const cells = [
    account(number),
    `${word} ${trades[(mixed >>> 4) % trades.length]} ${number}${changed ? ' Group' : ''}`,
    `${word}${number}`,
    String((((mixed >>> 8) + changed) % 20) * 10 + 10),
    currencies[(mixed >>> 5) % 5]!,
    terms[(mixed >>> 7) % 5]!,
    `${(mixed % 900_000) + changed}.${String(mixed % 100).padStart(2, '0')}`,
    `accounts.${number}@${word.toLowerCase()}.example`,
    number % 100 === 50 ? `The "Old Mill", Gate ${mixed % 9}\nFloor ${mixed % 40}` : `${mixed % 9_999} Harbour Street`,
    cities[(mixed >>> 3) % cities.length]!,
    `${1990 + (mixed % 34)}-${two((mixed >>> 6) % 12)}-${two((mixed >>> 9) % 28)}`,
  ]
  if (kind === 'dirty' && number % 100 === 7) {
    const { cell, value } = errorKinds[Math.floor(number / 100) % errorKinds.length]!
    cells[cell] = value(number)
  }
  return cells
}

function two(value: number): string {
  return String(value + 1).padStart(2, '0')
}

/** How many records of a dirty file are in error, and how many are superseded by a later one of their key. */
export function faultsOf(records: number): { inError: number; superseded: number } {
  let superseded = 0
  let all = 0
  for (let number = 7; number <= records; number += 100) {
    all++
    if (Math.floor(number / 100) % errorKinds.length === duplicateKind) superseded++
  }
  return { inError: all - superseded, superseded }
}

/** A record as a line of CSV. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\n`
}

const xmlEscapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function xmlRecord(cells: readonly string[]): string {
  const fields = cells.map((cell, c) => {
    const name = customerColumns[c]!.toUpperCase()
    return `<${name}>${cell.replace(/[&<>]/g, (character) => xmlEscapes[character]!)}</${name}>`
  })
  return `<CUSTCUSTOMERV3ENTITY>${fields.join('')}</CUSTCUSTOMERV3ENTITY>\n`
}

/** Writes a file of so many customers; returns its size in bytes. */
export async function writeCustomers(
  file: string,
  records: number,
  kind: CustomersKind,
  format: 'csv' | 'xml' = 'csv',
): Promise<number> {
  await pipeline(Readable.from(pieces(records, kind, format)), createWriteStream(file))
  return statSync(file).size
}

/** Records of one write: a few hundred KB. */
const recordsPerPiece = 2_000

function* pieces(records: number, kind: CustomersKind, format: 'csv' | 'xml'): Generator<Buffer> {
  const line = format === 'csv' ? csvLine : xmlRecord
  yield Buffer.from(format === 'csv' ? `${customerColumns.join(',')}\n` : '<?xml version="1.0"?>\n<Document>\n')
  for (let from = 1; from <= records; from += recordsPerPiece) {
    let text = ''
    for (let number = from; number < from + recordsPerPiece && number <= records; number++) {
      text += line(customer(number, kind))
    }
    yield Buffer.from(text)
  }
  if (format === 'xml') yield Buffer.from('</Document>\n')
}
