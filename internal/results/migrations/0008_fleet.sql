-- +goose Up
-- Agents that enrolled. A node's id is the endpoint's id in every other table, and outlives its keys.
CREATE TABLE node (
  id TEXT PRIMARY KEY,
  key_hash BLOB NOT NULL UNIQUE, -- sha256 of the node key
  identifier TEXT NOT NULL,
  hostname TEXT NOT NULL,
  platform TEXT NOT NULL,
  host TEXT NOT NULL, -- JSON of ledger.Host
  agent TEXT NOT NULL,
  version TEXT NOT NULL,
  instance TEXT NOT NULL,
  secret TEXT NOT NULL, -- which enroll secret it knew, by name
  address TEXT NOT NULL,
  approved INTEGER NOT NULL,
  cannot TEXT NOT NULL DEFAULT '',
  refused INTEGER NOT NULL DEFAULT 0, -- writes that were refused since the last one that was taken
  foreigners INTEGER NOT NULL DEFAULT 0, -- answers under names that it was never given
  enrolled_at TEXT NOT NULL,
  last_seen TEXT NOT NULL
) STRICT;
CREATE INDEX node_identifier ON node (identifier);
CREATE INDEX node_hostname ON node (hostname);

-- Every name under which a node was ever known.
CREATE TABLE node_name (
  node TEXT NOT NULL REFERENCES node (id) ON DELETE CASCADE,
  kind TEXT NOT NULL, -- identifier, hostname, computer, uuid, serial, instance, address
  value TEXT NOT NULL,
  first_seen TEXT NOT NULL,
  PRIMARY KEY (node, kind, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX node_name_value ON node_name (value);

CREATE TABLE node_label (
  node TEXT NOT NULL REFERENCES node (id) ON DELETE CASCADE,
  label TEXT NOT NULL,
  since TEXT NOT NULL,
  PRIMARY KEY (node, label)
) STRICT, WITHOUT ROWID;

-- The query that a node is to be given at its next poll, or was given and has not answered: ledger.Post. One row a node.
CREATE TABLE outbox (
  node TEXT PRIMARY KEY REFERENCES node (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  run TEXT NOT NULL, -- '' for what hunter asks for itself, such as labels
  tool TEXT NOT NULL,
  query TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  question TEXT NOT NULL REFERENCES question (digest),
  state TEXT NOT NULL, -- due, handed, lost, held
  due_at TEXT NOT NULL,
  handed_at TEXT,
  hands INTEGER NOT NULL DEFAULT 0,
  polled_at TEXT, -- the first poll after it was handed out
  clean INTEGER NOT NULL DEFAULT 0, -- polls since without a write or a refusal
  wrote INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_run ON outbox (run, state, handed_at);

-- Posts of paused runs that are to be asked again in words of their own, out of the way of other runs.
CREATE TABLE shelf (
  node TEXT NOT NULL REFERENCES node (id) ON DELETE CASCADE,
  run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  tool TEXT NOT NULL,
  name TEXT NOT NULL,
  query TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  question TEXT NOT NULL REFERENCES question (digest),
  state TEXT NOT NULL, -- due, lost, held
  PRIMARY KEY (node, run, tool)
) STRICT, WITHOUT ROWID;
CREATE INDEX shelf_run ON shelf (run);

-- What hunter asks a node for itself, until it is in the outbox.
CREATE TABLE errand (
  node TEXT NOT NULL REFERENCES node (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  question TEXT NOT NULL REFERENCES question (digest),
  due_at TEXT NOT NULL,
  PRIMARY KEY (node, name)
) STRICT, WITHOUT ROWID;

-- Every name that was ever handed to a node, so that a late, doubled or foreign answer is known for what it is.
CREATE TABLE handout (
  node TEXT NOT NULL REFERENCES node (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  run TEXT NOT NULL,
  tool TEXT NOT NULL,
  query TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  question TEXT NOT NULL,
  handed_at TEXT NOT NULL,
  answered_at TEXT,
  answers INTEGER NOT NULL DEFAULT 0,
  content BLOB, -- sha256 of what was answered, without its times
  PRIMARY KEY (node, name)
) STRICT, WITHOUT ROWID;

-- Texts that a node refuses since its worker died in them, by the sha256 of the text.
CREATE TABLE denylisted (
  node TEXT NOT NULL REFERENCES node (id) ON DELETE CASCADE,
  text TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (node, text)
) STRICT, WITHOUT ROWID;
ALTER TABLE question ADD COLUMN text TEXT; -- sha256 of the query's text

-- Servers on this database, and who carries a run.
CREATE TABLE server (
  id TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  address TEXT NOT NULL,
  version TEXT NOT NULL,
  started_at TEXT NOT NULL,
  beat_at TEXT NOT NULL,
  stopped_at TEXT
) STRICT;
ALTER TABLE run ADD COLUMN served INTEGER NOT NULL DEFAULT 0; -- it is for a server to carry
ALTER TABLE run ADD COLUMN owner TEXT NOT NULL DEFAULT ''; -- the server that carries it
ALTER TABLE run ADD COLUMN lease TEXT; -- until when nobody else may take it
ALTER TABLE run ADD COLUMN wish TEXT NOT NULL DEFAULT ''; -- what a person wants of a run that a server carries: pause, resume, stop
ALTER TABLE run ADD COLUMN late_until TEXT; -- until when its endpoints are asked, though the run has finished
ALTER TABLE run ADD COLUMN closed INTEGER NOT NULL DEFAULT 0; -- it is over, and all that was open says why
ALTER TABLE run ADD COLUMN late_answers INTEGER NOT NULL DEFAULT 0; -- that came after its end
ALTER TABLE run ADD COLUMN judged INTEGER NOT NULL DEFAULT 0; -- how many of them its exit code knows
CREATE INDEX run_served ON run (state) WHERE served = 1 AND closed = 0;
CREATE INDEX run_unjudged ON run (id) WHERE late_answers > judged;

-- A target of a fleet run: its wave, when it was let go, when it was handed something last, and whether there is more to ask it.
ALTER TABLE target ADD COLUMN wave INTEGER NOT NULL DEFAULT 0;
ALTER TABLE target ADD COLUMN released_at TEXT;
ALTER TABLE target ADD COLUMN handed_at TEXT;
ALTER TABLE target ADD COLUMN open INTEGER NOT NULL DEFAULT 0;
CREATE INDEX target_open ON target (endpoint, run, tool) WHERE open = 1;
