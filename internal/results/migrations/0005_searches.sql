-- +goose Up
-- A search of a recorded tool goes over all its endpoints at once. Its answers stand in answer under the endpoint ''.
CREATE TABLE search (
  run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  tool TEXT NOT NULL,
  id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  question TEXT NOT NULL REFERENCES question (digest),
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (run, tool, id)
) STRICT;
