/**
 * Files that are uploaded and downloaded by signed links. Their bytes lie in the payload store; a row refers to bytes only
 * once they are durable there.
 */
export const blobs = `
-- What all processes know and nobody else does, such as the key that links are signed with.
CREATE TABLE entrepot.secret (
  name  text PRIMARY KEY,
  value bytea NOT NULL
);

-- One file. Until bytes are first put there is only its name; later ones replace them.
CREATE TABLE entrepot.blob (
  id               uuid PRIMARY KEY,
  name             text NOT NULL,
  content_type     text NOT NULL,
  bytes            bigint, -- null: nothing was put yet
  sha256           bytea,
  md5              bytea,
  etag             text,   -- another one with every change
  payload_location text,   -- null where there are no bytes to keep
  blocks           jsonb NOT NULL DEFAULT '[]', -- [id, bytes] of each block that the bytes were put together from, in order
  taken_at         timestamptz, -- when a message took the bytes over; they are no longer ours alone then
  created_at       timestamptz NOT NULL DEFAULT now(),
  modified_at      timestamptz NOT NULL DEFAULT now(),
  expires_at       timestamptz NOT NULL,
  CONSTRAINT "a blob has all of its bytes or nothing" CHECK (num_nulls(bytes, sha256, md5, etag) IN (0, 4)),
  CONSTRAINT "a blob's bytes lie somewhere" CHECK ((coalesce(bytes, 0) > 0) = (payload_location IS NOT NULL))
);
CREATE INDEX blob_expires ON entrepot.blob (expires_at);

-- A block that was sent and is not part of its blob yet.
CREATE TABLE entrepot.blob_block (
  blob_id          uuid NOT NULL REFERENCES entrepot.blob,
  block_id         text NOT NULL, -- base64, as the client made it up
  bytes            bigint NOT NULL CONSTRAINT "a block has bytes" CHECK (bytes > 0),
  md5              bytea NOT NULL,
  payload_location text NOT NULL,
  PRIMARY KEY (blob_id, block_id)
);

-- Bytes may go only when no message has them.
CREATE INDEX message_payload ON entrepot.message (payload_location) WHERE payload_location IS NOT NULL;
`
