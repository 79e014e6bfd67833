// Package embedded is an osquery-compatible SQL engine for this machine: osquery's tables over SQLite virtual tables,
// with the columns, types and path semantics of osquery 5.23. It is read-only. What a table could not read while a
// query ran is told beside the rows, so that an unreadable folder never looks like an empty one.
package embedded
