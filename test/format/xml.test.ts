import { defaultReadLimits } from '../../src/format/record-block'
import { openXml } from '../../src/format/xml'
import { chunked } from './reading'
import { groups, readXml, saxesOnly, valuesOf, xmlElement } from './xml-documents'

describe('XML records', () => {
  it('are read from elements, from attributes and from both in one file', async () => {
    const document =
      '<?xml version="1.0" encoding="utf-8"?>\n<Document>\n' +
      '  <CUSTCUSTOMERGROUPENTITY><CUSTOMERGROUPID>10</CUSTOMERGROUPID><DESCRIPTION>A</DESCRIPTION></CUSTCUSTOMERGROUPENTITY>\n' +
      '  <CustCustomerGroupEntity customergroupid="20" Description="B" />\n' +
      '  <group Id="3"><CustomerGroupId>30</CustomerGroupId></group>\n</Document>'
    expect(await valuesOf(document)).toEqual([
      ['10', 'A', null],
      ['20', 'B', null],
      ['30', null, '3'],
    ])
  })

  it('tell an empty field from one that is not given', async () => {
    const fields = '<Id/><Description></Description>'
    expect(await valuesOf(`<D><Group>${fields}</Group><Group Id=""/><Group/></D>`)).toEqual([
      [null, '', ''],
      [null, null, ''],
      [null, null, null],
    ])
  })

  it('take xsi:nil as empty and pass over namespaces', async () => {
    const document =
      '<d:Document xmlns:d="urn:d" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="a b">' +
      '<d:Group xml:space="preserve" xmlns="urn:e"><d:Id i:nil="true"/><Description>x</Description></d:Group></d:Document>'
    const read = await readXml(document)
    expect(read.records[0]?.values).toEqual([null, 'x', ''])
    expect(read.unknown).toEqual([])
  })

  it('join text, CDATA and references, and drop comments and instructions', async () => {
    const field = '<Description>a&lt;<![CDATA[<b>&amp;]]><!-- c --><?d e?>&#x20AC;&#65;\r\nf</Description>'
    expect(await valuesOf(`<D><?x?><Group><!-- y -->${field}</Group></D>`)).toEqual([[null, 'a<<b>&amp;€A\nf', null]])
  })

  it('keep their line, over every kind of line end', async () => {
    const document =
      '<?xml version="1.0"?>\r\n<!--\n-->\n<D>\r<Group/><Group\n\n/>\n<Group><Id>\n\r\n</Id></Group>\n<!-- \n --><Group/>\n</D>'
    const read = await readXml(document)
    expect(read.records.map(({ line }) => line)).toEqual([5, 5, 8, 12])
    expect(read.records.map(({ number }) => number)).toEqual([1, 2, 3, 4])
  })

  it('are told apart from elements that are no records and fields that are none', async () => {
    const document =
      '<D>note<Header><Group><Id>0</Id></Group></Header><Group><Id>1</Id><Colour>red</Colour></Group>' +
      '<Group Size="2"><Id lang="en">2</Id><Line><Id>9</Id></Line></Group><!-- end --></D>'
    const read = await readXml(document)
    expect(read.records.map(({ values }) => values?.[2])).toEqual(['1', '2'])
    expect(read.unknown).toEqual(['#text', 'Header', 'Colour', 'Size', 'Id/@lang', 'Line'])
  })

  it('list a hundred unknown names at most', async () => {
    const fields = Array.from({ length: 300 }, (_, n) => `<F${n}>x</F${n}>`).join('')
    expect((await readXml(`<D><Group>${fields}</Group></D>`)).unknown).toHaveLength(100)
  })

  it('are not led astray by names such as __proto__', async () => {
    const fields = '<__proto__>1</__proto__><constructor>2</constructor><toString a="3">4</toString><Id>5</Id>'
    const read = await readXml(`<D><Group __proto__="6" hasOwnProperty="7">${fields}</Group></D>`)
    expect(read.records[0]?.values).toEqual([null, null, '5'])
    expect(read.unknown).toContain('__proto__')
    expect(({} as Record<string, unknown>)['1']).toBeUndefined()
  })
})

