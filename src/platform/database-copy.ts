import type { Socket } from 'node:net'
import type { ClientBase } from 'pg'
import { type CopyStreamQuery, from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { databaseError } from './database-errors'

/** A running `COPY … FROM STDIN`. */
export interface CopyIn {
  /**
   * Sends bytes of COPY's format, cut anywhere. Resolves when the operating system has taken them, so that the caller
   * goes as fast as the server and may use the buffer again.
   * Throws  as `end` does, as soon as the server's refusal is known.
   */
  write(bytes: Buffer): Promise<void>
  /** Ends the data and gives the number of rows. Throws what Postgres found wrong, or Unavailable ES102. */
  end(): Promise<number>
  /** Gives up: nothing of this COPY stays, and the transaction can only roll back. Never throws. */
  abort(reason: string): Promise<void>
}

/** Starts a `COPY … FROM STDIN` on a connection that has no other statement running. */
export function openCopyIn(client: ClientBase, sql: string): CopyIn {
  const stream = client.query(copyFrom(sql))
  let failure: Error | undefined
  const waiting = new Set<(error: Error) => void>()
  // The library reports a refused COPY as an event only, and then never calls back: whoever waits is told here.
  stream.on('error', (error) => {
    failure ??= error
    for (const reject of waiting) reject(failure)
    waiting.clear()
  })

  const orFailure = (start: (done: () => void) => void): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      if (failure) return reject(failure)
      waiting.add(reject)
      start(() => {
        waiting.delete(reject)
        resolve()
      })
    }).catch((error) => {
      throw databaseError(error)
    })

  return {
    write: (bytes) => orFailure((done) => stream.write(bytes, (error) => error ?? whenSent(stream, done))),
    async end() {
      await orFailure((done) => stream.end(done))
      return stream.rowCount
    },
    abort(reason) {
      if (failure || stream.closed) return Promise.resolve()
      return new Promise((resolve) => {
        stream.once('close', resolve)
        stream.destroy(new Error(reason))
      })
    },
  }
}

/** Calls back when the socket holds no more bytes of ours. */
function whenSent(stream: CopyStreamQuery, done: () => void): void {
  // The types hide the connection that pg hands to each query it submits; it is gone again once the query has ended.
  const socket = (stream as unknown as { connection: { stream: Socket } | null }).connection?.stream
  if (!socket || socket.writableLength === 0) done()
  else socket.write('', () => done())
}

/**
 * Reads a `COPY … TO STDOUT` as the server sends it.
 * `onLeftEarly` is called when the reader stops before the end: what is left blocks the connection for good.
 */
export async function* readCopyOut(client: ClientBase, sql: string, onLeftEarly: () => void): AsyncGenerator<Buffer> {
  const stream = client.query(copyTo(sql))
  let ended = false
  try {
    yield* stream as AsyncIterable<Buffer>
    ended = true
  } catch (error) {
    ended = true
    throw databaseError(error)
  } finally {
    if (!ended) onLeftEarly()
  }
}
