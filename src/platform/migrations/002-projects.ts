/**
 * Data projects as a person sets them up, and executions of several entities: what a data package or a project run makes.
 * An execution keeps the settings that it began with, so that changing or overwriting its project does not touch it.
 */
export const projects = `
ALTER TABLE entrepot.data_project
  ADD COLUMN category text NOT NULL DEFAULT 'Integration' CONSTRAINT "a data project has a known category" CHECK (category IN
    ('Project', 'Configuration', 'Integration', 'Other')),
  ADD COLUMN description text NOT NULL DEFAULT '';

ALTER TABLE entrepot.data_project_entity
  ADD COLUMN file                     text,    -- name of its file in a package; null: named after the entity
  ADD COLUMN execution_unit           integer NOT NULL DEFAULT 1,
  ADD COLUMN level_in_unit            integer NOT NULL DEFAULT 1,
  ADD COLUMN sequence_in_level        integer NOT NULL DEFAULT 1,
  ADD COLUMN fail_level_on_error      boolean NOT NULL DEFAULT false,
  ADD COLUMN fail_unit_on_error       boolean NOT NULL DEFAULT false,
  ADD COLUMN truncate_entity_data     boolean NOT NULL DEFAULT false,
  ADD COLUMN run_business_validation  boolean NOT NULL DEFAULT true,
  ADD COLUMN run_business_logic       boolean NOT NULL DEFAULT true,
  ADD COLUMN import_threshold         bigint  CONSTRAINT "an import threshold counts records" CHECK (import_threshold >= 0),
  ADD COLUMN task_count               integer CONSTRAINT "a task count is from 1 to 32" CHECK (task_count BETWEEN 1 AND 32),
  ADD COLUMN filter                   text,    -- export: the records it takes, in the OData filter language
  ADD COLUMN refresh_type             text NOT NULL DEFAULT 'FullPush' CONSTRAINT "a refresh type is known" CHECK (refresh_type IN
    ('FullPush', 'IncrementalPush')),
  ADD COLUMN skip_staging             boolean NOT NULL DEFAULT true,
  ADD COLUMN disabled                 boolean NOT NULL DEFAULT false,
  ADD COLUMN mapping                  jsonb;   -- field by field; null: by name

-- What gives numbers to records whose source has none.
CREATE TABLE entrepot.number_sequence (
  name    text PRIMARY KEY,
  format  text NOT NULL,
  next    bigint NOT NULL DEFAULT 1,
  gapless boolean NOT NULL DEFAULT false
);

-- A message without an entity is a package: its execution has an entity for each of its files.
ALTER TABLE entrepot.message ALTER COLUMN entity DROP NOT NULL, ADD COLUMN project text;

ALTER TABLE entrepot.execution
  ADD COLUMN project text,
  ADD COLUMN mode text NOT NULL DEFAULT 'import' CONSTRAINT "an execution imports, stages or validates" CHECK (mode IN
    ('import', 'stage', 'validate'));
CREATE INDEX execution_project ON entrepot.execution (project, created_at) WHERE project IS NOT NULL;

ALTER TABLE entrepot.execution_entity
  ADD COLUMN source_entry        text,    -- its file in the package; null: the message itself
  ADD COLUMN source_bytes        bigint,  -- the size of that file
  ADD COLUMN source_format       text,    -- name of its source data format; null: the message's
  ADD COLUMN execution_unit      integer, -- null: an entity by itself, which waits for no other
  ADD COLUMN level_in_unit       integer,
  ADD COLUMN sequence_in_level   integer,
  ADD COLUMN fail_level_on_error boolean NOT NULL DEFAULT false,
  ADD COLUMN fail_unit_on_error  boolean NOT NULL DEFAULT false,
  ADD COLUMN mode                text NOT NULL DEFAULT 'import',
  ADD COLUMN settings            jsonb,   -- see EntitySettings; null: none
  ADD COLUMN error               jsonb,
  DROP CONSTRAINT "an execution's entity has a known state",
  ADD CONSTRAINT "an execution's entity has a known state" CHECK (state IN
    ('Staging', 'Promoting', 'Staged', 'Finished', 'Failed', 'Canceled', 'NotRun')),
  DROP CONSTRAINT "a run covers all records or the errors",
  ADD CONSTRAINT "a run covers all records, the errors or selected ones" CHECK (scope IN ('all', 'errors', 'selected'));

DROP VIEW entrepot.execution_entity_status;
CREATE VIEW entrepot.execution_entity_status AS
  SELECT e.*,
    CASE e.state
      WHEN 'Staging' THEN CASE WHEN e.lease_until > now() THEN 'Executing' ELSE 'Waiting' END
      WHEN 'Failed' THEN CASE WHEN e.staging_finished_at IS NULL THEN 'Error' ELSE 'Finished' END
      WHEN 'Canceled' THEN CASE WHEN e.staging_finished_at IS NULL THEN 'Canceled' ELSE 'Finished' END
      WHEN 'NotRun' THEN CASE WHEN e.staging_finished_at IS NULL THEN 'NotRun' ELSE 'Finished' END
      ELSE 'Finished' END AS staging_status,
    CASE e.state
      WHEN 'Staging' THEN 'NotStarted'
      WHEN 'Staged' THEN 'NotStarted'
      WHEN 'NotRun' THEN 'NotRun'
      WHEN 'Promoting' THEN CASE WHEN e.lease_until > now() THEN 'Executing' ELSE 'Waiting' END
      WHEN 'Finished' THEN CASE WHEN e.records_in_error > 0 THEN 'Error' ELSE 'Finished' END
      WHEN 'Failed' THEN CASE WHEN e.staging_finished_at IS NULL THEN 'NotRun' ELSE 'Error' END
      ELSE 'Canceled' END AS target_status,
    (SELECT count(DISTINCT record_number) FROM entrepot.record_error r
      WHERE r.execution_entity = e.id AND r.step = 'stage') AS staging_errors
  FROM entrepot.execution_entity e;

DROP VIEW entrepot.message_status;
CREATE VIEW entrepot.message_status AS
  SELECT m.*,
    CASE WHEN m.state <> 'Enqueued' THEN m.state ELSE (
      SELECT CASE WHEN bool_or(e.state IN ('Promoting', 'Finished')) THEN 'Processing' WHEN bool_or(e.epoch > 0) THEN 'PreProcessing'
        ELSE 'Enqueued' END
      FROM entrepot.execution x JOIN entrepot.execution_entity e ON e.execution_id = x.id
      WHERE x.message_id = m.id AND x.state = 'NotRun') END AS status
  FROM entrepot.message m;

DROP VIEW entrepot.execution_status;
CREATE VIEW entrepot.execution_status AS
  SELECT x.*,
    CASE WHEN x.state = 'NotRun' AND EXISTS (
      SELECT FROM entrepot.execution_entity e WHERE e.execution_id = x.id AND e.epoch > 0) THEN 'Executing'
      ELSE x.state END AS status
  FROM entrepot.execution x;
`
