import { existsSync } from 'node:fs'
import { cliPlace } from './run-cli'

describe('entrepot demo', () => {
  it('shows the whole way in a folder of its own, whatever is configured, and leaves nothing behind', async () => {
    // A database that is not there: the demonstration must not go near it.
    const cli = cliPlace({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' })
    const { code, stdout, stderr } = await cli.run(['demo'])
    cli.remove()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/customers\.csv +Customers V3 +2,000 +1,997 +0 +0 +3/)
    expect(stdout).toMatch(/order-lines\.csv .*15,000 +14,995 +0 +0 +5/)
    expect(stdout).toContain('ER204  record 417, line 418, CreditLimit = 12.500,00')
    expect(stdout).toContain('1 more inserted, 2 still wait to be corrected')
    const [, home] = /a demonstration in (\S+)/.exec(stdout) ?? []
    expect(home).toBeDefined()
    expect(existsSync(home!)).toBe(false)
  })
})
