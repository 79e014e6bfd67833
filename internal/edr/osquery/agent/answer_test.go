//go:build sqlite_vtable

package agent_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

// A machine enrols as osquery does, reads its configuration, polls, answers, and its answer is gone when it was acknowledged.
func TestAnswers(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, said := config(t, s)
	s.ask("hunter-1-a1", `SELECT 'te"xt' || char(10) || 'é' AS t, NULL AS n, 1.5 AS d, version AS v, version AS v FROM osquery_info`)
	must(t, once(t, c))
	want := []map[string]string{{"t": "te\"xt\né", "n": "", "d": "1.5", "v": "1.2.3"}}
	rows, status, message := s.one(t, "hunter-1-a1")
	if diff := cmp.Diff(want, rows); diff != "" || status != 0 || message != "" {
		t.Errorf("%d %q (-want +got):\n%s", status, message, diff)
	}
	w := s.took(t)[0]
	if _, ok := w.Stats["hunter-1-a1"]["wall_time_ms"]; !ok || w.Key != "key-number-1" || s.configs != 1 || s.polls != 1 || len(s.enrols) != 1 {
		t.Errorf("%+v, %d configs, %d polls, %d enrolments", w, s.configs, s.polls, len(s.enrols))
	}
	if h, ok := w.Hunter["hunter-1-a1"]; !ok || h.Unread == nil || h.UnreadTotal != 0 || h.Cut != "" {
		t.Errorf("beside the rows: %+v", w.Hunter)
	}
	for i, h := range s.headers {
		if h.Get("User-Agent") != "hunter/1.2.3" || h.Get("Content-Type") != "application/json" {
			t.Errorf("request %d: %v", i, h)
		}
	}
	if left := append(spoolOf(t, c), marksOf(t, c)...); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	for _, word := range []string{password, "key-number-1"} {
		if strings.Contains(said.String(), word) {
			t.Errorf("the log holds %s:\n%s", word, said)
		}
	}
	// The next life has its key.
	must(t, once(t, c))
	if len(s.enrols) != 1 || s.polls != 2 || len(s.writes) != 1 {
		t.Errorf("%d enrolments, %d polls, %d writes", len(s.enrols), s.polls, len(s.writes))
	}
}

func TestEnrolment(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, _ := config(t, s)
	s.ask("q", "SELECT instance_id AS i, uuid AS u FROM osquery_info")
	must(t, once(t, c))
	rows, _, _ := s.one(t, "q")
	var e struct {
		Secret   string                       `json:"enroll_secret"`
		Host     string                       `json:"host_identifier"`
		Platform string                       `json:"platform_type"`
		Details  map[string]map[string]string `json:"host_details"`
		Hunter   string                       `json:"hunter"`
	}
	text, err := json.Marshal(s.enrols[0])
	must(t, err)
	must(t, json.Unmarshal(text, &e))
	platform := map[string]string{"linux": "9", "darwin": "21", "windows": "2"}[runtime.GOOS]
	if e.Secret != password || e.Host != embedded.MachineID() || e.Platform != platform || e.Hunter != "1.2.3" {
		t.Errorf("%s", text)
	}
	info := e.Details["osquery_info"]
	if info["version"] != "1.2.3" || info["build_distro"] != "hunter" || info["instance_id"] == "" || e.Details["system_info"]["hostname"] == "" || e.Details["os_version"] == nil {
		t.Errorf("%s", text)
	}
	// The control row of a query tells the same installation.
	if rows[0]["i"] != info["instance_id"] || rows[0]["u"] != e.Host {
		t.Errorf("%v is not %v", rows, info)
	}
	// An installation keeps its id, also when it has to enrol again.
	s.valid = map[string]bool{}
	must(t, once(t, c))
	if !strings.Contains(string(s.enrols[1]["host_details"]), info["instance_id"]) {
		t.Errorf("another installation: %s", s.enrols[1]["host_details"])
	}
}

// What SQLite says of a bad query is told in its own words, as osqueryd does.
func TestErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"SELECT * FROM nosuchtable":  "no such table: nosuchtable",
		"SELECT nosuchcol FROM time": "no such column: nosuchcol",
		"selekt 1":                   `near "selekt": syntax error`,
		"SELECT sha256 FROM hash":    "without a required column",
		"DELETE FROM time":           "not authorized",
		"ATTACH 'x' AS y":            "not authorized",
		"SELECT 1; SELECT 2":         "more than one statement",
		"SELECT group_concat(hex(zeroblob(9000000))) FROM (SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5)": "out of memory",
	} {
		s := newServer(t)
		c, _ := config(t, s)
		s.ask("q", text)
		must(t, once(t, c))
		if rows, status, message := s.one(t, "q"); len(rows) != 0 || status != 1 || !strings.Contains(message, want) {
			t.Errorf("%s: %d rows, %d, %q", text, len(rows), status, message)
		}
	}
}

