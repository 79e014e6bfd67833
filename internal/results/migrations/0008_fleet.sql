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

-- What a node is to be given at its next poll, or was given last and has not answered: one row a node.
CREATE TABLE outbox (
  node TEXT PRIMARY KEY REFERENCES node (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  run TEXT NOT NULL, -- '' for what hunter asks for itself, such as labels
  tool TEXT NOT NULL,
  query TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  question TEXT NOT NULL REFERENCES question (digest),
  state TEXT NOT NULL, -- due, handed, lost
  due_at TEXT NOT NULL,
  handed_at TEXT,
  hands INTEGER NOT NULL DEFAULT 0,
  polled_at TEXT, -- the first poll after it was handed out
  clean INTEGER NOT NULL DEFAULT 0 -- polls since without a write or a refusal
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_run ON outbox (run, state);
CREATE INDEX outbox_open ON outbox (state, handed_at);

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
  PRIMARY KEY (node, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX handout_run ON handout (run);

-- Texts that a node refuses since its worker died in them.
CREATE TABLE denylisted (
  node TEXT NOT NULL REFERENCES node (id) ON DELETE CASCADE,
  question TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (node, question)
) STRICT, WITHOUT ROWID;

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
ALTER TABLE run ADD COLUMN owner TEXT NOT NULL DEFAULT ''; -- the server that carries it
ALTER TABLE run ADD COLUMN lease TEXT; -- until when nobody else may take it
ALTER TABLE run ADD COLUMN wish TEXT NOT NULL DEFAULT ''; -- what a person wants of a run that a server carries: pause, resume, stop

-- A target of a fleet run: its wave, and when it was let go. Until then nothing of it is in the outbox.
ALTER TABLE target ADD COLUMN wave INTEGER NOT NULL DEFAULT 0;
ALTER TABLE target ADD COLUMN released_at TEXT;
