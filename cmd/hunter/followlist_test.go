package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/results/resultstest"
)

// followed is a list that is followed while a test writes to its database. Each line is waited for.
type followed struct {
	t     *testing.T
	lines *bufio.Scanner
	errs  strings.Builder
	code  chan int
	stop  context.CancelFunc
}

func startFollow(t *testing.T, db string, args ...string) *followed {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	f := &followed{t: t, lines: bufio.NewScanner(r), code: make(chan int, 1), stop: stop}
	f.lines.Buffer(nil, 1<<20)
	go func() {
		code := run(ctx, append(args, "--follow", "--db", db), streams{out: w, err: &f.errs})
		_ = w.Close() // always nil
		f.code <- code
	}()
	t.Cleanup(func() {
		stop()
		_ = r.Close() // always nil
	})
	return f
}

// next waits for a line.
func (f *followed) next() (line map[string]any) {
	f.t.Helper()
	if !f.lines.Scan() {
		f.t.Fatalf("it ended: exit code %d, %s", <-f.code, f.errs.String())
	}
	if err := json.Unmarshal(f.lines.Bytes(), &line); err != nil {
		f.t.Fatalf("%v in %q", err, f.lines.Text())
	}
	return line
}

// ends waits for the end, before which nothing more is printed.
func (f *followed) ends() {
	f.t.Helper()
	for f.lines.Scan() {
		f.t.Errorf("one line too many: %s", f.lines.Text())
	}
	if code := <-f.code; code != 0 || f.errs.String() != "" {
		f.t.Errorf("exit code %d, %s", code, f.errs.String())
	}
}

// followDB has a run with three endpoints, one of which has answered with a hit.
func followDB(t *testing.T) (path string, s *results.Store) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "h.db")
	s, err := results.Open(t.Context(), path, results.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	resultstest.Start(t, s, resultstest.RunOne, "one", resultstest.At(0), resultstest.Plan([]string{"h1", "h2", "h3"}, nil))
	hit(t, s, resultstest.RunOne, "h1", "/tmp/1", 1)
	return path, s
}

