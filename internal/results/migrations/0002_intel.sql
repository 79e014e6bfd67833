-- +goose Up
CREATE TABLE intel_source (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  digest TEXT NOT NULL,
  size INTEGER NOT NULL,
  mtime INTEGER NOT NULL,
  settings TEXT NOT NULL DEFAULT '',
  format TEXT NOT NULL,
  imported_at TEXT NOT NULL
) STRICT;

CREATE TABLE intel_indicator (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  UNIQUE (value, kind)
) STRICT;

CREATE TABLE intel_report (
  id INTEGER PRIMARY KEY,
  source INTEGER NOT NULL REFERENCES intel_source (id) ON DELETE CASCADE,
  uid TEXT NOT NULL,
  title TEXT NOT NULL DEFAULT '',
  tlp TEXT NOT NULL DEFAULT '',
  tlp_assumed INTEGER NOT NULL DEFAULT 0,
  published TEXT,
  tags TEXT NOT NULL DEFAULT '[]',
  members INTEGER NOT NULL DEFAULT 0,
  UNIQUE (source, uid)
) STRICT;
CREATE INDEX intel_report_uid ON intel_report (uid);

CREATE TABLE intel_member (
  report INTEGER NOT NULL REFERENCES intel_report (id) ON DELETE CASCADE,
  indicator INTEGER NOT NULL REFERENCES intel_indicator (id),
  confidence INTEGER NOT NULL,
  time TEXT,
  tlp TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (report, indicator)
) STRICT, WITHOUT ROWID;
CREATE INDEX intel_member_trust ON intel_member (report, confidence DESC, indicator);
CREATE INDEX intel_member_indicator ON intel_member (indicator, report);

CREATE TABLE intel_object (
  id INTEGER PRIMARY KEY,
  source INTEGER NOT NULL REFERENCES intel_source (id) ON DELETE CASCADE,
  size INTEGER NOT NULL DEFAULT 0,
  names TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX intel_object_source ON intel_object (source);

CREATE TABLE intel_object_digest (
  object INTEGER NOT NULL REFERENCES intel_object (id) ON DELETE CASCADE,
  indicator INTEGER NOT NULL REFERENCES intel_indicator (id),
  PRIMARY KEY (object, indicator)
) STRICT, WITHOUT ROWID;
CREATE INDEX intel_object_digest_indicator ON intel_object_digest (indicator, object);

CREATE TABLE intel_edge (
  id INTEGER PRIMARY KEY,
  source INTEGER NOT NULL REFERENCES intel_source (id) ON DELETE CASCADE,
  from_indicator INTEGER NOT NULL REFERENCES intel_indicator (id),
  to_indicator INTEGER NOT NULL REFERENCES intel_indicator (id),
  relation TEXT NOT NULL,
  confidence INTEGER NOT NULL,
  report TEXT NOT NULL DEFAULT '',
  time TEXT,
  tlp TEXT NOT NULL DEFAULT '',
  UNIQUE (source, from_indicator, to_indicator, relation, report)
) STRICT;
CREATE INDEX intel_edge_from ON intel_edge (from_indicator);
CREATE INDEX intel_edge_to ON intel_edge (to_indicator);

CREATE TABLE intel_report_link (
  source INTEGER NOT NULL REFERENCES intel_source (id) ON DELETE CASCADE,
  from_uid TEXT NOT NULL,
  to_uid TEXT NOT NULL,
  PRIMARY KEY (source, from_uid, to_uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX intel_report_link_from ON intel_report_link (from_uid);
