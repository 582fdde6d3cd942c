import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { program } from '../src/cli'
import { errorCodes } from '../src/errors'
import { settings } from '../src/platform/config'

const root = path.join(__dirname, '..')
const file = path.join(root, 'README.md')
let readme = readFileSync(file, 'utf8')

/** A cell of a Markdown table, in which the bar would end it and <…> would be taken for HTML. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '\\<')
}

function tableOf(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(titles), `|${titles.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

/** A table without the padding that the formatter gives it. */
function unpadded(table: string): string {
  return table.replace(/ +/g, ' ').replace(/\| ?-+ ?(?=\|)/g, '|---')
}

const tables = {
  settings: tableOf(
    ['Variable', 'Default', 'Unit', 'Meaning'],
    Object.values<{ name: string; defaultText: string; unit: string; meaning: string; secret?: boolean }>(settings).map(
      ({ name, defaultText, unit, meaning, secret }) => [
        `\`${name}\`${secret ? ' ¹' : ''}`,
        defaultText === '' ? '' : `\`${defaultText}\``,
        cell(unit),
        cell(meaning),
      ],
    ),
  ),
  'error codes': tableOf(
    ['Code', 'Means', 'What to do'],
    Object.entries(errorCodes).map(([code, { means, hint }]) => [code, cell(means), cell(hint)]),
  ),
}

/** The part of the README between the marks of this name, marks left out. */
function marked(name: string): { from: number; to: number } {
  const from = readme.indexOf('-->\n', readme.indexOf(`<!-- ${name}:`)) + '-->\n'.length
  return { from, to: readme.indexOf(`<!-- /${name} -->`) }
}

/** Blocks of code in these languages, a line each, without comments; a line that ends in a backslash goes on. */
function linesOfCode(...languages: string[]): string[] {
  const blocks = [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)].filter(([, language]) =>
    languages.includes(language!),
  )
  return blocks
    .flatMap(([, , text]) => text!.replaceAll(/\\\n\s*/g, '').split('\n'))
    .map((line) => line.replace(/\s#.*/, '').trim())
}

/** The commands in blocks of code, in `code` within sentences, and at the end of the hints of errors. */
function commands(): string[] {
  const inline = [...readme.matchAll(/`(entrepot [^`]+)`/g)].map(([, text]) => text!)
  const hints = Object.values(errorCodes).flatMap(({ hint }) => /entrepot [a-z ]+$/.exec(hint)?.[0] ?? [])
  return [...linesOfCode('sh'), ...inline, ...hints]
    .filter((line) => line.startsWith('entrepot '))
    .map((line) => line.split(' > ')[0]!.trim())
}

describe('the README', () => {
  it.each(Object.entries(tables))('has the table of %s as the code has them', (name, expected) => {
    const { from, to } = marked(name)
    if (process.env.UPDATE_README) {
      readme = `${readme.slice(0, from)}${expected}\n${readme.slice(to)}`
      writeFileSync(file, readme)
      return
    }
    expect(unpadded(readme.slice(from, to).trim())).toBe(unpadded(expected))
  })

  it('shows no table that the code does not know', () => {
    const names = [...readme.matchAll(/^<!-- \/(.*) -->$/gm)].map(([, name]) => name)
    expect(names.sort()).toEqual(Object.keys(tables).sort())
  })

  it.each(commands())('shows the command "%s" as the program knows it', (line) => {
    const words = line.match(/"[^"]*"|\S+/g)!.slice(1)
    let command = program()
    while (words[0] !== undefined && command.commands.length > 0) {
      const word = words.shift()
      const known = command.commands.find((each) => each.name() === word)
      expect(known?.name()).toBe(word)
      command = known!
    }
    const { operands, unknown } = command.parseOptions(words)
    expect(unknown).toEqual([])
    // A sentence may name a command alone.
    const least = words.length === 0 ? 0 : command.registeredArguments.filter(({ required }) => required).length
    expect(operands.length).toBeGreaterThanOrEqual(least)
    const takesAny = command.registeredArguments.at(-1)?.variadic ?? false
    expect(operands.length).toBeLessThanOrEqual(takesAny ? operands.length : command.registeredArguments.length)
  })

  it('names npm scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
    const named = [...readme.matchAll(/npm (?:run )?(\w+)/g)]
      .map(([, name]) => name!)
      .filter((name) => !['ci', 'link', 'run'].includes(name))
    expect(named).toContain('demo')
    for (const name of named) expect([name, typeof scripts[name]]).toEqual([name, 'string'])
  })

  it('names the queue and the prefix that producers must use', () => {
    expect(readme).toContain(`new Queue('inbound', {`)
    expect(readme).toContain(`prefix: '${settings.queuePrefix.defaultText}'`)
  })

  it('lays out folders and files that there are', () => {
    const layout = linesOfCode('').filter((line) => /^(?:entities|src|workers|test)\//.test(line))
    expect(layout.length).toBeGreaterThan(10)
    for (const line of layout) expect([line, existsSync(path.join(root, line.split(' ')[0]!))]).toEqual([line, true])
  })
})
