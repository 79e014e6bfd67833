package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/results"
)

// outcome is what of a run's JSON must be the same after a kill.
type outcome struct {
	Run      string `json:"run"`
	State    string `json:"state"`
	ExitCode int    `json:"exit_code"`
	Hits     int    `json:"hits_total"`
	Coverage struct {
		Endpoints int `json:"endpoints"`
		Hit       int `json:"hit"`
		Proven    int `json:"proven"`
	} `json:"coverage"`
}

// hunterCommand is hunter in a process of its own.
func hunterCommand(t *testing.T, db string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1", "HUNTER_DB="+db, "HUNTER_QUIET=true", "GORACE=atexit_sleep_ms=0")
	return cmd
}

func lastJSON(t *testing.T, cmd *exec.Cmd) (out outcome, ok bool) {
	t.Helper()
	text, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	line := bytes.SplitN(bytes.TrimSpace(text), []byte("\n"), 2)[0]
	if len(line) == 0 {
		return out, false
	}
	if err := json.Unmarshal(line, &out); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return out, true
}

// A run that is killed at any moment goes on under its id and ends with exactly the hits of an undisturbed one.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	const folders = 12
	base := t.TempDir()
	args := []string{"sweep", "--json"}
	body := bytes.Repeat([]byte("x"), 100_000)
	for i := range folders {
		dir := filepath.Join(base, fmt.Sprint(i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--path", dir)
		for j := range 10 {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(j)), append(fmt.Appendf(nil, "%d %d", i, j), body...), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, i := range []int{0, 5, folders - 1} { // hits early, midway and late
		sum := sha256.Sum256(append(fmt.Appendf(nil, "%d 3", i), body...))
		args = append(args, hex.EncodeToString(sum[:]))
	}
	began := time.Now()
	undisturbed := filepath.Join(t.TempDir(), "h.db")
	want, ok := lastJSON(t, hunterCommand(t, undisturbed, args...))
	whole := time.Since(began)
	if !ok || want.Hits != 3 || want.State != "finished" || want.ExitCode != 1 || want.Coverage.Proven != 1 {
		t.Fatalf("undisturbed: %+v", want)
	}
	moments := 50
	if testing.Short() {
		moments = 5
	}
	calm := durable(t, undisturbed, want.Run)
	first := calm.started.Sub(began) // until then there is nothing to resume
	t.Logf("an undisturbed run: recorded after %d ms, over after %d ms, %d questions, %d hits", first.Milliseconds(), whole.Milliseconds(),
		len(calm.queries), len(calm.hits))
	killed, early, late := 0, 0, 0
	for i := 0; killed < moments; i++ {
		if i == 5*moments {
			t.Fatalf("%d kills struck a run; %d came before it was recorded, %d when it was over", killed, early, late)
		}
		db := filepath.Join(t.TempDir(), "h.db")
		cmd := hunterCommand(t, db, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		part := (whole - first) / time.Duration(moments)
		moment := first + part*time.Duration(i%moments) + rand.N(part)
		time.Sleep(moment)
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		found, ok := lastJSON(t, hunterCommand(t, db, "runs", "--json"))
		switch {
		case !ok: // nothing was promised; the machine is slower by now
			early++
			whole += (whole - first) / 10
			continue
		case found.State == "finished":
			late++
			whole -= (whole - first) / 10
		default:
			killed++
		}
		before := durable(t, db, found.Run)
		got, _ := lastJSON(t, hunterCommand(t, db, "run", "--resume", found.Run, "--json"))
		after := durable(t, db, found.Run)
		asked, twice := after.since(before)
		if found.State != "finished" {
			t.Logf("kill %2d after %4d ms: %-8s %2d of %2d answered, %d in flight, %d hits; resumed: %2d asked, %d of them answered before, %d hits", killed,
				moment.Milliseconds(), found.State, before.answered(), len(before.queries), before.inFlight(), len(before.hits), asked, twice, len(after.hits))
		}
		got.Run, want.Run = found.Run, found.Run
		if got != want || twice > 0 || !slices.Equal(after.hits, calm.hits) {
			t.Fatalf("resumed: %+v instead of %+v; %v", got, want, after.hits)
		}
	}
	t.Logf("%d runs were killed and resumed; %d kills more came before the run was recorded, %d when it was over", killed, early, late)
}

// kept is what a database holds of a run.
type kept struct {
	started time.Time
	queries []results.StoredQuery
	hits    []string // paths
}

func durable(t *testing.T, db, run string) (k kept) {
	t.Helper()
	s, err := results.Open(t.Context(), db, results.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	sum, err := s.Run(t.Context(), run)
	queries, err2 := s.Queries(t.Context(), run)
	hits, _, err3 := s.Hits(t.Context(), results.Filter{Run: run})
	if err := errors.Join(err, err2, err3, s.Close()); err != nil {
		t.Fatal(err)
	}
	k.started, k.queries = sum.StartedAt, queries
	for _, h := range hits {
		k.hits = append(k.hits, h.PathText)
	}
	slices.Sort(k.hits)
	return k
}

func (k kept) answered() (n int) {
	for _, q := range k.queries {
		if q.State == results.QueryAnswered {
			n++
		}
	}
	return n
}

// inFlight counts the questions that were asked and had no answer yet.
func (k kept) inFlight() (n int) {
	for _, q := range k.queries {
		if q.State != results.QueryAnswered && q.Attempts > 0 {
			n++
		}
	}
	return n
}

// since counts what was asked after an earlier state, and how much of it had been answered by then.
func (k kept) since(before kept) (asked, twice int) {
	had := map[string]results.StoredQuery{}
	for _, q := range before.queries {
		had[q.Query.ID] = q
	}
	for _, q := range k.queries {
		n := q.Attempts - had[q.Query.ID].Attempts
		asked += n
		if had[q.Query.ID].State == results.QueryAnswered {
			twice += n
		}
	}
	return asked, twice
}
