import { inbound } from './001-inbound'
import { projects } from './002-projects'
import { blobs } from './003-blobs'
import { formats } from './004-formats'
import { composites } from './005-composites'
import { retention } from './006-retention'

/** The control tables' migrations in order; a landed one is never edited. */
export const migrations: readonly { readonly name: string; readonly up: string }[] = [
  { name: '001-inbound', up: inbound },
  { name: '002-projects', up: projects },
  { name: '003-blobs', up: blobs },
  { name: '004-formats', up: formats },
  { name: '005-composites', up: composites },
  { name: '006-retention', up: retention },
]
