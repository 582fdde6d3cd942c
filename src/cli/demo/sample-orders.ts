import { customerAccount, customerCount } from './sample-customers'
import { itemNumber, productCount } from './sample-products'
import type { SampleFile } from './samples'

const orderCount = 3_000
const linesAnOrder = 5

/** This order is from a customer that nobody knows, so its lines belong to no order. */
const orphan = 1_234

/** Orders of a web shop, which refer to customers and products: a file of headers, and one of lines right behind it. */
export function orderFiles(): SampleFile[] {
  const shop = { activity: 'Web shop', company: 'usmf' }
  const numbers = Array.from({ length: orderCount }, (_, at) => at + 1)
  return [
    {
      ...shop,
      entity: 'Sales order headers V2',
      fileName: 'orders.csv',
      text: lines(headerNames, numbers.map(header)),
    },
    {
      ...shop,
      entity: 'Sales order lines V2',
      fileName: 'order-lines.csv',
      text: lines(lineNames, numbers.flatMap(orderLines)),
    },
  ]
}

const headerNames =
  'SalesOrderNumber,OrderingCustomerAccountNumber,InvoiceCustomerAccountNumber,CurrencyCode,SalesOrderStatus,RequestedShippingDate,OrderCreationDateTime'

function header(number: number): string {
  const account = customerOf(number)
  const created = `${dayOf(number)}T0${number % 10}:30:00Z`
  return [orderNumber(number), account, account, 'USD', 'Backorder', dayOf(number + 3), created].join(',')
}

const lineNames =
  'InventoryLotId,SalesOrderNumber,LineCreationSequenceNumber,ItemNumber,OrderedSalesQuantity,SalesUnitSymbol,SalesPrice'

function orderLines(number: number): string[] {
  return Array.from({ length: linesAnOrder }, (_, at) => {
    const line = at + 1
    const place = 1 + ((number * 7 + at * 131) % productCount)
    const lot = `${orderNumber(number)}-${line}`
    return [
      lot,
      orderNumber(number),
      line,
      itemNumber(place),
      1 + ((number + at) % 12),
      'ea',
      (9.9 + (place % 200)).toFixed(2),
    ].join(',')
  })
}

/** Only customers whose records are good: the chain of errors is shown by one order. */
function customerOf(number: number): string {
  return number === orphan ? 'US-9999' : customerAccount(1 + ((number * 2) % Math.min(customerCount, 400)))
}

function orderNumber(number: number): string {
  return `WEB-${String(number).padStart(6, '0')}`
}

function dayOf(number: number): string {
  return `2026-03-${String(1 + (number % 28)).padStart(2, '0')}`
}

function lines(names: string, records: readonly string[]): string {
  return `${[names, ...records].join('\n')}\n`
}
