import { BlobRefused } from './blob-error'

/** Where a block of a list is looked for: among the blocks sent since, those of the file, or in this order among both. */
export interface ListedBlock {
  readonly from: 'Uncommitted' | 'Committed' | 'Latest'
  readonly blockId: string
}

/** Azure's own limit. */
export const maxBlocks = 50_000

/** Room for as many blocks with ids as long as they may be. */
export const maxBlockListBytes = 8 * 1024 * 1024

/** 64 bytes in base64. */
const blockId = /^[A-Za-z0-9+/]{1,88}={0,2}$/

/** The id of a block as the query has it: a `+` that was not encoded reads as a space. */
export function checkedBlockId(text: string | undefined): string {
  const id = text?.replaceAll(' ', '+') ?? ''
  if (blockId.test(id) && id.length <= 88) return id
  throw new BlobRefused('InvalidBlobOrBlock', 'The blockid must be base64 of at most 64 bytes')
}

/**
 * Reads `<BlockList><Latest>id</Latest>…</BlockList>`. A reader of its own: ids need no escapes, so that nothing of XML
 * but these elements can be in a list.
 * Throws  BlobRefused InvalidXmlDocument, BlockCountExceedsLimit.
 * Source  Azure Storage REST API, "Put Block List".
 */
export function readBlockList(xml: string): ListedBlock[] {
  const text = blocksOf(xml.replace(/^\ufeff/, '').trim())
  const blocks: ListedBlock[] = []
  const element = /\s*<(Uncommitted|Committed|Latest)>\s*([A-Za-z0-9+/=]{1,88})\s*<\/\1>\s*/y
  while (element.lastIndex < text.length) {
    const found = element.exec(text)
    if (!found) throw notAList()
    blocks.push({ from: found[1] as ListedBlock['from'], blockId: found[2]! }) // the expression has no other names
    if (blocks.length > maxBlocks)
      throw new BlobRefused('BlockCountExceedsLimit', `There are more than ${maxBlocks} blocks`)
  }
  return blocks
}

/** What stands between the tags of the list. */
function blocksOf(xml: string): string {
  const [tag] = /^(?:<\?xml[^>]*\?>\s*)?<BlockList(?:\s[^<>]*|\/)?>/.exec(xml) ?? []
  if (tag === undefined) throw notAList()
  if (tag.endsWith('/>') && tag === xml) return ''
  if (tag.endsWith('/>') || !xml.endsWith(endTag)) throw notAList()
  return xml.slice(tag.length, -endTag.length).trim()
}

const endTag = '</BlockList>'

function notAList(): BlobRefused {
  return new BlobRefused(
    'InvalidXmlDocument',
    'The body is no list of blocks: <BlockList><Latest>id</Latest>…</BlockList>',
  )
}

/** A block as lists of what there is show it. */
export interface BlockReport {
  readonly blockId: string
  readonly bytes: number
}

/** Source  Azure Storage REST API, "Get Block List". */
export function writeBlockList(committed: readonly BlockReport[], uncommitted: readonly BlockReport[]): string {
  const blocks = (of: readonly BlockReport[]) =>
    of.map(({ blockId: id, bytes }) => `<Block><Name>${id}</Name><Size>${bytes}</Size></Block>`).join('')
  return (
    `<?xml version="1.0" encoding="utf-8"?><BlockList><CommittedBlocks>${blocks(committed)}</CommittedBlocks>` +
    `<UncommittedBlocks>${blocks(uncommitted)}</UncommittedBlocks></BlockList>`
  )
}
