import { inbound } from './001-inbound'
import { projects } from './002-projects'
import { composites } from './005-composites'

/** The control tables' migrations in order; a landed one is never edited. */
export const migrations: readonly { readonly name: string; readonly up: string }[] = [
  { name: '001-inbound', up: inbound },
  { name: '002-projects', up: projects },
  { name: '005-composites', up: composites },
]
