import fc from 'fast-check'
import { ByteLane, isByteDialect } from '../../src/format/delimited-bytes'
import type { DelimitedLane, LaneOptions } from '../../src/format/delimited-lane'
import { PapaparseLane } from '../../src/format/delimited-papaparse'
import type { DelimitedFormat } from '../../src/format/source-format'
import { chunked, comma, type Reading, readAll, smallBlocks, valuesOf } from './reading'

type LaneName = 'byte lane' | 'papaparse lane'

/** The papaparse lane takes whole characters only, as the decoder hands them on. */
async function* wholeCharacters(text: string, ...sizes: number[]): AsyncGenerator<Buffer> {
  const characters = [...text]
  for (let at = 0, turn = 0; at < characters.length; turn++) {
    const size = sizes[turn % sizes.length] ?? characters.length
    yield Buffer.from(characters.slice(at, at + size).join(''))
    at += size
  }
}

function read(
  name: LaneName,
  text: string,
  { format = comma, options = {}, sizes = [] }: ReadOptions = {},
): Promise<Reading> {
  const laneOptions = { ...smallBlocks, ...options }
  return readAll(async () => {
    const lane: DelimitedLane =
      name === 'byte lane'
        ? new ByteLane(chunked(text, ...sizes), format, laneOptions)
        : new PapaparseLane(wholeCharacters(text, ...sizes), format, laneOptions)
    const columns = (await lane.header()) ?? []
    return { columns, blocks: lane.blocks(columns) }
  })
}

interface ReadOptions {
  readonly format?: DelimitedFormat
  readonly options?: Partial<LaneOptions>
  readonly sizes?: readonly number[]
}

