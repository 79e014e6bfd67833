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
	"testing"
	"time"
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
	want, ok := lastJSON(t, hunterCommand(t, filepath.Join(t.TempDir(), "h.db"), args...))
	whole := time.Since(began)
	if !ok || want.Hits != 3 || want.State != "finished" || want.ExitCode != 1 || want.Coverage.Proven != 1 {
		t.Fatalf("undisturbed: %+v", want)
	}
	moments := 50
	if testing.Short() {
		moments = 5
	}
	resumed := 0
	for range moments {
		db := filepath.Join(t.TempDir(), "h.db")
		cmd := hunterCommand(t, db, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(whole))
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		found, ok := lastJSON(t, hunterCommand(t, db, "runs", "--json"))
		if !ok {
			continue // killed before the run was recorded: nothing was promised
		}
		resumed++
		got, _ := lastJSON(t, hunterCommand(t, db, "run", "--resume", found.Run, "--json"))
		got.Run, want.Run = found.Run, found.Run
		if got != want {
			t.Fatalf("resumed: %+v instead of %+v", got, want)
		}
	}
	if resumed == 0 {
		t.Error("every kill came too early to resume anything")
	}
	t.Logf("%d of %d killed runs were resumed", resumed, moments)
}
