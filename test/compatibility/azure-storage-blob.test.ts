import { randomBytes } from 'node:crypto'
import { AnonymousCredential, BlockBlobClient, newPipeline } from '@azure/storage-blob'
import type { RunningHub } from '../api/running-hub'
import { csv } from '../helpers/build'
import { packageOf } from '../helpers/package'
import { callAction, endStatus, jsonHeaders, runContoso, valueIn } from './package-client'
import { terms } from './packages'

/**
 * What a .NET client sends that uploads by Azure's own library, and demands every property of the answers.
 * Source  Itaneo/d365fo-data-migration: Dynamics365FnoClient, XmlD365FnoOutputFactory.
 */
describe('a client with the library of Azure Storage', () => {
  let running: RunningHub
  let url: string

  beforeAll(async () => {
    running = await runContoso()
    url = running.url
  })
  afterAll(() => running.stop())

  const headers = {
    ...jsonHeaders,
    'OData-MaxVersion': '4.0',
    'OData-Version': '4.0',
    Prefer: 'odata.include-annotations = *',
  }
  /** An answer as it reads it: both properties must be there, and the value a text. */
  async function call(action: string, parameters: object): Promise<{ context: string; value: string }> {
    const answer = await callAction(url, action, parameters, headers)
    if (answer.status !== 200) throw new Error(answer.text)
    const { '@odata.context': context, value } = JSON.parse(answer.text)
    expect([typeof context, typeof value]).toEqual(['string', 'string'])
    return { context, value }
  }

  const enumeration = ['Unknown', 'NotRun', 'Executing', 'Succeeded', 'PartiallySucceeded', 'Failed', 'Canceled']
  const statusOf = async (executionId: string) => {
    const { context, value } = await call('GetExecutionSummaryStatus', { executionId })
    expect(context).toBe(`${url}/data/$metadata#Microsoft.Dynamics.DataEntities.DMFExecutionSummaryStatus`)
    expect(enumeration).toContain(value)
    return value
  }

  /** As OpenWrite does: an empty file, then blocks, then a list at each flush, each demanding the ETag of the last. */
  async function openWrite(blobUrl: string, bytes: Buffer, blockBytes: number): Promise<void> {
    const client = new BlockBlobClient(
      blobUrl,
      newPipeline(new AnonymousCredential(), { retryOptions: { maxTries: 1 } }),
    )
    let { etag } = await client.upload('', 0)
    const blocks: string[] = []
    for (let at = 0; at < bytes.length; at += blockBytes) {
      const block = bytes.subarray(at, at + blockBytes)
      blocks.push(randomBytes(48).toString('base64'))
      await client.stageBlock(blocks.at(-1)!, block, block.length)
      const committed = await client.commitBlockList(blocks, { conditions: { ifMatch: etag! } })
      etag = committed.etag
    }
  }

  async function importFrom(packageUrl: string, executionId: string): Promise<string> {
    const parameters = { DefinitionGroupId: 'ITA', Execute: true, ExecutionId: executionId, LegalEntityId: 'USMF' }
    return (await call('ImportFromPackage', { ...parameters, Overwrite: true, PackageUrl: packageUrl })).value
  }

  it('writes a package in blocks and imports it under the name of its file', async () => {
    const partName = 'ITA_Part1_262605_080000_1'
    const { context, value } = await call('GetAzureWriteUrl', { uniqueFileName: `${partName}.zip` })
    expect(context).toBe(`${url}/data/$metadata#Edm.String`)
    const { BlobUrl } = JSON.parse(value)
    expect(new URL(BlobUrl).pathname).toMatch(/\/ITA_Part1_262605_080000_1\.zip$/)
    // Too large for one block, and to be kept in the row of its message.
    const records = Array.from({ length: 4_000 }, (_, i) => ['usmf', `I${i}`, randomBytes(20).toString('hex')])
    const text = csv(['dataAreaId', 'Name', 'Description'], records)
    await openWrite(BlobUrl, await packageOf('ITA', [{ ...terms(), text }]), 30_000)
    // It throws where another id comes back.
    expect(await importFrom(BlobUrl, partName)).toBe(partName)
    await statusOf(partName)
    expect(await endStatus(url, partName)).toBe('Succeeded')
  })

  it.each([
    { how: 'encoded once more', spell: (link: string) => link.replace(/[^/:?&=]+$/, encodeURIComponent) },
    { how: 'as a whole in percent signs', spell: (link: string) => encodeURIComponent(link) },
    { how: 'decoded', spell: (link: string) => decodeURIComponent(link) },
    { how: 'with the port of its scheme', spell: (link: string) => link.replace(/:\d+\//, ':443/') },
  ])('may name the package by its link $how', async ({ how, spell }) => {
    const executionId = `ITA ${how}`
    const { value } = await call('GetAzureWriteUrl', { uniqueFileName: 'a name + with (all) kinds.zip' })
    const { BlobUrl } = JSON.parse(value)
    await openWrite(BlobUrl, await packageOf('ITA', [terms('ItaSpelt')]), 10_000)
    expect(await importFrom(spell(BlobUrl), executionId)).toBe(executionId)
    expect(await endStatus(url, executionId)).toBe('Succeeded')
  })

  it('asks again while it is told that the execution is not known, by this very sentence', async () => {
    await expect(statusOf('ITA_unheard_of')).rejects.toThrow(
      'Execution details were not found for execution id ITA_unheard_of',
    )
  })

  it('gets the version of the protocol that it speaks', async () => {
    const answer = await callAction(url, 'GetEntitySequence', {}, headers)
    expect(answer.headers['odata-version']).toBe('4.0')
    expect(JSON.parse(valueIn(answer))[0]).toEqual({
      EntityName: expect.any(String),
      TargetEntity: expect.any(String),
      Sequence: 1,
    })
  })
})
