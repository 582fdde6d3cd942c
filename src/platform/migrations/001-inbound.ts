/**
 * The control tables of inbound work: activities, messages, executions, staged records' errors.
 * A message, its execution and the execution's entities are written by one statement; between them there are no foreign
 * keys, whose checks row by row would cost a sixth of a small message.
 * Rules are constraints first; their names are sentences, so that a violation explains itself.
 */
export const inbound = `
CREATE SCHEMA IF NOT EXISTS staging;
CREATE SCHEMA IF NOT EXISTS target;

-- What this database was last brought to, so that a start needs one query to know that there is nothing to do.
CREATE TABLE entrepot.shape (
  is_only     boolean PRIMARY KEY DEFAULT true CONSTRAINT "there is one shape" CHECK (is_only),
  fingerprint text NOT NULL
);

-- A data project: which entities are imported or exported together.
CREATE TABLE entrepot.data_project (
  name       text PRIMARY KEY,
  operation  text NOT NULL CONSTRAINT "a data project imports or exports" CHECK (operation IN ('Import', 'Export')),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE entrepot.data_project_entity (
  project       text NOT NULL REFERENCES entrepot.data_project ON DELETE CASCADE,
  entity        text NOT NULL,
  source_format text, -- name of a source data format; null: detected
  PRIMARY KEY (project, entity)
);

-- A recurring channel of a project, named by a GUID.
CREATE TABLE entrepot.activity (
  id         uuid PRIMARY KEY,
  name       text NOT NULL CONSTRAINT "an activity has a name of its own" UNIQUE,
  project    text NOT NULL REFERENCES entrepot.data_project,
  ordered    boolean NOT NULL DEFAULT false,
  strict     boolean NOT NULL DEFAULT false,
  enabled    boolean NOT NULL DEFAULT true,
  company    text,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- One file as received. Its bytes never change; small ones stand in the row, larger ones where payload_location says.
CREATE TABLE entrepot.message (
  id               uuid PRIMARY KEY,
  seq              bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT "messages have an order" UNIQUE,
  activity_id      uuid,
  entity           text NOT NULL,
  company          text,
  source_format    text,
  external_id      text,
  origin           text NOT NULL,
  idempotency_key  text,
  bytes            bigint NOT NULL,
  sha256           bytea NOT NULL,
  payload          bytea,
  payload_location text,
  state            text NOT NULL DEFAULT 'Enqueued' CONSTRAINT "a message has a known state" CHECK (state IN
    ('Enqueued', 'Processed', 'ProcessedWithErrors', 'PreProcessingError', 'PostProcessingError', 'Canceled')),
  blocks           boolean NOT NULL DEFAULT false, -- of an ordered activity, and its successors must wait
  error            jsonb,
  received_at      timestamptz NOT NULL DEFAULT now(),
  finished_at      timestamptz
);
ALTER TABLE entrepot.message ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX "an idempotency key names one message of an activity" ON entrepot.message (activity_id, idempotency_key)
  NULLS NOT DISTINCT WHERE idempotency_key IS NOT NULL;
CREATE INDEX message_blocks ON entrepot.message (activity_id, seq) WHERE blocks;

-- Bytes of messages kept in the database, in pieces.
CREATE TABLE entrepot.payload_chunk (
  location text NOT NULL,
  position integer NOT NULL,
  bytes    bytea NOT NULL,
  PRIMARY KEY (location, position)
);
ALTER TABLE entrepot.payload_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- One run of a message.
CREATE TABLE entrepot.execution (
  id          text PRIMARY KEY,
  message_id  uuid NOT NULL,
  state       text NOT NULL DEFAULT 'NotRun' CONSTRAINT "an execution has a known state" CHECK (state IN
    ('NotRun', 'Succeeded', 'PartiallySucceeded', 'Failed', 'Canceled')),
  created_at  timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);
CREATE INDEX execution_message ON entrepot.execution (message_id);

-- The run of one entity: the unit of work. Its state is the outbox: what is due is read off here.
CREATE TABLE entrepot.execution_entity (
  id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  execution_id     text NOT NULL,
  message_seq      bigint NOT NULL,
  ordered_activity uuid,                       -- set where messages wait for their predecessors
  entity           text NOT NULL,
  small            boolean NOT NULL,           -- handled together with other small ones
  state            text NOT NULL DEFAULT 'Staging' CONSTRAINT "an execution's entity has a known state" CHECK (state IN
    ('Staging', 'Promoting', 'Finished', 'Failed', 'Canceled')),
  -- the claim
  epoch            integer NOT NULL DEFAULT 0, -- goes up with every claim; a write with an old epoch is refused
  lease_until      timestamptz,
  attempts         integer NOT NULL DEFAULT 0, -- claims without progress
  due_at           timestamptz NOT NULL DEFAULT now(),
  -- the positions, written together with the rows that they stand for
  staged_records   bigint NOT NULL DEFAULT 0,
  staging_table    text,                       -- a table of its own in schema staging; null: the entity's shared one
  columns          text[],                     -- the entity's columns that the source gives
  source_columns   text[],                     -- the header of the file as it came
  sparse           boolean NOT NULL DEFAULT false, -- records may leave out columns (XML)
  repeats          bigint[],                   -- records whose key occurred before, as reading found; null: unknown
  scope            text NOT NULL DEFAULT 'all' CONSTRAINT "a run covers all records or the errors" CHECK (scope IN ('all', 'errors')),
  checked          boolean NOT NULL DEFAULT false,
  promoted_chunks  integer[] NOT NULL DEFAULT '{}',
  -- the account
  records_read       bigint NOT NULL DEFAULT 0,
  records_inserted   bigint NOT NULL DEFAULT 0,
  records_updated    bigint NOT NULL DEFAULT 0,
  records_unchanged  bigint NOT NULL DEFAULT 0,
  records_superseded bigint NOT NULL DEFAULT 0,
  records_in_error   bigint NOT NULL DEFAULT 0,
  staging_started_at   timestamptz,
  staging_finished_at  timestamptz,
  target_started_at    timestamptz,
  target_finished_at   timestamptz,
  CONSTRAINT "an execution has an entity once" UNIQUE (execution_id, entity),
  CONSTRAINT "a finished entity accounts for every record" CHECK (state <> 'Finished' OR records_read =
    records_inserted + records_updated + records_unchanged + records_superseded + records_in_error)
) WITH (fillfactor = 70);
CREATE INDEX execution_entity_due ON entrepot.execution_entity (state, id) WHERE state IN ('Staging', 'Promoting');

-- What is wrong with a staged record: a row an error.
CREATE TABLE entrepot.record_error (
  execution_entity bigint NOT NULL,
  record_number    bigint NOT NULL,
  line             bigint,
  step             text NOT NULL, -- stage or promote
  code             text NOT NULL,
  field            text,
  value            text,
  reason           text NOT NULL
);
CREATE INDEX record_error_record ON entrepot.record_error (execution_entity, record_number);

-- What else there is to know of an execution, such as columns that were ignored.
CREATE TABLE entrepot.execution_log (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  execution_id text NOT NULL,
  at           timestamptz NOT NULL DEFAULT now(),
  code         text,
  text         text NOT NULL
);
CREATE INDEX execution_log_execution ON entrepot.execution_log (execution_id, id);

-- The states as Dynamics 365 names them while work is under way.
CREATE VIEW entrepot.execution_entity_status AS
  SELECT e.*,
    CASE e.state
      WHEN 'Staging' THEN CASE WHEN e.lease_until > now() THEN 'Executing' ELSE 'Waiting' END
      WHEN 'Failed' THEN CASE WHEN e.staging_finished_at IS NULL THEN 'Error' ELSE 'Finished' END
      WHEN 'Canceled' THEN CASE WHEN e.staging_finished_at IS NULL THEN 'Canceled' ELSE 'Finished' END
      ELSE 'Finished' END AS staging_status,
    CASE e.state
      WHEN 'Staging' THEN 'NotStarted'
      WHEN 'Promoting' THEN CASE WHEN e.lease_until > now() THEN 'Executing' ELSE 'Waiting' END
      WHEN 'Finished' THEN CASE WHEN e.records_in_error > 0 THEN 'Error' ELSE 'Finished' END
      WHEN 'Failed' THEN CASE WHEN e.staging_finished_at IS NULL THEN 'NotRun' ELSE 'Error' END
      ELSE 'Canceled' END AS target_status,
    (SELECT count(DISTINCT record_number) FROM entrepot.record_error r
      WHERE r.execution_entity = e.id AND r.step = 'stage') AS staging_errors
  FROM entrepot.execution_entity e;

-- Subqueries instead of joins, so that a page of messages costs a page, however many there are.
CREATE VIEW entrepot.message_status AS
  SELECT m.*,
    CASE WHEN m.state <> 'Enqueued' THEN m.state ELSE (
      SELECT CASE WHEN bool_or(e.state = 'Promoting') THEN 'Processing' WHEN bool_or(e.epoch > 0) THEN 'PreProcessing'
        ELSE 'Enqueued' END
      FROM entrepot.execution x JOIN entrepot.execution_entity e ON e.execution_id = x.id
      WHERE x.message_id = m.id AND x.state = 'NotRun') END AS status
  FROM entrepot.message m;

CREATE VIEW entrepot.execution_status AS
  SELECT x.*,
    CASE WHEN x.state = 'NotRun' AND EXISTS (
      SELECT FROM entrepot.execution_entity e WHERE e.execution_id = x.id AND e.epoch > 0) THEN 'Executing'
      ELSE x.state END AS status
  FROM entrepot.execution x;
`