describe('An XML record of the wrong shape', () => {
  const faults: [string, string, string, string | undefined][] = [
    ['a field given twice', '<Group><Id>1</Id><ID>2</ID></Group>', 'ER105', 'Id'],
    ['an attribute and an element of one name', '<Group Id="1">\n<Id>2</Id></Group>', 'ER105', 'Id'],
    ['two attributes of one name but for letter case', '<Group Id="1" ID="2"/>', 'ER105', 'Id'],
    ['an element in a field', '<Group><Description>a<b>c</b></Description></Group>', 'ER106', 'Description'],
    ['text between the fields', '<Group><Id>1</Id> ä &amp; b</Group>', 'ER107', undefined],
  ]
  it.each(faults)('(%s) is a fault with its text, and its neighbours are read', async (_, record, code, column) => {
    const { records } = await readXml(`<D>\n<Group><Id>0</Id></Group>\n ${record}<Group><Id>9</Id></Group></D>`)
    expect(records).toHaveLength(3)
    expect(records[0]?.values?.[2]).toBe('0')
    expect(records[1]).toMatchObject({ number: 2, line: 3, fault: { code, text: record } })
    expect(records[1]?.fault?.column).toBe(column)
    expect(records[2]?.values?.[2]).toBe('9')
  })
})

describe('An XML file', () => {
  const records = '<Document><Group><Description>Köln € ž</Description></Group></Document>'
  const latin = '<Document><Group><Description>Köln</Description></Group></Document>'
  const utf16be = Buffer.from(`\ufeff${records}`, 'utf16le').swap16()

  it.each<[string, Buffer, string | undefined, string]>([
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${records}`), 'windows-1252', 'Köln € ž'],
    ['UTF-16LE with a byte order mark', Buffer.from(`\ufeff${records}`, 'utf16le'), undefined, 'Köln € ž'],
    ['UTF-16BE with a byte order mark', utf16be, undefined, 'Köln € ž'],
    ['UTF-16LE without a mark', Buffer.from(records, 'utf16le'), undefined, 'Köln € ž'],
    [
      'a declared code page',
      Buffer.from(`<?xml version="1.0" encoding='ISO-8859-1'?>${latin}`, 'latin1'),
      'utf-8',
      'Köln',
    ],
    ["the format's code page", Buffer.from(latin, 'latin1'), 'windows-1252', 'Köln'],
    [
      'UTF-8 that says it is UTF-16',
      Buffer.from(`<?xml version="1.0" encoding="utf-16"?>${records}`),
      undefined,
      'Köln € ž',
    ],
  ])('is read as %s', async (_, bytes, encoding, expected) => {
    const format = encoding === undefined ? xmlElement : { ...xmlElement, encoding }
    expect(await valuesOf(bytes, format)).toEqual([[null, expected, null]])
  })

  const record = '<Group><Id>1</Id></Group>'
  it.each<[string, string, string | Buffer, string]>([
    ['no bytes', 'EF101', '', 'empty'],
    ['only white space', 'EF101', ' \r\n\t', 'empty'],
    ['invalid UTF-8', 'EF106', Buffer.from('<D><Group><Id>\xff</Id></Group></D>', 'latin1'), '0xFF'],
    ['an overlong form', 'EF106', Buffer.from('<D>\xc0\xbc</D>', 'latin1'), '0xC0'],
    ['UTF-7', 'EF109', `<?xml version="1.0" encoding="UTF-7"?><D>${record}</D>`, 'UTF-7'],
    ['an unknown encoding', 'EF109', `<?xml version="1.0" encoding="x-klingon"?><D>${record}</D>`, 'x-klingon'],
    ['another format', 'EF110', 'Id;Description\n1;x\n', 'Id;Description'],
    ['DOCTYPE', 'EF202', `<!DOCTYPE D>${'<D/>'}`, 'document type'],
    [
      'an external entity',
      'EF202',
      '<!DOCTYPE D [<!ENTITY x SYSTEM "file:///etc/passwd">]><D>&x;</D>',
      'document type',
    ],
    [
      'a parameter entity',
      'EF202',
      '<?xml version="1.0"?>\n<!DOCTYPE D [<!ENTITY % x SYSTEM "http://a/b"> %x;]><D/>',
      'line 2',
    ],
    ['an external subset', 'EF202', '<!-- > --><!DOCTYPE D SYSTEM "http://a/b.dtd"><D/>', 'document type'],
    ['a DOCTYPE that never ends', 'EF202', `<!DOCTYPE D [${' '.repeat(1_000_000)}`, 'document type'],
    ['a DOCTYPE in the root', 'EF202', `<D>${record}<!DOCTYPE D></D>`, 'document type'],
    ['an undefined entity', 'EF201', '<D><Group><Id>&nbsp;</Id></Group></D>', 'undefined entity'],
    ['an entity named like a property', 'EF201', '<D><Group><Id>&toString;</Id></Group></D>', 'undefined entity'],
    ['NUL', 'EF201', '<D><Group><Id>\0</Id></Group></D>', 'disallowed'],
    ['a control character', 'EF201', '<D><Group Id="\x1f"/></D>', 'disallowed'],
    ['a reference to a control character', 'EF201', '<D><Group Id="&#1;"/></D>', 'malformed character'],
    ['a reference to a surrogate', 'EF201', '<D><Group Id="&#xD800;&#xDC00;"/></D>', 'malformed character'],
    ['U+FFFE', 'EF201', '<D><Group><Id>\ufffe</Id></Group></D>', 'disallowed'],
    ['XML 1.1', 'EF201', `<?xml version="1.1"?><D>${record}</D>`, '1.1'],
    ['a declaration that is not first', 'EF201', `\n<?xml version="1.0"?><D>${record}</D>`, 'start of the document'],
    [']]> in text', 'EF201', '<D><Group><Id>]]></Id></Group></D>', ']]>'],
    ['< in an attribute', 'EF201', '<D><Group Id="<"/></D>', 'disallowed'],
    ['an attribute given twice', 'EF201', '<D><Group Id="1" Id="2"/></D>', 'duplicate'],
    ['an attribute without quotes', 'EF201', '<D><Group Id=1/></D>', 'unquoted'],
    ['tags that cross', 'EF201', '<D><Group><Id>1</Group></Id></D>', 'unexpected close tag'],
    ['an end that is cut off', 'EF201', `<D>${record}<Group><Id>1`, 'unclosed tag'],
    ['a missing end tag of the root', 'EF201', `<D>${record}\n`, 'unclosed tag'],
    ['two roots', 'EF201', `<D>${record}</D><D/>`, 'one root'],
    ['text after the root', 'EF201', `<D>${record}</D>text`, 'outside'],
    ['elements nested without end', 'EF203', `<D>${'<a>'.repeat(100_000)}`, '64'],
    ['a long element name', 'EF203', `<D><Group><${'a'.repeat(257)}/></Group></D>`, '256'],
    ['a long attribute name', 'EF203', `<D><Group ${'a'.repeat(257)}="1"/></D>`, '256'],
    [
      'many attributes',
      'EF203',
      `<D><Group ${Array.from({ length: 257 }, (_, n) => `a${n}=""`).join(' ')}/></D>`,
      '256',
    ],
    [
      'no record',
      'EF204',
      '<Envelope><Header/><Body/></Envelope>',
      'CustCustomerGroupEntity or Group; found: Header, Body',
    ],
    ['an empty root', 'EF204', '<Document/>', 'found: none'],
    ['records that are the root', 'EF204', record, 'found: Id'],
  ])('with %s is refused with %s', async (_, code, document, words) => {
    for (const reading of [saxesOnly, { byteLane: true, stepBytes: 64 * 1024 }, { byteLane: true, stepBytes: 3 }]) {
      const { error } = await readXml(document, { reading })
      expect(error?.code).toBe(code)
      if (reading.stepBytes > 3) expect(error?.message).toContain(words)
    }
  })

  it('is refused with the line and column of the mistake', async () => {
    const good = '<Group><Description>é😀</Description></Group>'
    const { error } = await readXml(`<D>\r\n${good}\n${good}${good}<Group><Id>1</Di></Group></D>`)
    // The column counts characters up to the `>` of the wrong end tag.
    expect(error).toMatchObject({ code: 'EF201', line: 3, column: 45 * 2 - 2 + 17 })
  })

  it('takes no more than it is told to from a record', async () => {
    const at = (size: number) => `<D>\n<Group><Id>${'x'.repeat(size - 25)}</Id></Group></D>`
    const limit = { maxRecordBytes: 1_000 }
    for (const reading of [saxesOnly, { byteLane: true, stepBytes: 64 * 1024 }, { byteLane: true, stepBytes: 10 }]) {
      expect((await readXml(at(1_001), { ...limit, reading })).records).toHaveLength(1)
      const { error } = await readXml(at(1_002), { ...limit, reading })
      expect(error).toMatchObject({ code: 'EF107', line: 2 })
    }
  })

  it.each([
    ['an attribute', '<D><Group Id="', 'x'],
    ['a text', '<D><Group><Id>', 'x'],
    ['a comment', '<D><!--', ' '],
    ['a name', '<D><', 'x'],
    ['white space', '<D>', ' '],
    ['a prolog', '<!--', ' '],
    ['a nest of fields', '<D><Group>', '<a></a>'],
  ])('is refused in good time and little memory for %s of 50 MB', async (_, start, filling) => {
    const chunk = Buffer.from(filling.repeat(Math.floor(65_536 / filling.length)))
    let sent = 0
    async function* endless() {
      yield Buffer.from(start)
      for (; sent < 50_000_000; sent += chunk.length) yield chunk
    }
    const before = process.memoryUsage().rss
    const read = async () => {
      const source = await openXml(endless(), xmlElement, groups, defaultReadLimits)
      for await (const block of source.blocks) expect(block.count).toBe(0)
    }
    await expect(read()).rejects.toMatchObject({ code: expect.stringMatching(/^EF(107|201)$/) })
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000)
  })

  it('is closed when reading stops early or fails', async () => {
    const closed: string[] = []
    async function* watched(name: string, document: string) {
      try {
        yield* chunked(document, 100)
      } finally {
        closed.push(name)
      }
    }
    const many = `<D>${record.repeat(100_000)}</D>`
    const source = await openXml(watched('stopped', many), xmlElement, groups, defaultReadLimits)
    for await (const block of source.blocks) {
      expect(block.count).toBeGreaterThan(100)
      break
    }
    const failing = openXml(watched('failed', '<!DOCTYPE a><D/>'.repeat(1_000)), xmlElement, groups, defaultReadLimits)
    await expect(failing).rejects.toMatchObject({ code: 'EF202' })
    expect(closed).toEqual(['stopped', 'failed'])
  })

  it('gives blocks of half a megabyte, numbered on', async () => {
    const source = await openXml(chunked(`<D>${record.repeat(60_000)}</D>`), xmlElement, groups, defaultReadLimits)
    let next = 1
    for await (const block of source.blocks) {
      expect(block.firstRecordNumber).toBe(next)
      expect(block.count * record.length).toBeLessThanOrEqual(512 * 1024 + record.length)
      next += block.count
    }
    expect(next).toBe(60_001)
  })
})
