-- +goose Up
-- Bodies as received, each kept once under its sha256 and compressed in chunks.
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
