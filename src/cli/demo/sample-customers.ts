/** How many customers there are: enough to be a file, few enough for a demonstration. */
export const customerCount = 2_000

/** The account of the customer with this number, from 1. */
export function customerAccount(number: number): string {
  return `US-${String(number).padStart(4, '0')}`
}

const firstWords = [
  'Adventure',
  'Alpine',
  'Birch',
  'Contoso',
  'Desert',
  'Fabrikam',
  'Forest',
  'Litware',
  'Northwind',
  'Proseware',
]
const secondWords = ['Audio', 'Cycles', 'Foods', 'Garden', 'Home', 'Lights', 'Retail', 'Sports', 'Toys', 'Traders']
const cities = [
  ['Seattle', '98101'],
  ['Portland', '97201'],
  ['Denver', '80202'],
  ['Austin', '73301'],
  ['Boston', '02108'],
  ['Montréal', 'H2X 1Y4'],
  ['Zürich', '8001'],
] as const
const groups = ['10', '20', '30', '80']
const terms = ['Net10', 'Net30', 'Net45', 'COD']

/** A record in error of each kind that people make most: number of the record -> what differs in it. */
const mistakes: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  417: { CreditLimit: '12.500,00' },
  863: { CustomerGroupId: '90' },
  1204: { CredManCustomerSince: '31/02/2024' },
}

/** The number of the customer whose group comes late. */
export const groupless = 863

/** Customers as a CRM writes them: CSV with a header, quotes where they are needed, some mistakes. */
export function customersFile(): string {
  const records = Array.from({ length: customerCount }, (_, at) => ({ ...customer(at + 1), ...mistakes[at + 1] }))
  const header = Object.keys(records[0]!).join(',')
  return `${[header, ...records.map((record) => Object.values(record).map(quotedIfNeeded).join(','))].join('\r\n')}\r\n`
}

/** Numbers step through the lists at different paces, so that neighbours differ and every run is the same. */
function customer(number: number): Record<string, string> {
  const [city, zipCode] = cities[number % cities.length]!
  const name = `${firstWords[number % 10]} ${secondWords[Math.floor(number / 10) % 10]}`
  return {
    CustomerAccount: customerAccount(number),
    OrganizationName: number % 9 === 0 ? `${name}, Inc.` : `${name} ${city}`,
    CustomerGroupId: groups[number % groups.length]!,
    SalesCurrencyCode: number % 11 === 0 ? 'EUR' : 'USD',
    PaymentTerms: terms[(number * 3) % terms.length]!,
    CreditLimit: ((number * 2_750) % 90_000).toFixed(2),
    IsCreditLimitMandatory: number % 5 === 0 ? 'Yes' : 'No',
    AddressStreet: `${100 + (number % 900)} Main Street`,
    AddressZipCode: zipCode,
    AddressCity: city,
    CredManCustomerSince: `20${10 + (number % 16)}-${String(1 + (number % 12)).padStart(2, '0')}-15`,
  }
}

function quotedIfNeeded(value: string): string {
  return /[",]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}