/** What the bad input of a shape comes to. */
const shapes: readonly [string, string, { values: unknown[]; faults?: unknown[]; error?: unknown }][] = [
  [
    'LF',
    'a,b\n1,2\n3,4\n',
    {
      values: [
        ['1', '2'],
        ['3', '4'],
      ],
    },
  ],
  [
    'CRLF',
    'a,b\r\n1,2\r\n3,4\r\n',
    {
      values: [
        ['1', '2'],
        ['3', '4'],
      ],
    },
  ],
  [
    'lone CR',
    'a,b\r1,2\r3,4\r',
    {
      values: [
        ['1', '2'],
        ['3', '4'],
      ],
    },
  ],
  [
    'mixed line ends',
    'a,b\r1,2\n3,4\r\n5,6',
    {
      values: [
        ['1', '2'],
        ['3', '4'],
        ['5', '6'],
      ],
    },
  ],
  ['no last line end', 'a,b\n1,2', { values: [['1', '2']] }],
  ['an empty last field at the end', 'a,b\n1,', { values: [['1', '']] }],
  [
    'blank lines',
    '\n\r\n\ra,b\n\n1,2\r\n\r\n3,4\n\n',
    {
      values: [
        ['1', '2'],
        ['3', '4'],
      ],
    },
  ],
  ['blank lines of one column', 'a\n1\n\n2\n""\n', { values: [['1'], ['2'], ['']] }],
  [
    'quoted delimiters and line ends',
    'a,b\n"1,x","2\r\ny"\n"\r","\n"\n',
    {
      values: [
        ['1,x', '2\r\ny'],
        ['\r', '\n'],
      ],
    },
  ],
  [
    'doubled quotes',
    'a,b\n"say ""hi""",""""\n"","""x"""\n',
    {
      values: [
        ['say "hi"', '"'],
        ['', '"x"'],
      ],
    },
  ],
  ['a closing quote at the end', 'a,b\n1,"2"', { values: [['1', '2']] }],
  ['quoted headers', '"a,1","b""2"\n1,2\n', { values: [['1', '2']] }],
  ['spaces', 'a,b\n 1 ,  \n', { values: [[' 1 ', '  ']] }],
  [
    'NUL and `\\.` and `\\N`',
    'a,b\n\\.,\\N\n\0,x\0y\n',
    {
      values: [
        ['\\.', '\\N'],
        ['\0', 'x\0y'],
      ],
    },
  ],
  ['a byte order mark in a value', 'a,b\n\uFEFF1,2\n', { values: [['\uFEFF1', '2']] }],
  ['a header alone', 'a,b\n', { values: [] }],
  ['nothing', '\n\r\n', { values: [] }],
  [
    'ragged records',
    'a,b\n1\n2,3,4\n5,6\n',
    {
      values: [undefined, undefined, ['5', '6']],
      faults: [
        {
          number: 1,
          line: 2,
          fault: { code: 'ER101', reason: 'The record has 1 field where the header has 2.', text: '1' },
        },
        {
          number: 2,
          line: 3,
          fault: { code: 'ER101', reason: 'The record has 3 fields where the header has 2.', text: '2,3,4' },
        },
      ],
    },
  ],
  [
    'a ragged record with doubled quotes among neighbours with doubled quotes',
    'a,b\n"1""","2"""\n"x""y"\n"3""",4\n',
    {
      values: [['1"', '2"'], undefined, ['3"', '4']],
      faults: [
        {
          number: 2,
          line: 3,
          fault: { code: 'ER101', reason: 'The record has 1 field where the header has 2.', text: '"x""y"' },
        },
      ],
    },
  ],
  [
    'text after a closing quote',
    'a,b\n1,2\n"3\n3"x,"4"\n5,6\n',
    {
      values: [['1', '2'], undefined, ['5', '6']],
      faults: [
        {
          number: 2,
          line: 3,
          fault: {
            code: 'ER102',
            column: 'a',
            reason: 'Text follows the closing quote of the field a (line 4, column 3).',
            text: '"3\n3"x,"4"',
          },
        },
      ],
    },
  ],
  [
    'a quote inside an unquoted field',
    'a,b\n1,2"3\n4,é"5"\n6,7\n',
    {
      values: [undefined, undefined, ['6', '7']],
      faults: [
        {
          number: 1,
          line: 2,
          fault: {
            code: 'ER103',
            column: 'b',
            reason: 'A quote stands inside the field b (line 2, column 4).',
            text: '1,2"3',
          },
        },
        {
          number: 2,
          line: 3,
          fault: {
            code: 'ER103',
            column: 'b',
            reason: 'A quote stands inside the field b (line 3, column 4).',
            text: '4,é"5"',
          },
        },
      ],
    },
  ],
  [
    'a quote that is never closed',
    'a,b\n1,2\n3,"4\r\n5,é\n6',
    {
      values: [['1', '2']],
      error: {
        code: 'EF105',
        message: 'The quote that opens in line 3, column 3 is never closed.',
        line: 3,
        column: 3,
      },
    },
  ],
  [
    'a quote that opens on a later line of its record and is never closed',
    'a,b\n"1\r2\r\nö","4',
    {
      values: [],
      error: {
        code: 'EF105',
        message: 'The quote that opens in line 4, column 4 is never closed.',
        line: 4,
        column: 4,
      },
    },
  ],
  [
    'a header with a quote inside',
    'a,b"c\n1,2\n',
    { values: [], error: expect.objectContaining({ code: 'ER103', line: 1 }) },
  ],
  [
    'a header with a quote that is never closed',
    'a,"b\n1,2\n',
    { values: [], error: expect.objectContaining({ code: 'EF105', line: 1, column: 3 }) },
  ],
]

