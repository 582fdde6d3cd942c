import type { Entity } from '../entity'
import { copyText } from '../entity/field-bytes'
import { quoteIdentifier } from '../entity/names'
import type { RecordError } from '../execution/record-error'
import type { Transaction } from '../platform/database'
import type { CopyIn } from '../platform/database-copy'

/** COPY statement whose rows `RecordEncoder` writes. */
export function copyStaging(entity: Entity, table: string): string {
  const names = entity.columns.map(({ name }) => quoteIdentifier(name))
  return `COPY ${table} (_execution_entity, _record_number, _line, _state, _raw, ${names.join(', ')}) FROM STDIN`
}

/** Writes the errors of staged records. */
export async function copyErrors(
  tx: Transaction,
  errors: readonly (RecordError & { executionEntityId: number })[],
): Promise<void> {
  if (errors.length === 0) return
  const copy = tx.copyIn(
    'COPY entrepot.record_error (execution_entity, record_number, line, step, code, field, value, reason, entity) FROM STDIN',
  )
  for (let from = 0; from < errors.length; from += errorsPerWrite) {
    const rows = errors
      .slice(from, from + errorsPerWrite)
      .map(({ executionEntityId, recordNumber, line, code, field, value, reason, entity = null }) =>
        copyRow([executionEntityId, recordNumber, line, 'stage', code, field, value, reason, entity]),
      )
    await copy.write(Buffer.from(rows.join('')))
  }
  await copy.end()
}
/** About 100 KB a write. */
const errorsPerWrite = 1_000

function copyRow(values: readonly (string | number | null)[]): string {
  return `${values.map(copyValue).join('\t')}\n`
}

function copyValue(value: string | number | null): string {
  if (value === null) return '\\N'
  if (typeof value === 'number') return String(value)
  return copyText(value).toString()
}

/** Sends encoded rows while the next ones are being encoded. */
export class RowSender {
  private sending: Promise<void> = Promise.resolve()
  constructor(private readonly copy: CopyIn) {}

  /** Waits for the rows before these to be taken, then sends these. */
  async send(rows: Buffer): Promise<void> {
    await this.sending
    if (rows.length > 0) this.sending = this.copy.write(rows)
    // The failure of a write is thrown by the next call; until then nobody waits for it.
    this.sending.catch(() => undefined)
  }

  /** Waits for all rows to be taken. */
  async finish(): Promise<void> {
    await this.sending
    await this.copy.end()
  }
}
