package main

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// columns are those of hunter's own texts for osquery.
const columns = 12

// row is one row of an answer, by column name; every cell is a string, as osqueryd sends it.
type row map[string]string

func newRow(kind, name, path string) row {
	r := make(row, columns)
	for _, c := range []string{"kind", "name", "path", "size", "md5", "sha1", "sha256", "pid", "owner", "n", "mtime", "cmdline"} {
		r[c] = ""
	}
	r["kind"], r["name"], r["path"], r["size"], r["n"], r["pid"] = kind, name, path, "0", "0", "0"
	return r
}

// counted finds the counts that a text asks for: their names and places.
var counted = regexp.MustCompile(`SELECT 'count', '([a-z]+)', '((?:[^']|'')*)'`)

// asked finds the digests that a text asks for.
var asked = regexp.MustCompile(`'([0-9a-f]{64})'`)

// clean answers a text as a machine would on which nothing of it is found: eighty programs run, and no root of a files
// question is there.
func clean(text, instance string, unix int64) []row {
	meta := newRow("meta", "5.23.0", "")
	meta["size"], meta["sha256"], meta["pid"], meta["owner"], meta["n"] = strconv.FormatInt(unix, 10), instance, "4242", instance, strconv.FormatInt(unix-3600, 10)
	control := newRow("control", "file", "/etc/passwd")
	control["md5"], control["sha1"], control["sha256"] = strings.Repeat("1a", 16), strings.Repeat("1a", 20), strings.Repeat("1a", 32)
	control["n"] = "1"
	out := []row{meta, control}
	running := strings.Contains(text, "'processes'")
	for _, m := range counted.FindAllStringSubmatch(text, -1) {
		c := newRow("count", m[1], strings.ReplaceAll(m[2], "''", "'"))
		switch m[1] {
		case "processes":
			c["n"] = "80"
		case "first", "privileged":
			c["n"] = "1"
		case "self":
			c["n"] = "1"
			self := newRow("self", "osqueryd", "/opt/osquery/bin/osqueryd")
			self["pid"] = "4242"
			out = append(out, self)
		case "candidates", "hashed":
			if running {
				c["n"], c["size"] = "80", "80000000"
			}
		}
		out = append(out, c)
	}
	return out
}

// planted answers as clean does, with one file that was asked for.
func planted(text, instance string, unix int64) []row {
	digest := asked.FindStringSubmatch(text)
	out := clean(text, instance, unix)
	if digest == nil {
		return out
	}
	for _, r := range out {
		if r["kind"] == "count" && r["name"] == "hits" {
			r["n"] = "1"
		}
	}
	hit := newRow("hit", "evil", "/home/u/evil")
	hit["sha256"], hit["md5"], hit["sha1"], hit["size"], hit["owner"], hit["pid"], hit["n"] = digest[1], strings.Repeat("2b", 16), strings.Repeat("2b", 20), "4000", "u", "99", strconv.FormatInt(unix-60, 10)
	return append(out, hit)
}

// write makes the body of a distributed write with one answer.
func write(key, name string, rows []row, status int, message string) []byte {
	body, err := json.Marshal(map[string]any{
		"node_key": key, "queries": map[string][]row{name: rows}, "statuses": map[string]int{name: status}, "messages": map[string]string{name: message},
		"stats": map[string]any{name: map[string]int{"wall_time_ms": 12, "user_time": 10, "system_time": 2, "memory": 0}},
	})
	if err != nil {
		panic(err) // strings and numbers are always JSON
	}
	return body
}
