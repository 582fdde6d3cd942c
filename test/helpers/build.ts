import { recordWriter, sourceFormats } from '../../src/format/registry'
import type { TestHub } from './test-hub'

type Cell = string | number

/** A CSV file of these columns and records. */
export function csv(columns: readonly string[], records: readonly (readonly Cell[])[]): string {
  const writer = recordWriter(sourceFormats['CSV-Comma'], '', columns)
  return [writer.header(), ...records.map((record) => writer.record(record.map(String)))].join('')
}

const termColumns = ['dataAreaId', 'Name', 'Description', 'NumberOfDays']

/**
 * Terms of payment T<from> to T<from + count - 1> of company usmf, 70 bytes each; every 997th is in error when it is
 * staged, every 1,999th belongs to a company that does not exist, and the first 10 come again at the end.
 */
export function termsFile(count: number, { from = 0, days = 0 } = {}): string {
  const records = Array.from({ length: count }, (_, i) => {
    const company = i % 1_999 === 1_998 ? 'nope' : 'usmf'
    return [
      company,
      nameOf(from + i),
      `Terms of payment number ${from + i} of many`,
      i % 997 === 996 ? 'soon' : days + (i % 90),
    ]
  })
  const again = records.slice(0, 10).map(([company, name]) => [company!, name!, 'Once more', 7])
  return csv(termColumns, [...records, ...again])
}

function nameOf(number: number): string {
  return `T${String(number).padStart(7, '0')}`
}

/** Two groups that are good and one whose terms do not exist, with keys of this number's own. */
export function groupsFile(number: number): string {
  return csv(
    ['dataAreaId', 'CustomerGroupId', 'Description', 'PaymentTermId'],
    [
      ['usmf', `A${number}`, `Group A of file ${number}`, 'Net30'],
      ['usmf', `B${number}`, `Group B of file ${number}`, ''],
      ['usmf', `C${number}`, `Group C of file ${number}`, 'Net99'],
    ],
  )
}

/** Puts the companies usmf and demf, the currencies USD and EUR and the terms Net30 there. */
export async function addMasterData({ deliver, run }: Pick<TestHub, 'deliver' | 'run'>): Promise<void> {
  await deliver(
    'Legal entities',
    csv(
      ['LegalEntityId', 'Name'],
      [
        ['usmf', 'Contoso US'],
        ['demf', 'Contoso DE'],
      ],
    ),
  )
  await deliver(
    'Currencies',
    csv(
      ['CurrencyCode', 'Name'],
      [
        ['USD', 'US dollar'],
        ['EUR', 'Euro'],
      ],
    ),
  )
  await run()
  await deliver('Terms of payment', csv(termColumns, [['usmf', 'Net30', 'Net 30 days', 30]]))
  await run()
}
