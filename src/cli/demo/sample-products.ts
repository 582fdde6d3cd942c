/** How many products there are. */
export const productCount = 1_500

/** The number of the product at this place, from 1. */
export function itemNumber(place: number): string {
  return `D${String(place).padStart(5, '0')}`
}

const names = ['Bluetooth speaker', 'Cable <HDMI>', 'Studio headphones', 'Turntable & stand', 'Wall mount']
const groups = ['Audio', 'CarAudio', 'TV&Video', 'Service']

/** Products as a catalogue writes them: an XML element a record, an element a field. */
export function productsFile(): string {
  const records = Array.from({ length: productCount }, (_, at) => product(at + 1))
  const elements = records.map((record) => {
    const fields = Object.entries(record).map(
      ([name, value]) => `<${name.toUpperCase()}>${escaped(value)}</${name.toUpperCase()}>`,
    )
    return `  <ECORESRELEASEDPRODUCTV2ENTITY>${fields.join('')}</ECORESRELEASEDPRODUCTV2ENTITY>`
  })
  return `<?xml version="1.0" encoding="utf-8"?>\n<Document>\n${elements.join('\n')}\n</Document>\n`
}

function product(place: number): Record<string, string> {
  const isService = place % 40 === 0
  return {
    ItemNumber: itemNumber(place),
    SearchName: names[place % names.length]!,
    ProductType: isService ? 'Service' : 'Item',
    ProductGroupId: isService ? 'Service' : groups[place % 3]!,
    SalesPrice: (9.9 + (place % 200)).toFixed(2),
    UnitCost: (4.5 + (place % 120)).toFixed(4),
    IsSoldOnline: place % 3 === 0 ? 'false' : 'true',
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
