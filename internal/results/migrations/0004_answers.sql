-- +goose Up
-- Answers of intelligence services that are remembered; their bodies are among the raw ones.
CREATE TABLE remembered (
  question TEXT PRIMARY KEY,
  status INTEGER NOT NULL,
  type TEXT NOT NULL,
  digest TEXT NOT NULL REFERENCES raw_body (digest) ON DELETE CASCADE,
  at TEXT NOT NULL
) STRICT;

CREATE INDEX remembered_digest ON remembered (digest);
