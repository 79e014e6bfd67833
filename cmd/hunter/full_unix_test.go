//go:build unix

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Files may not grow beyond a size, as on a disk that is full: hunter says so with exit code 2, and where the run had been
// recorded, it goes on when there is room.
func TestNoRoomForTheDatabase(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	args := []string{"sweep", "--json"}
	for i := range 12 {
		dir := filepath.Join(base, fmt.Sprint(i))
		if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(dir, "f"), fmt.Append(nil, i), 0o644)); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--path", dir)
	}
	for _, i := range []int{0, 6, 11} {
		sum := sha256.Sum256(fmt.Append(nil, i))
		args = append(args, hex.EncodeToString(sum[:]))
	}
	step, resumed := 250, 0
	if testing.Short() {
		step = 500
	}
	for blocks := 8; ; blocks += step {
		db := filepath.Join(t.TempDir(), "h.db")
		limited := hunterCommand(t, db)
		limited.Path, limited.Args = "/bin/sh", append([]string{"sh", "-c", `ulimit -f "$0" && exec "$@"`, fmt.Sprint(blocks), os.Args[0]}, args...)
		var told bytes.Buffer
		limited.Stderr = &told
		out, err := limited.Output()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		code := limited.ProcessState.ExitCode()
		if code == 1 { // room enough
			break
		}
		if code != 2 || !strings.Contains(told.String(), "no room is left for the results database; free some space") {
			t.Fatalf("%d blocks: exit code %d\n%s%s", blocks, code, out, told.String())
		}
		found, ok := lastJSON(t, hunterCommand(t, db, "runs", "--json"))
		if !ok {
			continue // nothing was recorded, and nothing is lost
		}
		resumed++
		got, _ := lastJSON(t, hunterCommand(t, db, "run", "--resume", found.Run, "--json"))
		if got.Run != found.Run || got.Hits != 3 || got.ExitCode != 1 || got.State != "finished" || got.Coverage.Proven != 1 {
			t.Errorf("%d blocks: resumed: %+v", blocks, got)
		}
	}
	if resumed == 0 {
		t.Error("no run was resumed")
	}
	t.Logf("%d runs were resumed", resumed)
}

// An import that finds no room says so and lists nothing as imported.
func TestNoRoomForIntelligence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, list := filepath.Join(dir, "h.db"), filepath.Join(dir, "list.txt")
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, "%x\n", sha256.Sum256(fmt.Append(nil, i)))
	}
	if err := os.WriteFile(list, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	limited := hunterCommand(t, db)
	limited.Path, limited.Args = "/bin/sh", []string{"sh", "-c", `ulimit -f "$0" && exec "$@"`, "2500", os.Args[0], "intel", "import", list}
	var told bytes.Buffer
	limited.Stderr = &told
	out, _ := limited.Output() // its exit code says it
	if code := limited.ProcessState.ExitCode(); code != 2 || strings.Contains(string(out), "imported") || !strings.Contains(told.String(), "import "+list) ||
		!strings.Contains(told.String(), "no room is left for the results database; free some space") {
		t.Errorf("exit code %d\n%s%s", code, out, told.String())
	}
	if out, err := hunterCommand(t, db, "intel", "import", list).Output(); err != nil || !strings.Contains(string(out), "20000") {
		t.Errorf("with room: %v\n%s", err, out)
	}
}

// A database that is damaged is told with what to do, whatever is asked of it; nothing is written to it.
func TestDamagedDatabaseIsToldOf(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, hash := filepath.Join(dir, "h.db"), strings.Repeat("ab", 32)
	if out, err := hunterCommand(t, db, "sweep", hash, "--path", t.TempDir()).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	whole, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	for name, harmed := range map[string][]byte{
		"cut off": whole[:len(whole)/2], "zeros": append(bytes.Clone(whole[:4096]), make([]byte, len(whole)-4096)...),
		"its schema": append(append(bytes.Clone(whole[:100]), bytes.Repeat([]byte{0xff}, 1000)...), whole[1100:]...),
	} {
		if err := os.WriteFile(db, harmed, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			{"sweep", hash, "--path", dir}, {"run", "--resume", "last"}, {"runs"}, {"hits"}, {"say"}, {"report"}, {"intel", "stats"},
		} {
			cmd := hunterCommand(t, db, args...)
			var told bytes.Buffer
			cmd.Stderr = &told
			out, _ := cmd.Output() // its exit code says it
			if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(told.String(), "is damaged; restore a backup, or move it away") || len(out) > 0 {
				t.Errorf("%s: %v: exit code %d\n%s%s", name, args, code, out, told.String())
			}
		}
		if now, err := os.ReadFile(db); err != nil || !bytes.Equal(now, harmed) {
			t.Errorf("%s: the file was changed, %v", name, err)
		}
	}
}
