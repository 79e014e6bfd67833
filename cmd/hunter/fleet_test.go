//go:build !windows

package main

import (
	"bufio"
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
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/results"
)

const evil = "evil, but harmless"

func evilDigest() string {
	sum := sha256.Sum256([]byte(evil))
	return hex.EncodeToString(sum[:])
}

// fleetRun is what of a run's JSON the tests of a fleet look at.
type fleetRun struct {
	Run      string `json:"run"`
	State    string `json:"state"`
	ExitCode *int   `json:"exit_code"`
	Coverage struct {
		Endpoints int     `json:"endpoints"`
		Hit       int     `json:"hit"`
		Absent    int     `json:"absent"`
		Asleep    int     `json:"asleep"`
		Proven    int     `json:"proven"`
		Ratio     float64 `json:"verified_ratio"`
	} `json:"coverage"`
	Hits []struct {
		Hostname, Path, Tool string
	} `json:"hits"`
}

// hunterDoes runs a command and gives its exit code and what it said.
func hunterDoes(t *testing.T, db string, args ...string) (code int, out, errs string) {
	t.Helper()
	cmd := hunterCommand(t, db, append(args, "--quiet=false")...)
	var o, e strings.Builder
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), o.String(), e.String()
}

func decode[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return v
}

// From nothing to the first proven hunt: three machines enrol, one has the file, two are proven not to have it.
func TestFleet(t *testing.T) {
	t.Parallel()
	s := serving(t, t.TempDir())
	if code, _, errs := hunterDoes(t, s.db, "sweep", evilDigest(), "--tool", "fleet", "--wait", "60s", "--json"); code != 3 || !strings.Contains(errs, "no machine has enrolled") {
		t.Errorf("before anybody enrolled: %d %s", code, errs)
	}
	f := newFleet(t, 3)
	f.plant(t, 1, "sub/evil.bin", evil)
	f.run(t, s)
	code, out, errs := hunterDoes(t, s.db, "sweep", evilDigest(), "--tool", "fleet", "--path", f.folder(0), "--wait", "60s", "--json")
	if code != 1 {
		t.Fatalf("exit code %d\n%s\n%s\n%s", code, out, errs, s.said())
	}
	got := decode[fleetRun](t, out)
	c := got.Coverage
	if got.State != "finished" || *got.ExitCode != 1 || c.Endpoints != 3 || c.Hit != 1 || c.Absent != 2 || c.Proven != 3 || c.Ratio != 1 {
		t.Errorf("%s", out)
	}
	if len(got.Hits) != 1 || got.Hits[0].Hostname != "host-001" || got.Hits[0].Tool != "fleet" || !strings.HasSuffix(got.Hits[0].Path, "sub/evil.bin") {
		t.Errorf("hits: %+v", got.Hits)
	}
	other := sha256.Sum256([]byte("nobody has this"))
	code, out, _ = hunterDoes(t, s.db, "sweep", hex.EncodeToString(other[:]), "--tool", "fleet", "--path", f.folder(0), "--wait", "60s", "--json")
	if got := decode[fleetRun](t, out); code != 0 || got.Coverage.Absent != 3 || got.Coverage.Proven != 3 {
		t.Errorf("exit code %d: %s", code, out)
	}
	f.stop()
	if code := s.stop(t); code != 0 {
		t.Errorf("the server ends with %d:\n%s", code, s.said())
	}
	code, _, errs = hunterDoes(t, s.db, "sweep", evilDigest(), "--tool", "fleet", "--wait", "1s", "--json")
	if code != 2 || !strings.Contains(errs, "no server is live") || !strings.Contains(errs, "https://"+s.address) || !strings.Contains(errs, "stopped ") {
		t.Errorf("without a server: %d %s", code, errs)
	}
}

// A second server on the same database is refused, and told which one is there.
func TestOneServerADatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serving(t, dir)
	cmd := hunterCommand(t, s.db, "serve", "--listen", "127.0.0.1:0", "--tls-self-signed", filepath.Join(dir, "tls"), "--enroll-secret", "env:FLEET_SECRET")
	cmd.Env = append(cmd.Env, "FLEET_SECRET="+testSecret)
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "https://"+s.address) || !strings.Contains(string(out), fmt.Sprint("process ", s.cmd.Process.Pid)) {
		t.Errorf("%v: %s", err, out)
	}
	s.kill(t)
	again := serving(t, dir) // at once, though the first never said that it ended
	if code := again.stop(t); code != 0 {
		t.Errorf("%d: %s", code, again.said())
	}
}

