import { openHub } from '../../src/hub'
import { readConfig } from '../../src/platform/config'
import { openLifecycle } from '../../src/platform/lifecycle'
import { receive } from '../../src/source/receive'

/** Receives one file as a process of its own; its arguments are entity, idempotency key and size in bytes. */
async function main([entity = '', idempotencyKey = '', bytes = '']: readonly string[]): Promise<void> {
  const lifecycle = openLifecycle()
  const hub = await openHub(readConfig(), lifecycle, 'receiver')
  const head = 'Name,Description\nX1,'
  const file = `${head}${'x'.repeat(Number(bytes) - head.length)}`
  await receive(hub, { origin: 'cli', entity, idempotencyKey }, inOnePiece(file))
  await lifecycle.shutdown('received')
}

async function* inOnePiece(file: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(file)
}

void main(process.argv.slice(2))
