//go:build sqlite_vtable

package agent_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"net/http"

	"github.com/hunter-project/hunter/internal/edr/osquery/agent"
	"github.com/hunter-project/hunter/internal/secret"
)

// Every fault of a configuration is told.
func TestBadConfig(t *testing.T) {
	t.Parallel()
	_, err := agent.New(agent.Config{Server: "https://x/y", OnBattery: "panic"})
	for _, want := range []string{"HOST:PORT", "CA file", "state folder", "enrol secret", "on battery"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q: %v", want, err)
		}
	}
	for _, bad := range []string{"", "host", "host:", ":1", "host:0", "host:65536", "host:x"} {
		if _, err := agent.New(agent.Config{Server: bad}); err == nil || !strings.Contains(err.Error(), "HOST:PORT") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	s := newServer(t)
	c, _ := config(t, s)
	for want, spoil := range map[string]func(c *agent.Config){
		"read the CA file":     func(c *agent.Config) { c.CA = filepath.Join(tempDir(t), "none") },
		"no regular file":      func(c *agent.Config) { c.CA = tempDir(t) },
		"holds no certificate": func(c *agent.Config) { c.CA = filepath.Join(c.State, "..", "secret") },
		"the enrol secret": func(c *agent.Config) {
			c.Secret, _ = secret.ParseRef("env:HUNTER_TEST_NOT_SET")
		},
	} {
		bad := c
		spoil(&bad)
		if _, err := agent.New(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// The state folder is one agent's alone, and nobody else's to look into.
func TestStateFolder(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, _ := config(t, s)
	must(t, os.MkdirAll(c.State, 0o777))
	a := open(t, c)
	if _, err := agent.New(c); err == nil || !strings.Contains(err.Error(), "another agent has it") {
		t.Errorf("a second agent: %v", err)
	}
	must(t, a.Once(context.Background()))
	must(t, a.Close())
	if runtime.GOOS != "windows" {
		for name, want := range map[string]os.FileMode{".": 0o700, "node.json": 0o600, "spool": 0o700, "running": 0o700} {
			if info, err := os.Stat(filepath.Join(c.State, name)); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v", name, info.Mode(), err)
			}
		}
	}
	// What a death left half written is cleared away.
	half := filepath.Join(c.State, "spool", "x.tmp")
	must(t, os.WriteFile(half, []byte("half"), 0o600))
	must(t, once(t, c))
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Error(err)
	}
}

// A folder that came with a cloned disk, or is damaged, is no identity.
func TestCopiedState(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"machine":"another","instance":"i","node_key":"key-number-1"}`, `{"machine`, ``} {
		s := newServer(t)
		c, _ := config(t, s)
		must(t, once(t, c))
		var was, is map[string]string
		read := func(into *map[string]string) {
			data, err := os.ReadFile(filepath.Join(c.State, "node.json"))
			must(t, err)
			must(t, json.Unmarshal(data, into))
		}
		read(&was)
		must(t, os.WriteFile(filepath.Join(c.State, "node.json"), []byte(text), 0o600))
		must(t, once(t, c))
		read(&is)
		if len(s.enrols) != 2 || is["node_key"] != "key-number-2" || is["instance"] == was["instance"] || is["machine"] != was["machine"] {
			t.Errorf("%s: %d enrolments, %v, %v", text, len(s.enrols), was, is)
		}
	}
}

// spoiled puts a file in the place of a folder while a poll is under way: what is written there fails, as on a full disk.
func spoiled(t *testing.T, s *server, c agent.Config, folder string) (mend func()) {
	t.Helper()
	dir := filepath.Join(c.State, folder)
	done := false
	s.refusing(func(_ http.ResponseWriter, path string) bool {
		if path == "distributed/read" && !done {
			done = true
			if os.Rename(dir, dir+"-away") != nil || os.WriteFile(dir, nil, 0o600) != nil {
				t.Error("can not spoil " + dir)
			}
		}
		return false
	})
	return func() {
		must(t, os.Remove(dir))
		must(t, os.Rename(dir+"-away", dir))
	}
}

// Without room for its mark a query is not run, and that is told.
func TestNoRoomForAMark(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, said := config(t, s)
	s.ask("q", "SELECT 1 AS x")
	spoiled(t, s, c, "running")
	must(t, once(t, c))
	rows, status, message := s.one(t, "q")
	if len(rows) != 0 || status != 1 || !strings.Contains(message, "state folder") {
		t.Errorf("%v, %d, %q\n%s", rows, status, message, said)
	}
}