// A server that is killed in the middle of a run, again and again, ends it with all answers and none twice.
func TestServerKilledInMidRun(t *testing.T) {
	t.Parallel()
	const hosts, kills = 12, 5
	dir := t.TempDir()
	s := serving(t, dir)
	f := newFleet(t, hosts)
	for _, i := range []int{0, 5, 11} {
		f.plant(t, i, "evil.bin", evil)
	}
	f.lossy = true
	f.run(t, s)
	code, out, errs := hunterDoes(t, s.db, "sweep", evilDigest(), "--tool", "fleet", "--path", f.folder(0), "--rate", "120/min", "--detach")
	run := strings.TrimSpace(out)
	if code != 3 || len(run) != 36 {
		t.Fatalf("%d %q %s", code, out, errs)
	}
	var targets []string
	inMidRun := 0
	for range kills {
		time.Sleep(time.Duration(rand.IntN(900)) * time.Millisecond) // any moment is good
		s.kill(t)
		if now := sqlTexts(t, s.db, `SELECT endpoint FROM report_coverage WHERE run = ? ORDER BY endpoint`, run); targets == nil && len(now) > 0 {
			targets = now
		}
		inMidRun += len(sqlTexts(t, s.db, `SELECT id FROM run WHERE id = ? AND state IN ('planned', 'running')`, run))
		s = serving(t, dir)
		f.find(s)
	}
	code, out, errs = hunterDoes(t, s.db, "run", "--resume", run, "--json", "--wait", "60s")
	got := decode[fleetRun](t, out)
	if c := got.Coverage; code != 1 || got.Run != run || got.State != "finished" || c.Endpoints != hosts || c.Hit != 3 || c.Absent != hosts-3 || c.Proven != hosts || len(got.Hits) != 3 {
		t.Errorf("exit code %d\n%s\n%s\n%s", code, out, errs, s.said())
	}
	f.stop()
	all := sqlTexts(t, s.db, `SELECT endpoint FROM report_coverage WHERE run = ? ORDER BY endpoint`, run)
	if len(all) != hosts || len(slices.Compact(slices.Clone(all))) != hosts || (targets != nil && !slices.Equal(all, targets)) {
		t.Errorf("targets %q, and after the first kill %q", all, targets)
	}
	for what, text := range map[string]string{
		"hits that are there twice": `SELECT endpoint FROM report_hits WHERE run = ? GROUP BY endpoint, tool, path, pid, sha256, found_in HAVING count(*) > 1`,
		"findings counted twice":    `SELECT f.finding FROM report_findings f JOIN report_hits h ON h.finding = f.finding WHERE h.run = ? GROUP BY f.finding HAVING count(*) > 1`,
		"answers stored twice":      `SELECT endpoint FROM answer WHERE run = ? GROUP BY endpoint, tool, query HAVING count(*) > 1`,
		"answers nobody asked for":  `SELECT id FROM node WHERE foreigners > 0 AND ? <> ''`,
		"questions without answer":  `SELECT endpoint FROM query WHERE run = ? AND state <> 'answered'`,
	} {
		if found := sqlTexts(t, s.db, text, run); len(found) > 0 {
			t.Errorf("%s: %q", what, found)
		}
	}
	asked := sqlTexts(t, s.db, `SELECT name FROM handout WHERE run = ?`, run)
	if f.lost == 0 || inMidRun == 0 {
		t.Errorf("%d replies got lost, %d kills in mid-run", f.lost, inMidRun)
	}
	t.Logf("%d kills, %d before the end: %d targets the same, %d of %d proven, %d names handed out, %d writes resent for a lost reply, %d hits, 0 doubled, 0 lost",
		kills, inMidRun, len(all), got.Coverage.Proven, hosts, len(asked), f.lost, len(got.Hits))
}