// Answers over the bounds are cut; what is there of them is sent, and never as a whole answer.
func TestCut(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, _ := config(t, s)
	c.MaxRows = 10
	s.ask("q", "WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c LIMIT 1000) SELECT n FROM c")
	must(t, once(t, c))
	rows, status, message := s.one(t, "q")
	if len(rows) != 10 || rows[9]["n"] != "10" || status != 1 || !strings.Contains(message, "answer too large") || s.took(t)[0].Hunter["q"].Cut != message {
		t.Errorf("%d rows, %d, %q", len(rows), status, message)
	}
	s2 := newServer(t)
	c, _ = config(t, s2)
	c.MaxAnswer = 1000
	s2.ask("q", "WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c LIMIT 1000) SELECT n, '"+strings.Repeat("\x01", 50)+"' AS t FROM c")
	must(t, once(t, c))
	rows, status, message = s2.one(t, "q")
	if len(rows) == 0 || len(rows) > 12 || status != 1 || !strings.Contains(message, "answer too large") {
		t.Errorf("%d rows, %d, %q", len(rows), status, message)
	}
}

// A poll with a fault is refused whole, and what is not for this agent is said.
func TestBadPolls(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]string{
		`{"queries":{"a":"SELECT 1","b":5}}`: "a text is due",
		`{"queries":{"a":""}}`:               "a text is due",
		`{"queries":[]}`:                     "read the queries",
		`{"queries":{"a":"SELECT 1"},"discovery":{"a":"SELECT 1"}}`: "discovery",
		`{"queries":{"a":"SELECT 1"},"hunter":{"a":7}}`:             "limits of the queries",
		`{"queries":{"":"SELECT 1"}}`:                               "a name",
	} {
		s := newServer(t)
		c, _ := config(t, s)
		s.refuse = func(w http.ResponseWriter, path string) bool {
			if path == "distributed/read" {
				fmt.Fprint(w, reply)
			}
			return path == "distributed/read"
		}
		if err := once(t, c); err == nil || !strings.Contains(err.Error(), want) || len(s.tried) > 0 {
			t.Errorf("%s: %v, %d answers", reply, err, len(s.tried))
		}
	}
}

// The server says how big files may be to be read.
func TestMaxSize(t *testing.T) {
	t.Parallel()
	big := filepath.Join(tempDir(t), "big")
	f, err := os.Create(big)
	must(t, err)
	must(t, f.Truncate(embedded.DefaultReadMax+1))
	must(t, f.Close())
	text := "SELECT sha256 FROM hash WHERE path = '" + strings.ReplaceAll(big, "'", "''") + "'"
	for more, known := range map[string]bool{``: false, `,"hunter":{"q":{"max_size":52428801}}`: true} {
		s := newServer(t)
		c, _ := config(t, s)
		s.more = more
		s.ask("q", text)
		must(t, once(t, c))
		rows, _, _ := s.one(t, "q")
		if len(rows) != 1 || (rows[0]["sha256"] != "") != known {
			t.Errorf("%s: %v", more, rows)
		}
	}
}

// faultyFS fails to open one folder.
type faultyFS struct {
	embedded.FS
	dir string
}

func (f faultyFS) Lstat(path string) (embedded.Stat, error) {
	if path == f.dir {
		return embedded.Stat{}, &fs.PathError{Op: "lstat", Path: path, Err: fs.ErrPermission}
	}
	return embedded.Stat{Mode: fs.ModeDir, Inode: 1}, nil
}

func (f faultyFS) Stat(path string) (embedded.Stat, error) { return f.Lstat(path) }

func (f faultyFS) OpenDir(path string) (embedded.Dir, error) {
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
}

func (f faultyFS) Open(path string) (embedded.File, error) {
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
}

func (f faultyFS) Readlink(string) (string, error) { return "", fs.ErrInvalid }

// What could not be read is told beside the rows, its path as bytes.
func TestUnread(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, _ := config(t, s)
	c.FS = faultyFS{dir: "/x"}
	s.refuse = func(w http.ResponseWriter, path string) bool {
		if path != "distributed/read" {
			return false
		}
		_, err := w.Write([]byte("{\"queries\":{\"q\":\"SELECT path FROM file WHERE directory = '/bad\xff\\u00e9\\\"'\"}}"))
		return err == nil
	}
	must(t, once(t, c))
	want := []byte("{\"path\":\"/bad\xffé\\\"\",\"op\":\"file\",\"reason\":")
	if len(s.writes) != 1 || !bytes.Contains(s.writes[0], want) || s.took(t)[0].Hunter["q"].UnreadTotal != 1 {
		t.Errorf("%s", s.writes)
	}
}
