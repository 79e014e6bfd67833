-- +goose Up
-- proof names what an endpoint is asked, word for word; carried is the run whose proof stands for a new one.
ALTER TABLE target ADD COLUMN proof TEXT NOT NULL DEFAULT '';
ALTER TABLE target ADD COLUMN carried TEXT;
CREATE INDEX target_proof ON target (proof, endpoint, tool) WHERE proof <> '';

DROP VIEW report_coverage;
CREATE VIEW report_coverage AS
SELECT t.run AS run, t.endpoint AS endpoint, t.hostname AS hostname, t.tool AS tool, t.mode AS mode, t.platform AS platform,
  t.state AS state, t.proven AS proven, nullif(t.reason, '') AS reason, t.scope AS scope, t.hashset AS hashset,
  t.files_seen AS files_seen, t.files_hashed AS files_hashed, t.bytes_hashed AS bytes_hashed, t.files_unread AS files_unread,
  t.window_from AS window_from, t.window_to AS window_to, t.answered_at AS answered_at, t.carried AS carried
FROM target t;
