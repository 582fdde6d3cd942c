import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { SetupFault } from '../../src/errors'
import { readConfig, settings } from '../../src/platform/config'

const problemsOf = (env: NodeJS.ProcessEnv): string => {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof SetupFault && error.code === 'ES101') return error.message
    throw error
  }
  return ''
}

describe('readConfig', () => {
  it('needs nothing: embedded, on loopback, payloads in files', () => {
    const config = readConfig({})
    expect(config).toMatchObject({ databaseUrl: undefined, redisUrl: undefined, host: '127.0.0.1', port: 4400 })
    expect(config.payloadStore).toEqual({ kind: 'file', folder: path.resolve('.entrepot/payloads') })
  })

  it('keeps payloads in the database when there is one, unless told otherwise', () => {
    const env = { DATABASE_URL: 'postgres://u:p@host/db' }
    expect(readConfig(env).payloadStore).toEqual({ kind: 'postgres' })
    const files = readConfig({ ...env, PAYLOAD_STORE: 'file:/srv/payloads' }).payloadStore
    expect(files).toEqual({ kind: 'file', folder: '/srv/payloads' })
  })

  it('lists all problems at once, by the names of the variables', () => {
    const problems = problemsOf({ PORT: '99999', LEASE_SECONDS: '0', LOG_LEVEL: 'loud', PAYLOAD_STORE: 's3' })
    for (const name of ['PORT', 'LEASE_SECONDS', 'LOG_LEVEL', 'PAYLOAD_STORE']) expect(problems).toContain(name)
  })

  it('refuses to listen where others could reach it', () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.2', 'example.org']) {
      expect(problemsOf({ HOST: host })).toContain('HOST')
    }
    for (const host of ['127.0.0.1', '::1', 'localhost']) expect(problemsOf({ HOST: host })).toBe('')
  })

  it('never repeats a wrong URL, which may hold a password', () => {
    const problems = problemsOf({ DATABASE_URL: 'mysql://user:secret@host/db', REDIS_URL: 'secret' })
    expect(problems).toContain('DATABASE_URL')
    expect(problems).toContain('REDIS_URL')
    expect(problems).not.toContain('secret')
  })

  it('takes the default for a variable that is set but empty', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: ' ' })).toMatchObject({ port: 4400, databaseUrl: undefined })
  })

  it('keeps things for a week, and cleans up at any hour, unless told otherwise', () => {
    const week = { payloadRetentionDays: 7, stagingRetentionDays: 7, historyRetentionDays: 7 }
    expect(readConfig({})).toMatchObject({ ...week, cleanHours: '0-24' })
    expect(readConfig({ HISTORY_RETENTION_DAYS: '0' }).historyRetentionDays).toBe(0)
    expect(readConfig({ CLEAN_HOURS: '22-6' }).cleanHours).toEqual('22-6')
    for (const hours of ['24-6', '6-25', '6-6', '6', 'night', '6-']) {
      expect(problemsOf({ CLEAN_HOURS: hours })).toContain('CLEAN_HOURS')
    }
  })

  it('has a default for every variable that its own parser takes', () => {
    for (const { name, defaultText } of Object.values(settings)) expect(problemsOf({ [name]: defaultText })).toBe('')
  })

  it('has values that are read again as they are written, by which a worker process gets its settings', () => {
    for (const { parse, defaultText } of Object.values(settings)) {
      const value = parse(defaultText)
      if (value !== undefined) expect(parse(String(value))).toEqual(value)
    }
  })

  describe('with secrets in files', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'entrepot-config-'))
    const file = path.join(folder, 'url')
    afterAll(() => rmSync(folder, { recursive: true }))

    it('reads them', () => {
      writeFileSync(file, 'postgres://u:p@host/db\n')
      expect(readConfig({ DATABASE_URL_FILE: file }).databaseUrl).toBe('postgres://u:p@host/db')
    })

    it('refuses both forms together, and a file that is not there', () => {
      expect(problemsOf({ DATABASE_URL_FILE: file, DATABASE_URL: 'postgres://a/b' })).toContain('both set')
      expect(problemsOf({ REDIS_URL_FILE: path.join(folder, 'none') })).toContain('REDIS_URL_FILE')
    })
  })
})
