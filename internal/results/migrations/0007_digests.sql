-- +goose Up
-- Digests of files of this machine that need not be read again while they have not changed. A page holds those of 256
-- inodes in a row; most files of a folder lie in one.
CREATE TABLE digest_page (
  device INTEGER NOT NULL,
  page INTEGER NOT NULL,
  entries BLOB NOT NULL,
  written INTEGER NOT NULL, -- seconds since 1970
  PRIMARY KEY (device, page)
) STRICT;

CREATE INDEX digest_page_written ON digest_page (written);