describe.each<LaneName>(['byte lane', 'papaparse lane'])('the %s', (name) => {
  describe.each([[16], [512 * 1024]])('in blocks of %i bytes', (blockBytes) => {
    it.each(shapes)('reads a file with %s', async (_, text, { values, faults = [], error }) => {
      const reading = await read(name, text, { options: { blockBytes } })
      expect(valuesOf(reading)).toEqual(values)
      expect(reading.records.filter(({ fault }) => fault !== undefined)).toEqual(faults)
      expect(reading.error).toEqual(error)
    })
  })

  it('counts records and lines', async () => {
    const reading = await read(name, '\r\na,b\n"1\r\n\r\n",2\n\n3\r4,"5\r6"\n7,8')
    expect(reading.records.map(({ number, line }) => [number, line])).toEqual([
      [1, 3],
      [2, 7],
      [3, 8],
      [4, 10],
    ])
  })

  it('reads the header as it stands', async () => {
    expect((await read(name, '"a ""b""", c,\n')).columns).toEqual(['a "b"', ' c', ''])
  })

  it('has no qualifier where the dialect has none', async () => {
    const reading = await read(name, 'a|b\n"1|2"\n""|"\n', { format: { ...comma, delimiter: '|', qualifier: '' } })
    expect(valuesOf(reading)).toEqual([
      ['"1', '2"'],
      ['""', '"'],
    ])
  })

  it('takes a record of exactly the limit and refuses a larger one', async () => {
    const limit = { options: { maxRecordBytes: 40 } }
    const fits = `a,b\n"${'é'.repeat(17)}",12\r\n`
    expect(valuesOf(await read(name, fits, limit))).toEqual([['é'.repeat(17), '12']])
    const tooLarge = `a,b\nx,y\n"${'é'.repeat(17)}",1234\r\n`
    const reading = await read(name, tooLarge, limit)
    expect(valuesOf(reading)).toEqual([['x', 'y']])
    expect(reading.error).toMatchObject({ code: 'EF107', line: 3 })
  })

  it.each([10, 11, 12, 13])(
    'refuses a record of %i bytes over a limit of 9, with its CR at the end of what is held',
    async (size) => {
      const reading = await read(name, `${'x'.repeat(size)}\r\n`, { options: { maxRecordBytes: 9, blockBytes: 1 } })
      expect(reading.error).toMatchObject({ code: 'EF107', line: 1 })
    },
  )

  it('refuses a faulty record over the limit too', async () => {
    const reading = await read(name, `a,b\nx"${'y'.repeat(50)}\n1,2\n`, { options: { maxRecordBytes: 40 } })
    expect(reading.error).toMatchObject({ code: 'EF107', line: 2 })
  })

  it('keeps the text of a fault to its limit', async () => {
    const reading = await read(name, `a,b\n${'🚀'.repeat(60_000)}\n`, { options: { maxRecordBytes: 1_000_000 } })
    expect(reading.records[0]?.fault?.text).toBe('🚀'.repeat(50_000))
  })

  it('stops at a quote that is never closed, having read little more than the largest record', async () => {
    let pulled = 0
    const endless = async function* () {
      yield Buffer.from('a,b\n1,2\n3,"never closed\n')
      for (;;) {
        pulled += 65_536
        yield Buffer.alloc(65_536, 'x,y\n')
      }
    }
    const options = { maxRecordBytes: 1_000_000, blockBytes: 65_536, firstLine: 1 }
    const lane =
      name === 'byte lane' ? new ByteLane(endless(), comma, options) : new PapaparseLane(endless(), comma, options)
    const reading = await readAll(async () => ({ columns: (await lane.header())!, blocks: lane.blocks(['a', 'b']) }))
    expect(valuesOf(reading)).toEqual([['1', '2']])
    expect(reading.error).toMatchObject({ code: 'EF107', line: 3 })
    expect(reading.error?.message).toContain('A quote opens in line 3, column 3.')
    expect(pulled).toBeLessThan(1_000_000 + 2 * 65_536)
  })

  it('bounds the offsets of many short records under a wide header', async () => {
    const width = 100_000
    const text = `${Array.from({ length: width }, (_, index) => `c${index}`).join(',')}\n${'x\n'.repeat(500)}`
    const options = { maxRecordBytes: 1_000_000, blockBytes: 65_536, firstLine: 1 }
    const lane =
      name === 'byte lane'
        ? new ByteLane(chunked(text), comma, options)
        : new PapaparseLane(chunked(text), comma, options)
    const columns = (await lane.header())!
    let records = 0
    for await (const block of lane.blocks(columns)) {
      records += block.count
      expect(block.starts.byteLength).toBeLessThan(20_000_000)
    }
    expect(records).toBe(500)
  })

  it('closes its source when reading stops early', async () => {
    let isClosed = false
    const source = async function* () {
      try {
        for (;;) yield Buffer.from('a,b\n'.repeat(100))
      } finally {
        isClosed = true
      }
    }
    const lane =
      name === 'byte lane'
        ? new ByteLane(source(), comma, smallBlocks)
        : new PapaparseLane(source(), comma, smallBlocks)
    for await (const _ of lane.blocks(['a', 'b'])) break
    expect(isClosed).toBe(true)
  })
})

