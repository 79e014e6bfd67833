-- +goose Up
-- A poll finds its node in this alone: what else a node's row holds need not be read.
CREATE INDEX node_poll ON node (key_hash, id);
