package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// asNobody is the variable that makes hunter's process in a test that of a user without rights. The test binary lies
// where only its owner may go, so the process is started as root and drops its rights.
const asNobody = "HUNTER_TEST_AS_NOBODY"

func dropRights() {
	if os.Getenv(asNobody) == "" {
		return
	}
	const nobody = 65534
	if err := errors.Join(syscall.Setgroups(nil), syscall.Setresgid(nobody, nobody, nobody), syscall.Setresuid(nobody, nobody, nobody)); err != nil {
		fmt.Fprintln(os.Stderr, "drop rights:", err)
		os.Exit(99)
	}
}

// A user who is not root gets told so, what could not be read is never proven absent, and what was found is found.
func TestWithoutRights(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become a user without rights")
	}
	dir := t.TempDir()
	place, state := filepath.Join(dir, "place"), filepath.Join(dir, "state")
	steps := []error{os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755), os.MkdirAll(filepath.Join(place, "closed"), 0o755), os.Mkdir(state, 0o755)}
	for name, mode := range map[string]os.FileMode{"open": 0o644, "secret": 0o600, "closed/x": 0o644} {
		steps = append(steps, os.WriteFile(filepath.Join(place, name), []byte("hello\n"), 0o644), os.Chmod(filepath.Join(place, name), mode))
	}
	steps = append(steps, os.Chmod(filepath.Join(place, "closed"), 0o700), os.Chown(state, 65534, 65534))
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	const hello, other = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03", "74dc260aa1b5de03b157cefa384e5384e591710d28b4db33b2f2e4d1539f9d16"
	run := func(db string, args ...string) (string, string, int) {
		t.Helper()
		cmd := hunterCommand(t, db, args...)
		cmd.Env = append(cmd.Env, asNobody+"=1", "HUNTER_QUIET=false")
		var o, e strings.Builder
		cmd.Stdout, cmd.Stderr = &o, &e
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		status := endOf(t, cmd)
		return o.String(), e.String(), status.ExitStatus()
	}
	db := filepath.Join(state, "h.db")
	for hash, want := range map[string]int{hello: 1, other: 3} {
		out, errs, code := run(db, "sweep", hash, "--path", place)
		if code != want || !strings.Contains(out, "permission denied") || !strings.Contains(out, "proven 0 of 1") || !strings.Contains(errs, "not root") {
			t.Errorf("%s: exit code %d\n%s%s", hash, code, out, errs)
		}
	}
	out, errs, code := run(filepath.Join(dir, "mine", "h.db"), "sweep", other, "--path", place)
	if code != 2 || out != "" || !strings.Contains(errs, "permission denied") || !strings.Contains(errs, "give another --db") {
		t.Errorf("a folder that may not be made: exit code %d\n%s%s", code, out, errs)
	}
}
