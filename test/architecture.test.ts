import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'

const root = path.join(__dirname, '..')

/** What each part of the house may import beside itself and `errors`; who composes the parts may import any. */
const directions: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  entities: ['entity'],
  entity: [],
  format: ['entity'],
  platform: [],
  payload: ['entity', 'platform'],
  project: ['entity', 'platform', 'format'],
  execution: ['entity', 'platform', 'payload', 'project'],
  // The steps, which never know of one another.
  source: ['entity', 'platform', 'payload', 'project', 'execution', 'format'],
  staging: ['entity', 'platform', 'payload', 'project', 'execution', 'format'],
  target: ['entity', 'platform', 'payload', 'project', 'execution', 'format'],
  // Their order.
  pipeline: ['platform', 'execution', 'staging', 'target'],
  // What the world asks for, by what the steps export.
  connector: ['entity', 'platform', 'project', 'execution', 'format', 'source', 'staging', 'target', 'pipeline'],
  api: ['entity', 'platform', 'project', 'execution', 'format', 'source', 'staging', 'target', 'pipeline'],
  // A process a file.
  workers: ['run-worker', 'serve'],
}
const composers = ['hub', 'migrate', 'work', 'run-worker', 'serve', 'cli']

/** The one file that imports a library and hands out our words for it. */
const doors: Readonly<Record<string, string>> = {
  '@bull-board/api': 'src/platform/board.ts',
  '@bull-board/fastify': 'src/platform/board.ts',
  '@fastify/helmet': 'src/platform/http.ts',
  '@fastify/swagger': 'src/platform/http.ts',
  '@zip.js/zip.js': 'src/format/package/zip-reader.ts',
  bullmq: 'src/platform/bull.ts',
  commander: 'src/cli/command.ts',
  fastify: 'src/platform/http.ts',
  'iconv-lite': 'src/format/encoding.ts',
  ioredis: 'src/platform/redis.ts',
  knex: 'src/platform/migrate.ts',
  papaparse: 'src/format/delimited-papaparse.ts',
  pg: 'src/platform/database.ts',
  'pg-copy-streams': 'src/platform/database-copy.ts',
  pino: 'src/platform/log.ts',
  'prom-client': 'src/platform/metrics.ts',
  saxes: 'src/format/xml-parser.ts',
  xml2js: 'src/format/package/package-xml.ts',
  yazl: 'src/format/package/zip-writer.ts',
}

interface SourceFile {
  /** From the root, with slashes. */
  readonly name: string
  readonly text: string
  readonly imports: readonly { readonly of: string; readonly isType: boolean }[]
}

/** The TypeScript files of these folders, with what is below them. */
function read(...folders: string[]): SourceFile[] {
  const names = folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((found) =>
      path.join(folder, found),
    ),
  )
  return names
    .filter((name) => name.endsWith('.ts'))
    .map((found) => {
      const text = readFileSync(path.join(root, found), 'utf8')
      return { name: found.split(path.sep).join('/'), text, imports: importsOf(text) }
    })
}

/** As the compiler sees them, so that an import within a text is none. */
function importsOf(text: string): SourceFile['imports'] {
  const { statements } = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest)
  return statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return []
    const { moduleSpecifier } = statement
    if (!moduleSpecifier || !ts.isStringLiteral(moduleSpecifier)) return []
    const isType = ts.isImportDeclaration(statement)
      ? statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
      : statement.isTypeOnly
    return [{ of: moduleSpecifier.text, isType }]
  })
}

/** The part of the house that a file is of: its folder, or itself where it stands alone in src/. */
function partOf(name: string): string {
  const [top = '', second = top] = name.replace(/\.ts$/, '').split('/')
  return top === 'src' ? second : top
}

const files = read('src', 'entities', 'workers')
const tests = read('test')

/** Our own imports of a file, as names of files or folders from the root. */
function ownImports({ name, imports }: SourceFile): string[] {
  return imports.filter(({ of }) => of.startsWith('.')).map(({ of }) => path.posix.join(path.posix.dirname(name), of))
}

/** `pg` of `pg`, `@bull-board/api` of `@bull-board/api/bullMQAdapter`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

describe('the house', () => {
  it('has files to look at', () => {
    expect(files.length).toBeGreaterThan(80)
    expect(tests.length).toBeGreaterThan(20)
  })

  it('imports one way only', () => {
    const wrong = files.flatMap((file) => {
      const part = partOf(file.name)
      if (composers.includes(part)) return []
      const allowed = [part, 'errors', ...(directions[part] ?? [])]
      return ownImports(file)
        .filter((imported) => !allowed.includes(partOf(imported)))
        .map((imported) => `${file.name} imports ${imported}`)
    })
    expect(wrong).toEqual([])
  })

  it('has a place for every part', () => {
    const known = [...Object.keys(directions), ...composers]
    expect(files.map(({ name }) => name).filter((name) => !known.includes(partOf(name)))).toEqual([])
  })

  it('has one door for each library', () => {
    const wrong = files.flatMap(({ name, imports }) =>
      imports
        .filter(({ of }) => !of.startsWith('.') && !of.startsWith('node:'))
        .map(({ of, isType }) => ({ library: packageOf(of), isType }))
        // Who stands beside the door may speak of the library's types.
        .filter(
          ({ library, isType }) => !(isType && path.posix.dirname(doors[library] ?? '') === path.posix.dirname(name)),
        )
        .filter(({ library }) => doors[library] !== name)
        .map(({ library }) => `${name} imports ${library}, whose door is ${doors[library] ?? 'not in the list'}`),
    )
    expect(wrong).toEqual([])
  })

  it('has no door that leads nowhere, and depends on what it imports', () => {
    const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
    for (const [library, door] of Object.entries(doors)) {
      const file = files.find(({ name }) => name === door)
      expect([library, file?.imports.some(({ of }) => packageOf(of) === library)]).toEqual([library, true])
      expect([library, typeof dependencies[library]]).toEqual([library, 'string'])
    }
  })
})

describe('every file', () => {
  /** As `wc -l` counts. */
  const lineCount = ({ text }: SourceFile) => text.split('\n').length - 1

  it('is at most 300 lines long', () => {
    const long = files.filter((file) => lineCount(file) > 300)
    expect(long.map((file) => `${file.name}: ${lineCount(file)} lines`)).toEqual([])
  })

  it('has a type for everything, or says beside it why not', () => {
    const untyped = [...files, ...tests].flatMap(({ name, text }) => {
      const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest)
      const found: string[] = []
      const lines = text.split('\n')
      const visit = (node: ts.Node) => {
        if (node.kind === ts.SyntaxKind.AnyKeyword) {
          const { line } = file.getLineAndCharacterOfPosition(node.pos)
          const isExplained = [lines[line], lines[line - 1]].some((each) => each?.includes('//'))
          if (!isExplained) found.push(`${name}:${line + 1}`)
        }
        ts.forEachChild(node, visit)
      }
      visit(file)
      return found
    })
    expect(untyped).toEqual([])
  })

  it('leaves nothing for later, and no test out', () => {
    // Put together, so that this file does not find itself.
    const marks = new RegExp(['TO' + 'DO', 'FIX' + 'ME', '\\.on' + 'ly\\(', '\\.sk' + 'ip\\('].join('|'))
    const found = [...files, ...tests].filter(({ text }) => marks.test(text)).map(({ name }) => name)
    expect(found).toEqual([])
  })
})
