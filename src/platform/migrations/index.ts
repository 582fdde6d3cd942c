import { inbound } from './001-inbound'
import { blobs } from './003-blobs'

/** The control tables' migrations in order; a landed one is never edited. */
export const migrations: readonly { readonly name: string; readonly up: string }[] = [
  { name: '001-inbound', up: inbound },
  { name: '003-blobs', up: blobs },
]
