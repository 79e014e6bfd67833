//go:build sqlite_vtable

package agent_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// answers gives replies to writes that are no acknowledgement.
func answers() map[string]func(w http.ResponseWriter) {
	say := func(status int, text string) func(w http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.WriteHeader(status)
			fmt.Fprint(w, text)
		}
	}
	return map[string]func(w http.ResponseWriter){
		"500 empty":        say(500, ""),
		"500 {}":           say(500, "{}"),
		"200 empty":        say(200, ""),
		"200 null":         say(200, "null"),
		"200 array":        say(200, "[]"),
		"200 text":         say(200, `"ok"`),
		"200 cut":          say(200, `{"a":`),
		"200 two objects":  say(200, `{}{}`),
		"200 error":        say(200, `{"error":"busy"}`),
		"200 error null":   say(200, `{"error":null}`),
		"201 {}":           say(201, "{}"),
		"502 HTML":         say(502, "<html>bad gateway</html>"),
		"a long one":       say(200, `{"a":"`+strings.Repeat("x", 2<<20)+`"}`),
		"node_invalid odd": say(200, `{"node_invalid":"yes"}`),
		"redirect": func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://127.0.0.1:1/elsewhere")
			w.WriteHeader(http.StatusTemporaryRedirect)
			fmt.Fprint(w, "{}")
		},
		"closed": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"closed in mid-reply": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "{}")
			panic(http.ErrAbortHandler)
		},
	}
}

// An answer that was not acknowledged stays on disk, and is sent again as it was, also by a later life.
func TestNotAcknowledged(t *testing.T) {
	t.Parallel()
	for name, reply := range answers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			c, _ := config(t, s)
			s.ask("q", "SELECT 'found' AS x")
			s.refusing(func(w http.ResponseWriter, path string) bool {
				if path == "distributed/write" {
					reply(w)
				}
				return path == "distributed/write"
			})
			if err := once(t, c); err == nil {
				t.Error("the agent is content")
			}
			if len(spoolOf(t, c)) != 1 || len(marksOf(t, c)) != 0 {
				t.Fatalf("%v, %v", spoolOf(t, c), marksOf(t, c))
			}
			s.refusing(nil)
			delete(s.due, "q")
			must(t, once(t, c))
			rows, status, _ := s.one(t, "q")
			if len(rows) != 1 || rows[0]["x"] != "found" || status != 0 || len(spoolOf(t, c)) != 0 {
				t.Errorf("%v, %d", rows, status)
			}
			first, _, _ := bytes.Cut(s.tried[0], []byte(`"node_key"`)) // which may be another one
			for _, again := range s.tried[1:] {
				if !bytes.HasPrefix(again, first) {
					t.Errorf("sent again as another answer: %s", again)
				}
			}
		})
	}
}

// A server that takes no body of that size gets less, and is told so.
func TestTooLargeForTheServer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, _ := config(t, s)
	s.ask("q", "WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c LIMIT 1000) SELECT n FROM c")
	s.refusing(func(w http.ResponseWriter, path string) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		if path != "distributed/write" || len(s.tried[len(s.tried)-1]) < 2000 {
			return false
		}
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return true
	})
	must(t, once(t, c))
	rows, status, message := s.one(t, "q")
	if len(rows) != 125 || rows[124]["n"] != "125" || status != 1 || message != "answer too large for the server: cut after 125 rows" {
		t.Errorf("%d rows, %d, %q", len(rows), status, message)
	}
	// One that takes nothing at all is not asked for ever in one turn.
	s = newServer(t)
	c, _ = config(t, s)
	s.ask("q", "SELECT 1")
	s.refuse = func(w http.ResponseWriter, path string) bool {
		if path == "distributed/write" {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
		return path == "distributed/write"
	}
	if err := once(t, c); err == nil || len(s.tried) > 5 || len(spoolOf(t, c)) != 1 {
		t.Errorf("%v, %d tries", err, len(s.tried))
	}
}

// A node key that is not known any more: the agent enrols again, and what waits is sent with the new key.
func TestEnrolsAgain(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"config", "distributed/read", "distributed/write"} {
		s := newServer(t)
		c, _ := config(t, s)
		s.ask("q", "SELECT 1 AS x")
		done := false
		s.refuse = func(w http.ResponseWriter, path string) bool {
			if path != at || done {
				return false
			}
			done = true
			s.mu.Lock()
			defer s.mu.Unlock()
			s.valid = map[string]bool{}
			fmt.Fprint(w, `{"node_invalid":true}`)
			return true
		}
		must(t, once(t, c))
		rows, _, _ := s.one(t, "q")
		if len(rows) != 1 || len(s.enrols) != 2 || s.took(t)[0].Key != "key-number-2" {
			t.Errorf("%s: %v, %d enrolments", at, rows, len(s.enrols))
		}
	}
}

func TestEnrolmentRefused(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]string{
		`{"node_invalid":true}`:                 "refuses the enrol secret",
		`{"node_key":""}`:                       "holds no node key",
		`{"node_key":"a b"}`:                    "holds no node key",
		`{}`:                                    "holds no node key",
		`{"error":"no ` + password + ` today"}`: "no <redacted> today",
	} {
		s := newServer(t)
		c, said := config(t, s)
		s.refuse = func(w http.ResponseWriter, path string) bool {
			fmt.Fprint(w, reply)
			return true
		}
		err := once(t, c)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error()+said.String(), password) {
			t.Errorf("%s: %v", reply, err)
		}
	}
}