// sqlTexts gives one column of the database of a server, which may be at work.
func sqlTexts(t *testing.T, db, text string, args ...any) (out []string) {
	t.Helper()
	s, err := results.Open(t.Context(), db, results.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() // read-only
	_, pool := s.DB()
	rows, err := pool.QueryContext(t.Context(), text, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() // read to its end
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// A person pauses, resumes and stops runs from another process.
func TestWishes(t *testing.T) {
	t.Parallel()
	s := serving(t, t.TempDir())
	f := newFleet(t, 4)
	f.run(t, s)
	_, out, _ := hunterDoes(t, s.db, "sweep", evilDigest(), "--tool", "fleet", "--path", f.folder(0), "--rate", "1/min", "--detach")
	run := strings.TrimSpace(out)
	for _, c := range []struct{ verb, state string }{{"pause", "paused"}, {"resume", "running"}, {"stop", "stopped"}} {
		code, out, errs := hunterDoes(t, s.db, "runs", c.verb, run, "--json")
		got := decode[struct{ Schema, Run, Wish, State string }](t, out)
		if code != 0 || got.Schema != "hunter.wish/1" || got.Run != run || got.State != c.state {
			t.Errorf("%s: %d %s %s\n%s", c.verb, code, out, errs, s.said())
		}
	}
	code, out, errs := hunterDoes(t, s.db, "runs", "watch", run, "--json") // it is over
	last := decode[struct {
		State, Reason string
		Targets       int
	}](t, out)
	if code != 0 || last.State != "stopped" || last.Targets != 4 || !strings.Contains(last.Reason, "stopped by a person") {
		t.Errorf("watch: %d %s %s", code, out, errs)
	}
	if code, _, errs := hunterDoes(t, s.db, "runs", "pause", run); code != 2 || !strings.Contains(errs, "the run is over") {
		t.Errorf("pause of what is over: %d %s", code, errs)
	}
	if code, out, _ := hunterDoes(t, s.db, "run", "--resume", run, "--json"); code != 3 || decode[fleetRun](t, out).State != "stopped" {
		t.Errorf("resume of what is over: %d %s", code, out)
	}
}

// Waiting ends with --wait or Ctrl-C, and the run goes on.
func TestWaitingEndsAndTheRunGoesOn(t *testing.T) {
	t.Parallel()
	s := serving(t, t.TempDir())
	f := newFleet(t, 3)
	f.run(t, s)
	args := []string{"sweep", evilDigest(), "--tool", "fleet", "--path", f.folder(0), "--rate", "1/min", "--json"}
	code, out, errs := hunterDoes(t, s.db, append(args, "--wait", "1s")...)
	if got := decode[fleetRun](t, out); code != 3 || got.State == "finished" || got.ExitCode != nil || !strings.Contains(errs, "goes on at the server") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	cmd := hunterCommand(t, s.db, append(args, "--quiet=false")...)
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "is requested") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
		}
	}
	_ = cmd.Wait() // the code says it
	if code := cmd.ProcessState.ExitCode(); code != 3 {
		t.Errorf("Ctrl-C ends with %d", code)
	}
	_, out, _ = hunterDoes(t, s.db, "runs", "--json", "--limit", "1")
	if got := decode[fleetRun](t, out); got.State == "detached" || got.State == "failed" {
		t.Errorf("after Ctrl-C: %s", out)
	}
}