/** Texts made of the pieces that matter, well-formed or not. */
const pieces = fc.constantFrom(
  '"',
  '"',
  ',',
  ',',
  '\n',
  '\r\n',
  '\r',
  '""',
  'a',
  'é',
  '🚀',
  ' ',
  '\uFEFF',
  'x,y\r\n',
  '"q,\n""z"""',
)
const texts = fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join(''))
const chunkSizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 })
const blockSizes = fc.integer({ min: 1, max: 40 })

describe('both lanes', () => {
  it.each<LaneName>(['byte lane', 'papaparse lane'])('read the same however the chunks are cut: %s', async (name) => {
    await fc.assert(
      fc.asyncProperty(texts, chunkSizes, blockSizes, async (text, sizes, blockBytes) => {
        const whole = await read(name, text, { options: { blockBytes: 512 * 1024 } })
        expect(await read(name, text, { sizes, options: { blockBytes } })).toEqual(whole)
      }),
      { numRuns: 400 },
    )
  })

  it('read every cut of a file in two alike', async () => {
    const text = 'a,b\r\n"1é\r\n""x""",2\r\r\n3\r"4"5,🚀\n"6",7"\r\n8,""\r'
    const whole = await read('byte lane', text)
    expect(whole.records).toHaveLength(5)
    for (let cut = 1; cut < Buffer.byteLength(text); cut++) {
      expect(await read('byte lane', text, { sizes: [cut, 1000] })).toEqual(whole)
      expect(await read('byte lane', text, { options: { blockBytes: cut } })).toEqual(whole)
    }
    expect(await read('papaparse lane', text)).toEqual(whole)
  })

  it.each([
    ['comma and quote', comma],
    ['semicolon and apostrophe', { ...comma, delimiter: ';', qualifier: "'" }],
    ['tab without qualifier', { ...comma, delimiter: '\t', qualifier: '' }],
  ])('read the same: %s', async (_, format: DelimitedFormat) => {
    const inDialect = texts.map((text) =>
      text.replaceAll(',', format.delimiter).replaceAll('"', format.qualifier === '' ? '"' : format.qualifier),
    )
    await fc.assert(
      fc.asyncProperty(
        inDialect,
        blockSizes,
        fc.integer({ min: 5, max: 80 }),
        async (text, blockBytes, maxRecordBytes) => {
          const options = { blockBytes, maxRecordBytes }
          const byBytes = await read('byte lane', text, { format, options })
          const byPapaparse = await read('papaparse lane', text, { format, options })
          expect(withoutQuoteHint(byPapaparse)).toEqual(withoutQuoteHint(byBytes))
        },
      ),
      { numRuns: 1500 },
    )
  })
})

/** The sentence of EF107 names an open quote only where the end of the record was not seen yet, which blocks decide. */
function withoutQuoteHint(reading: Reading): Reading {
  if (reading.error?.code !== 'EF107') return reading
  return { ...reading, error: { ...reading.error, message: reading.error.message.replace(/ A quote opens.*/, '') } }
}