// An answer that the disk does not take is sent from memory, and nothing else is asked for before that.
func TestNoRoomForAnAnswer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, said := config(t, s)
	s.ask("q", "SELECT 'found' AS x")
	mend := spoiled(t, s, c, "spool")
	a := open(t, c)
	err := a.Once(context.Background())
	if err == nil || !strings.Contains(said.String(), "could not be kept on disk") {
		t.Errorf("not told: %v\n%s", err, said)
	}
	rows, status, _ := s.one(t, "q")
	if len(rows) != 1 || rows[0]["x"] != "found" || status != 0 || len(marksOf(t, c)) != 0 {
		t.Errorf("%v, %d, %v", rows, status, marksOf(t, c))
	}
	mend()
	must(t, a.Once(context.Background()))
	must(t, a.Close())
}

// Neither room nor a server: the answer is held, the mark stays, and no query is asked for. When there is room again, it is kept.
func TestHeld(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, _ := config(t, s)
	s.ask("q", "SELECT 'found' AS x")
	mend := spoiled(t, s, c, "spool")
	spoil := s.refuse
	s.refusing(func(w http.ResponseWriter, path string) bool {
		if path == "distributed/write" {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
		return spoil(w, path)
	})
	a := open(t, c)
	for range 3 {
		if err := a.Once(context.Background()); err == nil {
			t.Error("content")
		}
	}
	if s.polls != 1 || len(marksOf(t, c)) != 1 {
		t.Errorf("%d polls, %v", s.polls, marksOf(t, c))
	}
	mend()
	if err := a.Once(context.Background()); err == nil || len(spoolOf(t, c)) != 1 || len(marksOf(t, c)) != 0 {
		t.Errorf("%v, %v, %v", err, spoolOf(t, c), marksOf(t, c))
	}
	s.refusing(nil)
	must(t, a.Once(context.Background()))
	must(t, a.Close())
	if rows, _, _ := s.one(t, "q"); len(rows) != 1 {
		t.Error(rows)
	}
}

// What was damaged on disk is not sent as an answer.
func TestDamagedSpool(t *testing.T) {
	t.Parallel()
	for what, harm := range map[string]func(text string) string{
		"a row changed": func(text string) string { return strings.Replace(text, "found", "faund", 1) },
		"rows lost":     func(text string) string { return text[:strings.Index(text, "\n")+1] },
	} {
		s := newServer(t)
		c, said := config(t, s)
		s.ask("q", "SELECT 'found' AS x")
		s.refuse = func(w http.ResponseWriter, path string) bool {
			if path == "distributed/write" {
				w.WriteHeader(http.StatusInternalServerError)
			}
			return path == "distributed/write"
		}
		if once(t, c) == nil {
			t.Error("content")
		}
		file := filepath.Join(c.State, "spool", spoolOf(t, c)[0])
		text, err := os.ReadFile(file)
		must(t, err)
		must(t, os.WriteFile(file, []byte(harm(string(text))), 0o600))
		must(t, os.WriteFile(filepath.Join(c.State, "spool", "zero"), nil, 0o600))
		s.refusing(nil)
		delete(s.due, "q")
		must(t, once(t, c))
		rows, status, message := s.one(t, "q")
		if len(rows) != 0 || status != 1 || !strings.Contains(message, "damaged") || len(spoolOf(t, c)) != 0 || !strings.Contains(said.String(), "damaged") {
			t.Errorf("%s: %v, %d, %q", what, rows, status, message)
		}
	}
}

// A mark from the future holds for a day from now, and no longer; one that can not be read is one.
func TestMarksAndClocks(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, _ := config(t, s)
	now := time.Now()
	c.Now = func() time.Time { return now }
	must(t, once(t, c))
	const name = "e004ebd5b5532a4b85984a62f8ad48a81aa3460c1ca07701f386135d72cdecf5" // of SELECT 1
	file := filepath.Join(c.State, "running", name)
	for _, text := range []string{`{"name":"old","started":"2999-01-01T00:00:00Z","told":true}`, "\x00"} {
		must(t, os.WriteFile(file, []byte(text), 0o600))
		s.writes = nil
		s.ask("q", "SELECT 1")
		must(t, once(t, c))
		if _, status, message := s.one(t, "q"); status != 1 || !strings.Contains(message, "denylisted") {
			t.Errorf("%d, %q", status, message)
		}
		now = now.Add(25 * time.Hour)
		s.writes = nil
		s.ask("q2", "SELECT 1")
		must(t, once(t, c))
		if _, status, message := s.one(t, "q2"); status != 0 {
			t.Errorf("%d, %q", status, message)
		}
	}
}
