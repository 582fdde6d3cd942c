import { sourceFormats } from '../../src/format/registry'
import { addActivity } from '../../src/project/activity'
import {
  findSourceFormat,
  listSourceFormats,
  putSourceFormat,
  removeSourceFormat,
} from '../../src/project/source-format-store'
import { openTestHub, type TestHub } from '../helpers/test-hub'

describe('source data formats', () => {
  let hub: TestHub
  beforeEach(async () => {
    hub = await openTestHub()
  })
  afterEach(() => hub.close())

  const german = { kind: 'delimited', delimiter: ';', decimalSeparator: ',', dateFormat: 'dd.MM.yyyy' }
  const put = (name: string, definition: Record<string, unknown> = german) =>
    putSourceFormat(hub.hub.db, name, definition)
  const find = (name: string) => findSourceFormat(hub.hub.db, name)
  const remove = (name: string) => removeSourceFormat(hub.hub.db, name)

  it('are the built-in ones, then those that were added, by name', async () => {
    await put('German')
    await put('austrian')
    const listed = await listSourceFormats(hub.hub.db)
    expect(listed.map(({ name }) => name)).toEqual([...Object.keys(sourceFormats), 'austrian', 'German'])
    expect(listed.map(({ isBuiltIn }) => isBuiltIn)).toEqual([
      ...Object.keys(sourceFormats).map(() => true),
      false,
      false,
    ])
  })

  it('are found by name in upper or lower case', async () => {
    const format = { ...german, qualifier: '"', hasHeader: true }
    expect(await put('German CSV')).toEqual({ name: 'German CSV', format, isBuiltIn: false, isNew: true })
    expect(await find(' german csv ')).toEqual({ name: 'German CSV', format, isBuiltIn: false })
    expect(await find('xml-element')).toMatchObject({ name: 'XML-Element', isBuiltIn: true })
  })

  it('keep their name when their definition is replaced, which holds at once', async () => {
    await put('German')
    await find('German')
    expect(await put('GERMAN', { kind: 'xml' })).toMatchObject({ name: 'German', isNew: false })
    expect(await find('german')).toMatchObject({ name: 'German', format: sourceFormats['XML-Element'] })
  })

  it('are gone once they are removed', async () => {
    await put('German')
    await find('German')
    await remove('german')
    await expect(find('German')).rejects.toMatchObject({ code: 'EA115', status: 400 })
    await expect(remove('German')).rejects.toMatchObject({ code: 'EA115', status: 404 })
  })

  it('are named when another is asked for, with a word of its own for workbooks', async () => {
    await put('German')
    await expect(find('Germen')).rejects.toThrow(
      /'Germen' is not known. Known are CSV-Comma, .*XML-Attribute, German\./,
    )
    await expect(find('a\0b')).rejects.toMatchObject({ code: 'EA115' })
    await expect(find('EXCEL')).rejects.toThrow(/Excel workbooks are not read/)
    await expect(put('Excel')).rejects.toThrow(/Excel workbooks are not read/)
  })

  it('that are built in are neither replaced nor removed (EA110)', async () => {
    await expect(put('csv-comma')).rejects.toMatchObject({ code: 'EA110', status: 409 })
    await expect(remove('CSV-Comma')).rejects.toMatchObject({ code: 'EA110', status: 409 })
  })

  it('are not removed while a data project uses them (EA110)', async () => {
    await put('German')
    const entities = [{ entity: 'CurrencyEntity', sourceFormat: 'German' }]
    await addActivity(hub.hub.db, { name: 'Shop', entities })
    await expect(remove('german')).rejects.toThrow("The source data format 'German' is used by the data project Shop")
    expect(await find('German')).toBeDefined()
  })

  it('are not replaced while a message of theirs is being staged (EA110)', async () => {
    await put('German')
    const { executionId } = await hub.deliver('Currencies', 'CurrencyCode\nUSD\n', { sourceFormat: 'german' })
    await put('German')
    await hub.hub.db.query('UPDATE entrepot.execution_entity SET epoch = 1 WHERE execution_id = $1', [executionId])
    await expect(put('German')).rejects.toMatchObject({ code: 'EA110', status: 409 })
    await hub.run()
    await put('German')
  })

  it.each(['', ' ', '-x', 'a/b', 'a\nb', 'x'.repeat(61)])(
    'have names that can be used (EA109): not %j',
    async (name) => {
      await expect(put(name)).rejects.toMatchObject({ code: 'EA109', status: 400 })
    },
  )

  it('have definitions without contradictions (EA109)', async () => {
    await expect(put('German', { ...german, groupSeparator: ',' })).rejects.toMatchObject({ code: 'EA109' })
    await expect(find('German')).rejects.toMatchObject({ code: 'EA115' })
  })

  it('reject a message whose format was removed before its turn (EA115)', async () => {
    await put('German')
    const { messageId } = await hub.deliver('Currencies', 'CurrencyCode\nUSD\n', { sourceFormat: 'German' })
    await remove('German')
    await hub.run()
    const { message } = await hub.outcome(messageId)
    expect(message).toMatchObject({ status: 'PreProcessingError', error: { code: 'EA115' } })
  })
})
