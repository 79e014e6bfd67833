-- +goose Up
ALTER TABLE node ADD COLUMN approved_by TEXT NOT NULL DEFAULT ''; -- who said that it may be sent digests: enrolment, label, person
ALTER TABLE node ADD COLUMN look_sent TEXT; -- when hunter last sent what it asks for itself
ALTER TABLE node ADD COLUMN look_at TEXT; -- when the node last answered that
ALTER TABLE node ADD COLUMN look_note TEXT NOT NULL DEFAULT ''; -- what could not be learned, and why
CREATE INDEX node_look ON node (look_sent);
