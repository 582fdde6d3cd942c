import { csv } from './build'
import type { TestHub } from './test-hub'

/** Label of the composite of sales orders. */
export const salesOrders = 'Sales orders composite V3'

type Values = Readonly<Record<string, string | undefined>>

/** A sales order for a file: fields of the header beside the usual ones, and lines. */
export interface OrderXml {
  readonly header?: Values
  readonly lines?: readonly Values[]
}

/** An order of this number, customer and lines: each line by its lot and item. */
export function order(number: string, lines: readonly Values[], header: Values = {}): OrderXml {
  return { header: { SalesOrderNumber: number, ...header }, lines }
}

/** A line of a lot; item A1 and one piece of it unless said otherwise. */
export function line(lot: string, more: Values = {}): Values {
  return { InventoryLotId: lot, ItemNumber: 'A1', OrderedSalesQuantity: '1', ...more }
}

/** A file of sales orders of customer US-001 in US dollars, unless a header says otherwise. */
export function ordersXml(orders: readonly OrderXml[]): string {
  const elements = (values: Values) =>
    Object.entries(values).map(([name, value]) => (value === undefined ? '' : `<${name}>${value}</${name}>`))
  const documents = orders.map(({ header = {}, lines = [] }) => {
    const all = { OrderingCustomerAccountNumber: 'US-001', CurrencyCode: 'USD', ...header }
    const below = lines.map((each) => `    <SalesOrderLineV2Entity>${elements(each).join('')}</SalesOrderLineV2Entity>`)
    return [
      '  <SalesOrderHeaderV2Entity>',
      elements(all).join(''),
      '\n',
      below.join('\n'),
      '</SalesOrderHeaderV2Entity>',
    ]
      .join('')
      .trimEnd()
  })
  return `<?xml version="1.0"?>\n<Document>\n${documents.join('\n')}\n</Document>\n`
}

/** Puts a customer US-001 and the items A1 and A2 of company usmf there; `addMasterData` comes before. */
export async function addOrderMasterData({ importFile }: TestHub): Promise<void> {
  const company = { company: 'usmf' }
  await importFile('Customer groups', 'CustomerGroupId,Description\n10,Retail\n', company)
  await importFile('Customers V3', 'CustomerAccount,CustomerGroupId\nUS-001,10\n', company)
  await importFile('Released products V2', csv(['ItemNumber'], [['A1'], ['A2']]), company)
}

/**
 * Many orders of three records each; every 50th has a line whose quantity is no number, every 70th an item that does not
 * exist, every 90th an unknown customer, every 110th comes again at the end with one line less.
 */
export function manyOrders(count: number): string {
  const orders = Array.from({ length: count }, (_, n) => {
    const quantity = n % 50 === 49 ? 'many' : String(1 + (n % 7))
    const item = n % 70 === 69 ? 'NONE' : 'A2'
    const lines = [line(`${n}-1`, { OrderedSalesQuantity: quantity }), line(`${n}-2`, { ItemNumber: item })]
    return order(`S${n}`, lines, n % 90 === 89 ? { OrderingCustomerAccountNumber: 'NOBODY' } : {})
  })
  const again = orders.filter((_, n) => n % 110 === 109)
  return ordersXml([...orders, ...again.map(({ header, lines }) => ({ header: header!, lines: lines!.slice(0, 1) }))])
}
