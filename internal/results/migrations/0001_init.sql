-- +goose Up
-- Times are RFC 3339 text in UTC with milliseconds, digests lower case, JSON is text, booleans are 0 and 1.
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
CREATE INDEX run_started ON run (started_at, id);

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
CREATE INDEX run_edge_to ON run_edge (to_value, to_kind);

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
CREATE INDEX run_indicator_value ON run_indicator (value, run);
CREATE INDEX run_indicator_status ON run_indicator (run, status);

-- One (endpoint, tool) of a run: the frozen denominator, and its standing.
CREATE TABLE target (
  run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  endpoint TEXT NOT NULL,
  tool TEXT NOT NULL,
  seq INTEGER NOT NULL,
  hostname TEXT NOT NULL,
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
CREATE INDEX target_endpoint ON target (endpoint, tool);
CREATE INDEX target_state ON target (run, mode, state, proven);

-- The text and terms of a query, once for all endpoints that are asked it.
CREATE TABLE question (
  digest TEXT PRIMARY KEY,
  body TEXT NOT NULL
) STRICT;

CREATE TABLE query (
  run TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  tool TEXT NOT NULL,
  id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  question TEXT NOT NULL REFERENCES question (digest),
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (run, endpoint, tool, id),
  FOREIGN KEY (run, endpoint, tool) REFERENCES target (run, endpoint, tool) ON DELETE CASCADE
) STRICT;

-- Every answer that came, with what it proves; its body lies in raw_body under digest.
CREATE TABLE answer (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  endpoint TEXT NOT NULL,
  tool TEXT NOT NULL,
  query TEXT NOT NULL,
  digest TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT,
  recorded_at TEXT NOT NULL,
  verdict BLOB NOT NULL,
  UNIQUE (run, endpoint, tool, query, digest)
) STRICT;

CREATE TABLE finding (
  id INTEGER PRIMARY KEY,
  endpoint TEXT NOT NULL,
  path_raw BLOB NOT NULL,
  sha256 TEXT NOT NULL,
  hostname TEXT NOT NULL,
  path TEXT NOT NULL,
  matched_value TEXT NOT NULL,
  first_seen TEXT NOT NULL,
  last_seen TEXT NOT NULL,
  verdict TEXT NOT NULL DEFAULT 'new',
  owner TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  UNIQUE (endpoint, path_raw, sha256)
) STRICT;

-- path is the escaped form of path_raw, always valid UTF-8. started_at is '' when it is unknown, so that the key holds.
CREATE TABLE hit (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  endpoint TEXT NOT NULL,
  tool TEXT NOT NULL,
  found_in TEXT NOT NULL,
  finding INTEGER NOT NULL REFERENCES finding (id),
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
  started_at TEXT NOT NULL,
  observed_at TEXT NOT NULL,
  UNIQUE (run, endpoint, tool, finding, found_in, matched_value, matched_kind, pid, started_at)
) STRICT;
CREATE INDEX hit_finding ON hit (finding, run);
CREATE INDEX hit_matched ON hit (matched_value);

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

-- The five views are the stable read interface: docs/results.md.
CREATE VIEW report_runs AS
SELECT r.id AS run, r.hunt AS hunt, r.state AS state, r.started_at AS started_at, r.finished_at AS finished_at,
  r.exit_code AS exit_code, r.pivot_complete AS pivot_complete,
  (SELECT count(*) FROM run_indicator i WHERE i.run = r.id AND i.status = 'hunted') AS hunted,
  (SELECT count(*) FROM run_indicator i WHERE i.run = r.id AND i.status = 'refused') AS refused,
  (SELECT count(*) FROM run_indicator i WHERE i.run = r.id AND i.status = 'narrowed') AS narrowed,
  (SELECT count(*) FROM run_indicator i WHERE i.run = r.id AND i.status = 'unaskable') AS unaskable,
  (SELECT count(*) FROM target t WHERE t.run = r.id AND t.mode = 'live') AS endpoints,
  (SELECT count(*) FROM target t WHERE t.run = r.id AND t.mode = 'live' AND t.state = 'hit') AS hit,
  (SELECT count(*) FROM target t WHERE t.run = r.id AND t.mode = 'live' AND t.state = 'absent') AS absent,
  (SELECT count(*) FROM target t WHERE t.run = r.id AND t.mode = 'live' AND t.state = 'partial') AS partial,
  (SELECT count(*) FROM target t WHERE t.run = r.id AND t.mode = 'live' AND t.state = 'unverified') AS unverified,
  (SELECT count(*) FROM target t WHERE t.run = r.id AND t.mode = 'live' AND t.state = 'error') AS error,
  (SELECT count(*) FROM target t WHERE t.run = r.id AND t.mode = 'live' AND t.state = 'denylisted') AS denylisted,
  (SELECT count(*) FROM target t WHERE t.run = r.id AND t.mode = 'live' AND t.state = 'unsupported') AS unsupported,
  (SELECT count(*) FROM target t WHERE t.run = r.id AND t.mode = 'live' AND t.state = 'timeout') AS timeout,
  (SELECT count(*) FROM target t WHERE t.run = r.id AND t.mode = 'live' AND t.state = 'unasked') AS unasked,
  (SELECT count(*) FROM target t WHERE t.run = r.id AND t.mode = 'live' AND t.state = 'asleep') AS asleep,
  (SELECT count(*) FROM target t WHERE t.run = r.id AND t.mode = 'live' AND t.state = 'excluded') AS excluded,
  (SELECT count(*) FROM target t WHERE t.run = r.id AND t.mode = 'recorded' AND t.state = 'not_seen') AS not_seen,
  (SELECT count(*) FROM target t WHERE t.run = r.id AND t.mode = 'live' AND t.proven = 1 AND t.state <> 'excluded') AS proven,
  coalesce((SELECT CAST(sum(t.proven) AS REAL) / count(*) FROM target t
    WHERE t.run = r.id AND t.mode = 'live' AND t.state <> 'excluded'), 0.0) AS verified_ratio,
  r.title AS title, nullif(r.tlp, '') AS tlp, nullif(r.case_id, '') AS case_id, r.scope AS scope
FROM run r;

CREATE VIEW report_hits AS
SELECT h.run AS run, r.hunt AS hunt, h.endpoint AS endpoint, t.hostname AS hostname, h.tool AS tool, h.found_in AS found_in,
  h.path AS path, h.size AS size, nullif(h.md5, '') AS md5, nullif(h.sha1, '') AS sha1, nullif(h.sha256, '') AS sha256,
  h.matched_kind AS matched_kind, h.matched_value AS matched_value, h.conflict AS conflict, nullif(h.owner, '') AS owner,
  h.mtime AS mtime, nullif(h.pid, 0) AS pid, nullif(h.cmdline, '') AS cmdline, nullif(h.started_at, '') AS started_at,
  h.observed_at AS observed_at, h.id AS hit, h.finding AS finding
FROM hit h
JOIN run r ON r.id = h.run
JOIN target t ON t.run = h.run AND t.endpoint = h.endpoint AND t.tool = h.tool;

CREATE VIEW report_findings AS
SELECT f.id AS finding, f.endpoint AS endpoint, f.hostname AS hostname, f.path AS path, nullif(f.sha256, '') AS sha256,
  f.matched_value AS matched_value, f.first_seen AS first_seen, f.last_seen AS last_seen,
  (SELECT count(DISTINCT h.run) FROM hit h WHERE h.finding = f.id) AS runs, f.verdict AS verdict,
  nullif(f.owner, '') AS owner, nullif(f.note, '') AS note
FROM finding f;

CREATE VIEW report_coverage AS
SELECT t.run AS run, t.endpoint AS endpoint, t.hostname AS hostname, t.tool AS tool, t.mode AS mode, t.platform AS platform,
  t.state AS state, t.proven AS proven, nullif(t.reason, '') AS reason, t.scope AS scope, t.hashset AS hashset,
  t.files_seen AS files_seen, t.files_hashed AS files_hashed, t.bytes_hashed AS bytes_hashed, t.files_unread AS files_unread,
  t.window_from AS window_from, t.window_to AS window_to, t.answered_at AS answered_at
FROM target t;

CREATE VIEW report_indicators AS
SELECT i.run AS run, i.tool AS tool, i.kind AS kind, i.value AS value, i.status AS status, nullif(i.reason, '') AS reason,
  nullif(i.relation, '') AS relation, nullif(i.provider, '') AS provider, nullif(i.report, '') AS report, i.confidence AS confidence
FROM run_indicator i;
