/**
 * What cleaning up needs to find what is old without reading what is new. The indexes are on columns that never change:
 * one on `finished_at` would make every end of a message write to all indexes of its table.
 */
export const retention = `
-- Which messages came before a moment.
CREATE INDEX message_received ON entrepot.message (received_at);
-- Messages whose bytes are still there, and, of those, which one has the payload.
CREATE INDEX message_bytes ON entrepot.message (seq) WHERE (payload IS NOT NULL OR payload_location IS NOT NULL) AND bytes > 0;
CREATE INDEX IF NOT EXISTS message_payload ON entrepot.message (payload_location) WHERE payload_location IS NOT NULL;

ALTER TABLE entrepot.execution_entity ADD COLUMN staging_removed_at timestamptz; -- null: its staged records are there
CREATE INDEX execution_entity_staged ON entrepot.execution_entity (message_seq, id) WHERE staging_removed_at IS NULL;

-- When a chunk was written: payloads that nothing refers to are removed only when they are old.
ALTER TABLE entrepot.payload_chunk ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE entrepot.payload_chunk ALTER COLUMN created_at SET DEFAULT clock_timestamp();
CREATE INDEX payload_chunk_first ON entrepot.payload_chunk (location, created_at) WHERE position = 0;
`
