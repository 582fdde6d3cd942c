import fc from 'fast-check'
import { bareId, connectorUrl } from '../../src/connector/connector-url'

const id = '0b9d0e3b-4f1c-4d0e-9c3b-2a6a8e1f7c55'

describe('connectorUrl', () => {
  it('gives any text that .NET writes as %uXXXX back in UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        const escaped = Array.from(
          { length: text.length },
          (_, i) => `%u${text.charCodeAt(i).toString(16).padStart(4, '0')}`,
        )
        const url = connectorUrl(`/api/connector/enqueue/${id}?entity=${escaped.join('')}`)
        expect(new URL(url, 'http://localhost').searchParams.get('entity')).toBe(text)
      }),
    )
  })

  it('makes half a surrogate pair a replacement character', () => {
    expect(connectorUrl(`/api/connector/enqueue/${id}?entity=%ud83d`)).toMatch(/entity=%EF%BF%BD$/)
  })

  it('leaves other URLs as they are', () => {
    const others = [
      '/',
      '/api/v1/messages?Limit=%u0041',
      '/eng/api/connector/enqueue/x?JOBID=1',
      `/x/api/connector/enqueue/${id}`,
    ]
    for (const url of others) expect(connectorUrl(url)).toBe(url)
    fc.assert(fc.property(fc.webPath(), (path) => connectorUrl(`/x${path}`) === `/x${path}`))
  })

  it('keeps values as they were sent', () => {
    expect(connectorUrl(`/en-us/api/connector/enqueue/${id}?Entity=a+b%20c=d&other=%zz`)).toBe(
      `/api/connector/enqueue/${id}?entity=a+b%20c=d&other=%zz`,
    )
  })
})

it('strips braces and quotes off an id', () => {
  for (const text of [id, `{${id}}`, `"${id}"`, `"{${id}}"`, ` ${id} `]) expect(bareId(text)).toBe(id)
})