// Who was let go and has not come since before the run is told as asleep when the waiting ends.
func TestWaitingEndsForThoseAsleep(t *testing.T) {
	t.Parallel()
	s := serving(t, t.TempDir())
	f := newFleet(t, 2)
	f.run(t, s)
	args := []string{"--json", "--wait", "30s"}
	code, out, errs := hunterDoes(t, s.db, append([]string{"sweep", evilDigest(), "--tool", "fleet", "--path", f.folder(0)}, args...)...)
	if code != 0 {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	f.stop()
	_, out, _ = hunterDoes(t, s.db, "sweep", evilDigest(), "--tool", "fleet", "--path", f.folder(0), "--detach")
	run := strings.TrimSpace(out)
	for range 20 { // until they are let go
		code, out, errs = hunterDoes(t, s.db, "run", "--resume", run, "--json", "--wait", "1s")
		got := decode[fleetRun](t, out)
		if code != 3 || got.Coverage.Endpoints > 2 {
			t.Fatalf("%d %s %s", code, out, errs)
		}
		if got.Coverage.Asleep == 2 && got.State == "running" {
			return
		}
	}
	t.Errorf("%s\n%s", out, s.said())
}

// Hunts of files whose targets are a fleet go to the server, with the providers of those files; a hint tells of a fleet that is not asked.
func TestHuntsOnAFleet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serving(t, dir)
	f := newFleet(t, 2)
	f.plant(t, 1, "evil.bin", evil)
	f.run(t, s)
	file := filepath.Join(dir, "hunts.yaml")
	text := fmt.Sprintf(`version: 1
tools:
  - {name: laptops, type: osquery_remote}
  - {name: this-machine, type: osquery, engine: embedded}
hunts:
  - name: both
    seed: {hashes: [%s]}
    search: {where: [files], paths: {linux: [%q]}}
  - name: here
    seed: {hashes: [%s]}
    search: {where: [files], paths: {linux: [%q]}}
    targets: {tools: [this-machine]}
`, evilDigest(), f.folder(0), evilDigest(), f.folder(0))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errs := hunterDoes(t, s.db, "run", file, "--hunt", "both", "--json", "--wait", "60s")
	got := decode[fleetRun](t, out)
	if c := got.Coverage; code != 1 || c.Endpoints != 3 || c.Hit != 1 || c.Absent != 2 || got.Hits[0].Tool != "laptops" {
		t.Errorf("%d %s %s\n%s", code, out, errs, s.said())
	}
	code, out, errs = hunterDoes(t, s.db, "run", file, "--json", "--wait", "60s")
	if lines := strings.Split(strings.TrimSpace(out), "\n"); code != 1 || len(lines) != 2 {
		t.Errorf("both kinds in one command: %d %s %s", code, out, errs)
	}
	code, _, errs = hunterDoes(t, s.db, "sweep", evilDigest(), "--tool", "fleet", "--label", "no-such", "--wait", "60s", "--json")
	if code != 3 || !strings.Contains(errs, "2 machines enrolled, and none is what") {
		t.Errorf("a label that nobody has: %d %s", code, errs)
	}
	code, out, errs = hunterDoes(t, s.db, "sweep", evilDigest(), "--path", f.folder(0), "--json")
	if code != 0 || decode[fleetRun](t, out).Coverage.Endpoints != 1 || !strings.Contains(errs, "2 machines enrolled with hunter serve and not asked") {
		t.Errorf("without the fleet: %d %s %s", code, out, errs)
	}
	code, _, errs = hunterDoes(t, s.db, "sweep", evilDigest(), "--tool", "flet", "--json")
	if code != 2 || !strings.Contains(errs, `did you mean "fleet"?`) {
		t.Errorf("a slip: %d %s", code, errs)
	}
	code, out, _ = hunterDoes(t, s.db, "plan", evilDigest(), "--tool", "fleet", "--path", f.folder(0))
	if code != 0 || !strings.Contains(out, "fleet") {
		t.Errorf("plan: %d %s", code, out)
	}
}

func TestNoServerEver(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "hunter.db")
	for range 2 {
		code, _, errs := hunterDoes(t, db, "sweep", evilDigest(), "--tool", "fleet", "--json")
		if code != 2 || !strings.Contains(errs, "no server is live") || !strings.Contains(errs, "none ever was") {
			t.Errorf("%d %s", code, errs)
		}
		if _, err := os.Stat(db); err == nil {
			break
		}
		hunterDoes(t, db, "sweep", evilDigest(), "--path", filepath.Dir(db), "--json") // now there is a database
	}
}

func TestBadServerFlags(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		says []string
	}{
		{nil, []string{"--tls-self-signed DIR", "--enroll-secret env:NAME"}},
		{[]string{"--tls-cert", "x"}, []string{"belong together"}},
		{[]string{"--tls-self-signed", dir, "--tls-cert", "x", "--listen", "nowhere", "--distributed-interval", "2h"}, []string{"contradict", "nowhere", "from 1s to 1h"}},
		{[]string{"--tls-self-signed", dir, "--enroll-secret", "hunter2hunter2"}, []string{"a secret written out"}},
		{[]string{"--tls-self-signed", dir, "--enroll-secret", "file:" + secret}, []string{"enroll secret secret: it is empty"}},
		{[]string{"--tls-self-signed", dir, "--enroll-secret", "env:NO_SUCH_VARIABLE_HERE"}, []string{"NO_SUCH_VARIABLE_HERE is not set"}},
		{[]string{"--tls-cert", "none.pem", "--tls-key", "none.key", "--enroll-secret", "file:" + secret + "2"}, []string{"no such file"}},
	} {
		code, _, errs := hunterDoes(t, filepath.Join(dir, "x.db"), append([]string{"serve", "--listen", "127.0.0.1:0"}, c.args...)...)
		for _, want := range c.says {
			if code != 2 || !strings.Contains(errs, want) || strings.Contains(errs, "hunter2") {
				t.Errorf("%v: %d, not %q in %s", c.args, code, want, errs)
			}
		}
	}
}
