-- +goose Up
CREATE TABLE run (
  id TEXT PRIMARY KEY,
  hunt TEXT NOT NULL,
  title TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL,
  started_at TEXT NOT NULL,
  finished_at TEXT,
  exit_code INTEGER,
  tlp TEXT NOT NULL DEFAULT '',
  case_id TEXT NOT NULL DEFAULT '',
  scope TEXT NOT NULL DEFAULT '',
  done_when REAL NOT NULL DEFAULT 1,
  definition TEXT NOT NULL,
  pivot_complete INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX run_started ON run (started_at);

CREATE TABLE run_pivot (
  run TEXT PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
  seeds TEXT NOT NULL,
  files TEXT NOT NULL,
  reports TEXT NOT NULL,
  skipped TEXT NOT NULL,
  cut TEXT NOT NULL
) STRICT;

CREATE TABLE run_edge (
  run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  from_kind TEXT NOT NULL,
  from_value TEXT NOT NULL,
  to_kind TEXT NOT NULL,
  to_value TEXT NOT NULL,
  relation TEXT NOT NULL,
  provider TEXT NOT NULL,
  report TEXT NOT NULL,
  confidence INTEGER NOT NULL,
  time TEXT,
  raw TEXT NOT NULL,
  tlp TEXT NOT NULL,
  PRIMARY KEY (run, seq)
) STRICT;
CREATE INDEX run_edge_to ON run_edge (to_value);

CREATE TABLE run_indicator (
  run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  tool TEXT,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  relation TEXT NOT NULL,
  provider TEXT NOT NULL,
  report TEXT NOT NULL,
  confidence INTEGER NOT NULL,
  sibling TEXT NOT NULL,
  PRIMARY KEY (run, seq)
) STRICT;
CREATE INDEX run_indicator_value ON run_indicator (value);

CREATE TABLE target (
  run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  endpoint TEXT NOT NULL,
  hostname TEXT NOT NULL,
  tool TEXT NOT NULL,
  mode TEXT NOT NULL,
  platform TEXT NOT NULL,
  scope TEXT NOT NULL,
  hashset TEXT NOT NULL,
  window_from TEXT,
  window_to TEXT,
  state TEXT NOT NULL,
  proven INTEGER NOT NULL,
  reason TEXT NOT NULL,
  files_seen INTEGER NOT NULL DEFAULT 0,
  files_hashed INTEGER NOT NULL DEFAULT 0,
  bytes_hashed INTEGER NOT NULL DEFAULT 0,
  files_unread INTEGER NOT NULL DEFAULT 0,
  answered_at TEXT,
  PRIMARY KEY (run, endpoint, tool)
) STRICT;
CREATE INDEX target_endpoint ON target (endpoint);

CREATE TABLE query (
  run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  endpoint TEXT NOT NULL,
  tool TEXT NOT NULL,
  id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  verdict TEXT,
  PRIMARY KEY (run, endpoint, tool, id)
) STRICT;

CREATE TABLE answer (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  endpoint TEXT NOT NULL,
  tool TEXT NOT NULL,
  query TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX answer_query ON answer (run, endpoint, tool, query);

CREATE TABLE hit (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  endpoint TEXT NOT NULL,
  tool TEXT NOT NULL,
  found_in TEXT NOT NULL,
  path TEXT NOT NULL,
  path_raw BLOB NOT NULL,
  name TEXT NOT NULL,
  size INTEGER,
  md5 TEXT NOT NULL,
  sha1 TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  matched_kind TEXT NOT NULL,
  matched_value TEXT NOT NULL,
  conflict INTEGER NOT NULL,
  owner TEXT NOT NULL,
  mtime TEXT,
  pid INTEGER NOT NULL,
  cmdline TEXT NOT NULL,
  started_at TEXT,
  observed_at TEXT NOT NULL,
  UNIQUE (run, endpoint, tool, found_in, path_raw, matched_value, pid)
) STRICT;
CREATE INDEX hit_matched ON hit (matched_value);

CREATE TABLE finding (
  id INTEGER PRIMARY KEY,
  endpoint TEXT NOT NULL,
  hostname TEXT NOT NULL,
  path TEXT NOT NULL,
  path_raw BLOB NOT NULL,
  sha256 TEXT NOT NULL,
  matched_value TEXT NOT NULL,
  first_seen TEXT NOT NULL,
  last_seen TEXT NOT NULL,
  verdict TEXT NOT NULL DEFAULT 'new',
  owner TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  UNIQUE (endpoint, path_raw, sha256)
) STRICT;

CREATE TABLE finding_run (
  finding INTEGER NOT NULL REFERENCES finding (id) ON DELETE CASCADE,
  run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  PRIMARY KEY (finding, run)
) STRICT;

CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  at TEXT NOT NULL,
  kind TEXT NOT NULL,
  endpoint TEXT NOT NULL DEFAULT '',
  tool TEXT NOT NULL DEFAULT '',
  query TEXT NOT NULL DEFAULT '',
  detail TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX event_run ON event (run, seq);

CREATE TABLE raw_body (
  digest TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE raw_chunk (
  digest TEXT NOT NULL REFERENCES raw_body (digest) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (digest, seq)
) STRICT;

CREATE VIEW report_runs AS
SELECT r.id AS run, r.hunt, r.state, r.started_at, r.finished_at, r.exit_code, r.pivot_complete,
  (SELECT count(*) FROM run_indicator i WHERE i.run = r.id AND i.status = 'hunted') AS hunted,
  (SELECT count(*) FROM run_indicator i WHERE i.run = r.id AND i.status = 'refused') AS refused,
  (SELECT count(*) FROM run_indicator i WHERE i.run = r.id AND i.status = 'narrowed') AS narrowed,
  (SELECT count(*) FROM run_indicator i WHERE i.run = r.id AND i.status = 'unaskable') AS unaskable,
  coalesce(t.endpoints, 0) AS endpoints, coalesce(t.hit, 0) AS hit, coalesce(t.absent, 0) AS absent,
  coalesce(t.partial, 0) AS partial, coalesce(t.unverified, 0) AS unverified, coalesce(t.error, 0) AS error,
  coalesce(t.denylisted, 0) AS denylisted, coalesce(t.unsupported, 0) AS unsupported, coalesce(t.timeout, 0) AS timeout,
  coalesce(t.unasked, 0) AS unasked, coalesce(t.asleep, 0) AS asleep, coalesce(t.excluded, 0) AS excluded,
  (SELECT count(*) FROM target n WHERE n.run = r.id AND n.mode = 'recorded' AND n.state = 'not_seen') AS not_seen,
  coalesce(t.proven, 0) AS proven,
  CASE WHEN coalesce(t.endpoints, 0) - coalesce(t.excluded, 0) > 0
    THEN CAST(t.proven AS REAL) / (t.endpoints - t.excluded) ELSE 0.0 END AS verified_ratio,
  r.title, r.tlp, r.case_id, r.scope
FROM run r LEFT JOIN (
  SELECT run, count(*) AS endpoints, sum(state = 'hit') AS hit, sum(state = 'absent') AS absent, sum(state = 'partial') AS partial,
    sum(state = 'unverified') AS unverified, sum(state = 'error') AS error, sum(state = 'denylisted') AS denylisted,
    sum(state = 'unsupported') AS unsupported, sum(state = 'timeout') AS timeout, sum(state = 'unasked') AS unasked,
    sum(state = 'asleep') AS asleep, sum(state = 'excluded') AS excluded, sum(proven) AS proven
  FROM target WHERE mode = 'live' GROUP BY run) t ON t.run = r.id;

CREATE VIEW report_hits AS
SELECT h.run, r.hunt, h.endpoint, t.hostname, h.tool, h.found_in, h.path, h.size, nullif(h.md5, '') AS md5,
  nullif(h.sha1, '') AS sha1, nullif(h.sha256, '') AS sha256, h.matched_kind, h.matched_value, h.conflict,
  nullif(h.owner, '') AS owner, h.mtime, nullif(h.pid, 0) AS pid, nullif(h.cmdline, '') AS cmdline, h.started_at, h.observed_at
FROM hit h JOIN run r ON r.id = h.run
LEFT JOIN target t ON t.run = h.run AND t.endpoint = h.endpoint AND t.tool = h.tool;

CREATE VIEW report_findings AS
SELECT f.id AS finding, f.endpoint, f.hostname, f.path, nullif(f.sha256, '') AS sha256, f.matched_value, f.first_seen, f.last_seen,
  (SELECT count(*) FROM finding_run x WHERE x.finding = f.id) AS runs, f.verdict, nullif(f.owner, '') AS owner, nullif(f.note, '') AS note
FROM finding f;

CREATE VIEW report_coverage AS
SELECT run, endpoint, hostname, tool, mode, platform, state, proven, nullif(reason, '') AS reason, scope, hashset, files_seen,
  files_hashed, bytes_hashed, files_unread, window_from, window_to, answered_at
FROM target;

CREATE VIEW report_indicators AS
SELECT run, tool, kind, value, status, nullif(reason, '') AS reason, nullif(relation, '') AS relation,
  nullif(provider, '') AS provider, nullif(report, '') AS report, confidence
FROM run_indicator;