describe('the papaparse lane alone', () => {
  const read2 = (text: string, format: Partial<DelimitedFormat>) =>
    read('papaparse lane', text, { format: { ...comma, ...format } })

  it('splits at a delimiter of several characters, from the left', async () => {
    const reading = await read2('a||b\n1|||2\n"3||""x"""||4\n"5"|6||7\n', { delimiter: '||' })
    expect(valuesOf(reading)).toEqual([['1', '|2'], ['3||"x"', '4'], undefined])
    expect(reading.records[2]?.fault).toMatchObject({ code: 'ER102', text: '"5"|6||7' })
  })

  it('splits at a delimiter and reads a qualifier beyond ASCII', async () => {
    expect(valuesOf(await read2('a§b\n«1§««x«§2\n', { delimiter: '§', qualifier: '«' }))).toEqual([['1§«x', '2']])
  })

  it('makes the character after an escape character literal', async () => {
    const text = 'a,b\n"1\\",x","2\\\\"\n"3\\n","4""5"\n\\6,"\\é"\n"7\\\r\n","\\""\n'
    expect(valuesOf(await read2(text, { escape: '\\' }))).toEqual([
      ['1",x', '2\\'],
      ['3n', '4"5'],
      ['\\6', 'é'],
      ['7\r\n', '"'],
    ])
  })

  it('passes over comment lines, and counts their lines', async () => {
    const reading = await read2('# head\na,b\n#"1\n2,"#3"\n  #4,5\n#', { comment: '#' })
    expect(reading.records).toEqual([
      { number: 1, line: 4, values: ['2', '#3'] },
      { number: 2, line: 5, values: ['  #4', '5'] },
    ])
  })

  it('reads the same however the chunks are cut, in any dialect', async () => {
    const rich = fc.array(fc.oneof(pieces, fc.constantFrom('\\', '||', '|', '#', '\n#')), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(rich, chunkSizes, blockSizes, async (parts, sizes, blockBytes) => {
        const format = { ...comma, delimiter: '||', escape: '\\', comment: '#' }
        const whole = await read('papaparse lane', parts.join(''), { format, options: { blockBytes: 512 * 1024 } })
        expect(await read('papaparse lane', parts.join(''), { format, sizes, options: { blockBytes } })).toEqual(whole)
      }),
      { numRuns: 400 },
    )
  })

  it.each([
    ['a sign', '¶', {}],
    ['several characters', '|~|', {}],
    ['a sign, without qualifier', ';', { qualifier: '' }],
  ])('reads rows that end with %s as the byte lane reads those that end with LF', async (_, rowDelimiter, dialect) => {
    const own = fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join('').replaceAll('\r', 'r'))
    await fc.assert(
      fc.asyncProperty(own, chunkSizes, blockSizes, async (text, sizes, blockBytes) => {
        const byBytes = await read('byte lane', text, { format: { ...comma, ...dialect } })
        const byRows = await read('papaparse lane', text.replaceAll('\n', rowDelimiter), {
          format: { ...comma, ...dialect, rowDelimiter },
          sizes,
          options: { blockBytes },
        })
        const inRows = (value: string | null) => value?.replaceAll('\n', rowDelimiter)
        expect(byRows.columns).toEqual(byBytes.columns.map(inRows))
        expect(byRows.records.map(({ fault }) => fault?.code)).toEqual(byBytes.records.map(({ fault }) => fault?.code))
        expect(valuesOf(byRows)).toEqual(valuesOf(byBytes).map((values) => values?.map(inRows)))
        expect(byRows.error?.code).toEqual(byBytes.error?.code)
      }),
      { numRuns: 500 },
    )
  })

  it.each(['\n', '\r\n'])(
    'reads rows that end with %j and hold no other line end like any others',
    async (rowDelimiter) => {
      const own = fc
        .array(pieces, { maxLength: 60 })
        .map((parts) => parts.join('').replaceAll('\r', '').replaceAll('\n', rowDelimiter))
      await fc.assert(
        fc.asyncProperty(own, blockSizes, async (text, blockBytes) => {
          const options = { blockBytes }
          const byRows = await read('papaparse lane', text, { format: { ...comma, rowDelimiter }, options })
          expect(byRows).toEqual(await read('byte lane', text, { options }))
        }),
        { numRuns: 500 },
      )
    },
  )

  it.each([
    [{ delimiter: '||' }, false],
    [{ rowDelimiter: '\n' }, false],
    [{ delimiter: '§' }, false],
    [{ escape: '\\' }, false],
    [{ comment: '#' }, false],
    [{ qualifier: '«' }, false],
    [{ escape: '"' }, true],
    [{ qualifier: '' }, true],
    [{ delimiter: '\t' }, true],
  ])('is chosen for %j: not %s', (dialect, isByte) => {
    expect(isByteDialect({ ...comma, ...dialect })).toBe(isByte)
  })
})
