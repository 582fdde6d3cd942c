import { Agent, request } from 'node:http'
import { messageText } from './message-set'

/** What the client prints: how the door answered. */
export interface ClientResult {
  /** Time of the first request and of the last answer, in milliseconds since 1970. */
  readonly startedAt: number
  readonly endedAt: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Sends messages 1 to `count` to the door, so many at a time: `node message-client.js URL COUNT CONCURRENCY`. */
async function sendAll(url: string, count: number, concurrency: number): Promise<ClientResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const latencies: number[] = []
  let next = 1
  const lane = async () => {
    for (let number = next++; number <= count; number = next++) {
      const startedAt = performance.now()
      await post(agent, url, messageText(number))
      latencies.push(performance.now() - startedAt)
    }
  }
  const startedAt = Date.now()
  await Promise.all(Array.from({ length: concurrency }, lane))
  const endedAt = Date.now()
  agent.destroy()
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]!
  return { startedAt, endedAt, p50Ms: at(0.5), p99Ms: at(0.99) }
}

function post(agent: Agent, url: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'text/csv', 'content-length': Buffer.byteLength(text) }
    const sent = request(url, { method: 'POST', agent, headers }, (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (piece: string) => {
        body += piece
      })
      answer.once('end', () => {
        if (answer.statusCode === 200) resolve()
        else reject(new Error(`The door answered ${answer.statusCode}: ${body.slice(0, 500)}`))
      })
    })
    sent.once('error', reject)
    sent.end(text)
  })
}

if (require.main === module) {
  const [url = '', count, concurrency] = process.argv.slice(2)
  void sendAll(url, Number(count), Number(concurrency)).then((result) => process.stdout.write(JSON.stringify(result)))
}
