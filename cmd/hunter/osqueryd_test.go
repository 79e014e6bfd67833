//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// osqueryd is a real one that enrolled by the flagfile of an enrolment kit.
type osqueryd struct {
	cmd *exec.Cmd
	log string // its file
}

// startOsqueryd makes the kit for a server, and runs the daemon by it. What the flagfile does not say is where it keeps its state.
func startOsqueryd(t *testing.T, binary, dir string, s *server) *osqueryd {
	t.Helper()
	kit := filepath.Join(dir, "kit")
	cmd := hunterCommand(t, s.db, "enroll-kit", "--server", s.address, "--ca", filepath.Join(dir, "tls", "ca.pem"), "--enroll-secret", "env:FLEET_SECRET",
		"--distributed-interval", "2s", "--out", kit, "--agent-dir", kit)
	cmd.Env = append(cmd.Env, "FLEET_SECRET="+testSecret)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	state, err := os.MkdirTemp("", "osqd") //nolint:usetesting // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(state) })
	o := &osqueryd{log: filepath.Join(state, "said.log")}
	said, err := os.Create(o.log)
	if err != nil {
		t.Fatal(err)
	}
	o.cmd = exec.CommandContext(t.Context(), binary, "--flagfile="+filepath.Join(kit, "hunter.flags"), "--force", "--disable_events", "--disable_extensions",
		"--database_path="+filepath.Join(state, "osquery.db"), "--pidfile="+filepath.Join(state, "osqueryd.pid"),
		"--extensions_socket="+filepath.Join(state, "osquery.em"), "--logger_path="+state)
	o.cmd.Stdout, o.cmd.Stderr, o.cmd.Dir = said, said, state
	o.cmd.Cancel = func() error { return o.cmd.Process.Signal(syscall.SIGTERM) }
	o.cmd.WaitDelay = 15 * time.Second
	if err := o.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = o.cmd.Process.Signal(syscall.SIGTERM)
		_ = o.cmd.Wait() // its end was asked for
		_ = said.Close()
	})
	return o
}

// said is what the daemon told of itself.
func (o *osqueryd) said() string {
	text, err := os.ReadFile(o.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// killWorker ends the worker as a crash does, and gives its process.
func (o *osqueryd) killWorker() (int, error) {
	id := o.cmd.Process.Pid
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", id, id))
	if err != nil {
		return 0, err
	}
	for _, child := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(child)
		if err != nil {
			return 0, err
		}
		return pid, syscall.Kill(pid, syscall.SIGKILL)
	}
	return 0, errors.New("osqueryd has no worker")
}

// await looks again until a statement on the database finds something.
func await(t *testing.T, s *server, o *osqueryd, what, text string, args ...any) []string {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if found := sqlTexts(t, s.db, text, args...); len(found) > 0 {
			return found
		}
	}
	events := sqlTexts(t, s.db, `SELECT kind || ' ' || coalesce(detail, '') FROM event ORDER BY seq DESC LIMIT 10`)
	t.Fatalf("%s: not within 3 minutes\nevents, the last first: %s\nosqueryd: %s\nserver: %s", what, strings.Join(events, "\n"), o.said(), s.said())
	return nil
}

// A real osqueryd, wherever OSQUERYD names its binary: it enrols by the kit's flagfile, finds a planted file, proves that another one is
// not there, and when its worker is killed in a query it says that it refuses that, and is asked in lighter words.
func TestRealOsquerydInAFleet(t *testing.T) {
	t.Parallel()
	binary := os.Getenv("OSQUERYD")
	if binary == "" {
		t.Skip("the variable OSQUERYD names no osqueryd binary, so no real agent enrolled")
	}
	dir, place := t.TempDir(), t.TempDir()
	s := serving(t, dir)
	o := startOsqueryd(t, binary, dir, s)
	await(t, s, o, "the enrolment", `SELECT id FROM node WHERE agent = 'osquery' AND version <> ''`)
	if err := os.WriteFile(filepath.Join(place, "evil.bin"), []byte(evil), 0o644); err != nil {
		t.Fatal(err)
	}
	sweep := []string{"sweep", "--tool", "fleet", "--path", place, "--where", "files", "--json"}
	code, out, errs := hunterDoes(t, s.db, append(sweep, evilDigest(), "--wait", "3m")...)
	if got := decode[fleetRun](t, out); code != 1 || got.Coverage.Hit != 1 || len(got.Hits) != 1 || got.Hits[0].Path != filepath.Join(place, "evil.bin") {
		t.Fatalf("exit code %d\n%s\n%s\n%s", code, out, errs, o.said())
	}
	code, out, _ = hunterDoes(t, s.db, append(sweep, shaOf("nobody has it"), "--wait", "3m")...)
	if got := decode[fleetRun](t, out); code != 0 || got.Coverage.Proven != 1 {
		t.Errorf("exit code %d\n%s", code, out)
	}

	for i := range 200 { // work for a while
		f, err := os.Create(filepath.Join(place, fmt.Sprint("large ", i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Truncate(40<<20), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	_, out, errs = hunterDoes(t, s.db, "sweep", "--tool", "fleet", "--path", place, "--where", "files", "--full", shaOf("nobody has this either"), "--detach") // whole: no budget ends it early
	run := strings.TrimSpace(out)
	if len(run) != 36 {
		t.Fatal(out, errs)
	}
	await(t, s, o, "the query is handed out", `SELECT name FROM handout WHERE run = ?`, run)
	time.Sleep(time.Second) // it has begun to read
	pid, err := o.killWorker()
	if err != nil {
		t.Fatal(err)
	}
	refused := await(t, s, o, "the refusal", `SELECT detail FROM event WHERE run = ? AND kind = 'answered' AND json_extract(detail, '$.denylisted') = 1`, run)
	for i := range 200 { // the lighter words end soon
		if err := os.Remove(filepath.Join(place, fmt.Sprint("large ", i))); err != nil {
			t.Fatal(err)
		}
	}
	again := await(t, s, o, "other words", `SELECT name FROM handout WHERE run = ? AND attempt >= 3`, run)
	code, out, _ = hunterDoes(t, s.db, "run", "--resume", run, "--json", "--wait", "3m")
	t.Logf("real osqueryd %s: enrolled, 1 planted file found, worker %d killed, %d refusals told, asked again as %q; the run ends with %d: %s",
		sqlTexts(t, s.db, `SELECT version FROM node`), pid, len(refused), again, code, out)
	if got := decode[fleetRun](t, out); got.State != "finished" {
		t.Errorf("%s", out)
	}
}
