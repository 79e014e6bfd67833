// Package osquery speaks to osqueryd over its extension socket: as a client
// that asks queries, and as an extension server that offers tables.
//
// This is a stand-in for github.com/osquery/osquery-go with the part of its
// API that hunter calls; see README.md in this folder.
package osquery