func hit(t *testing.T, s *results.Store, run, endpoint, path string, minute int) {
	t.Helper()
	a := resultstest.Answered(run, endpoint, "fleet", resultstest.At(minute), ledger.Hit, true, resultstest.Row(path))
	if err := s.RecordAnswer(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}

func finish(t *testing.T, s *results.Store, run string) {
	t.Helper()
	if err := s.FinishRun(t.Context(), run, results.RunFinished, 1, ""); err != nil {
		t.Fatal(err)
	}
}

func TestFollowHits(t *testing.T) {
	t.Parallel()
	path, s := followDB(t)
	f := startFollow(t, path, "hits", "last", "--host", "H1.plant.example")
	got := []map[string]any{f.next()}
	hit(t, s, resultstest.RunOne, "h2", "/tmp/of another host", 2)
	resultstest.Start(t, s, resultstest.RunTwo, "two", resultstest.At(2), resultstest.Plan([]string{"h1"}, nil))
	hit(t, s, resultstest.RunTwo, "h1", "/tmp/of another run", 2)
	hit(t, s, resultstest.RunOne, "h1", "/tmp/2", 3)
	got = append(got, f.next())
	hit(t, s, resultstest.RunOne, "h1", "/tmp/3", 4)
	finish(t, s, resultstest.RunOne)
	got = append(got, f.next())
	f.ends()

	var out strings.Builder
	if code := run(t.Context(), []string{"hits", resultstest.RunOne, "--host", "h1", "--json", "--db", path}, streams{out: &out, err: io.Discard}); code != 0 {
		t.Fatal(code)
	}
	want := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(want) != 3 {
		t.Fatalf("%d hits", len(want))
	}
	for i, line := range want {
		var listed map[string]any
		if err := json.Unmarshal([]byte(line), &listed); err != nil {
			t.Fatal(err)
		}
		sameJSON(t, listed, got[i])
	}
}

func sameJSON(t *testing.T, want, got any) {
	t.Helper()
	w, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	g, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if string(w) != string(g) {
		t.Errorf("listed:   %s\nfollowed: %s", w, g)
	}
}

// HUNTER_FOLLOW is of pivot's flag.
func TestFollowHasNoVariable(t *testing.T) {
	path, _ := followDB(t)
	t.Setenv("HUNTER_FOLLOW", "related_report")
	var out, errs strings.Builder
	if code := run(t.Context(), []string{"hits", "--db", path}, streams{out: &out, err: &errs}); code != 0 || !strings.Contains(out.String(), "/tmp/1") {
		t.Errorf("exit code %d, %s", code, errs.String())
	}
}

// More hits than a page has, and after them those that are new.
func TestFollowManyHits(t *testing.T) {
	t.Parallel()
	path, s := followDB(t)
	var rows []ledger.HitRow
	for i := range 2*followPage + 1 {
		rows = append(rows, resultstest.Row("/srv/"+strings.Repeat("x", i+1)))
	}
	a := resultstest.Answered(resultstest.RunOne, "h2", "fleet", resultstest.At(2), ledger.Hit, true, rows...)
	if err := s.RecordAnswer(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	f := startFollow(t, path, "hits")
	seen := map[any]bool{}
	for range 1 + len(rows) {
		seen[f.next()["id"]] = true
	}
	hit(t, s, resultstest.RunOne, "h1", "/tmp/new", 3)
	if line := f.next(); line["path"] != "/tmp/new" || len(seen) != 1+len(rows) {
		t.Errorf("%d hits, then %v", len(seen), line)
	}
	f.stop() // as Ctrl-C
	f.ends()
}

func TestFollowFindings(t *testing.T) {
	t.Parallel()
	path, s := followDB(t)
	f := startFollow(t, path, "findings", "--host", "h1", "--limit", "4")
	is := func(path, verdict string, runs int, last string) {
		t.Helper()
		line := f.next()
		if line["path"] != path || line["verdict"] != verdict || line["runs"] != float64(runs) || !strings.Contains(line["last_seen"].(string), last) {
			t.Errorf("%v", line)
		}
	}
	is("/tmp/1", "new", 1, "T10:01")
	found, err := s.Findings(t.Context(), results.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Triage(t.Context(), found[0].ID, results.FindingConfirmed, "alice", ""); err != nil {
		t.Fatal(err)
	}
	is("/tmp/1", "confirmed", 1, "T10:01")
	hit(t, s, resultstest.RunOne, "h2", "/tmp/of another host", 2)
	hit(t, s, resultstest.RunOne, "h1", "/tmp/2", 2)
	is("/tmp/2", "new", 1, "T10:02")
	resultstest.Start(t, s, resultstest.RunTwo, "two", resultstest.At(2), resultstest.Plan([]string{"h1"}, nil))
	hit(t, s, resultstest.RunTwo, "h1", "/tmp/1", 3)
	is("/tmp/1", "confirmed", 2, "T10:03")
	f.ends() // at --limit
}

func TestFollowRuns(t *testing.T) {
	t.Parallel()
	path, s := followDB(t)
	f := startFollow(t, path, "runs", "--run", "last")
	is := func(state string, hits int) {
		t.Helper()
		line := f.next()
		if line["schema"] != "hunter.run/1" || line["run"] != resultstest.RunOne || line["state"] != state || line["hits_total"] != float64(hits) {
			t.Errorf("%v is %v with %v hits instead of %s with %d", line["run"], line["state"], line["hits_total"], state, hits)
		}
	}
	is("running", 1)
	hit(t, s, resultstest.RunOne, "h2", "/tmp/2", 2)
	is("running", 2)
	resultstest.Start(t, s, resultstest.RunTwo, "two", resultstest.At(2), resultstest.Plan([]string{"h1"}, nil))
	finish(t, s, resultstest.RunOne)
	is("finished", 2)
	f.ends()

	f = startFollow(t, path, "runs", "--limit", "2") // the one that was stored first before the other
	is("finished", 2)
	if line := f.next(); line["run"] != resultstest.RunTwo {
		t.Errorf("%v", line)
	}
	f.ends()
}

func TestFollowIsRefused(t *testing.T) {
	t.Parallel()
	path, _ := followDB(t)
	none := filepath.Join(t.TempDir(), "none.db")
	tell := func(args ...string) string {
		t.Helper()
		var out, errs strings.Builder
		if code := run(t.Context(), args, streams{out: &out, err: &errs}); code != 2 || out.Len() > 0 {
			t.Errorf("%v: exit code %d, %s", args, code, out.String())
		}
		return errs.String()
	}
	for _, list := range []string{"hits", "findings", "runs"} {
		if said := tell(list, "--follow", "--csv", "--db", path); !strings.Contains(said, "leave one of --follow and --csv out") {
			t.Errorf("%s: %s", list, said)
		}
		if said, before := tell(list, "--follow", "--db", none), tell(list, "--db", none); said != before {
			t.Errorf("%s without a database: %s instead of %s", list, said, before)
		}
		if said := tell(list, "--follow", "--run", "nope", "--db", path); !strings.Contains(said, results.ErrNoRun.Error()) {
			t.Errorf("%s: %s", list, said)
		}
	}
}
