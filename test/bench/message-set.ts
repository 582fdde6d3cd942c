import { csvLine, customer, customerColumns } from './files'

/** Records of a message (1-based number): 1 to 10, so that 5.5 on average. */
export function recordsOf(number: number): number {
  return 1 + (number % 10)
}

/** Cells of each record of a message; no key occurs twice in all messages. */
export function messageRecords(number: number): string[][] {
  return Array.from({ length: recordsOf(number) }, (_, index) => customer(number * 10 + index, 'clean'))
}

/** A small CSV file of customers, as an upstream system sends it. */
export function messageText(number: number): string {
  return `${customerColumns.join(',')}\n${messageRecords(number).map(csvLine).join('')}`
}
