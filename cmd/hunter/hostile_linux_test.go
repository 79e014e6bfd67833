package main

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// swept is what of a run's JSON these tests look at.
type swept struct {
	ExitCode int `json:"exit_code"`
	Coverage struct {
		Absent, Partial, Proven int
	}
	Gaps []struct{ Reason string }
	Hits []struct {
		Path string
		Size int64
	}
}

func sweepJSON(t *testing.T, args ...string) (out swept) {
	t.Helper()
	var told, errs strings.Builder
	args = append([]string{"sweep", "--json", "--db", filepath.Join(t.TempDir(), "h.db")}, args...)
	code := run(t.Context(), args, streams{out: &told, err: &errs})
	if !utf8.ValidString(told.String()) {
		t.Errorf("%v: not UTF-8: %q", args, told.String())
	}
	if err := json.Unmarshal([]byte(told.String()), &out); err != nil || code != out.ExitCode {
		t.Fatalf("%v: exit code %d, %v, %s", args, code, err, errs.String())
	}
	return out
}

// A folder full of what is no plain file is searched to its end: every copy is found once, under any name, and nothing
// hangs, is followed in a circle, or is unread.
func TestHostileFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const text = "found\n"
	names := map[string]string{ // as written, as shown
		"a\nb": `a\x0ab`, "bad\xff\xfe": `bad\xff\xfe`, "\x1b[31mred": `\x1b[31mred`, "\u202egpj.exe": `\u{202e}gpj.exe`, " lead": " lead", "qu'o\"te": `qu'o"te`,
		"%": "%", "*": "*", "--flag": "--flag", ".hidden": ".hidden", "日本": "日本", strings.Repeat("n", 255): strings.Repeat("n", 255),
	}
	var steps []error
	var want []string
	for name, shown := range names {
		steps = append(steps, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		want = append(want, filepath.Join(dir, shown))
	}
	steps = append(steps, os.Link(filepath.Join(dir, "%"), filepath.Join(dir, "hard link")), syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600),
		os.Symlink(".", filepath.Join(dir, "loop")), os.Symlink("self", filepath.Join(dir, "self")), os.Symlink("nowhere", filepath.Join(dir, "dangling")),
		os.Symlink("/dev/zero", filepath.Join(dir, "endless")), os.Symlink("%", filepath.Join(dir, "link")), os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600))
	want = append(want, filepath.Join(dir, "hard link"))
	listen, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err := errors.Join(append(steps, err)...); err != nil {
		t.Fatal(err)
	}
	defer listen.Close()

	got := sweepJSON(t, shaOf(text), "--path", dir)
	var paths []string
	for _, h := range got.Hits {
		paths = append(paths, h.Path)
		if h.Size != int64(len(text)) {
			t.Errorf("%+v", h)
		}
	}
	slices.Sort(want)
	slices.Sort(paths)
	if diff := cmp.Diff(want, paths); diff != "" || got.ExitCode != 1 || got.Coverage.Proven != 1 {
		t.Errorf("%+v\n%s", got, diff)
	}
	if got := sweepJSON(t, shaOf("not there"), "--path", dir); got.ExitCode != 0 || got.Coverage.Absent != 1 {
		t.Errorf("%+v", got)
	}
	for name := range names { // each is a place of its own
		if got := sweepJSON(t, shaOf(text), "--path", filepath.Join(dir, name)); len(got.Hits) != 1 || got.Coverage.Proven != 1 {
			t.Errorf("%q as the place: %+v", name, got)
		}
	}
	for _, name := range []string{"fifo", "socket", "self", "dangling", "endless"} { // nothing to look at is no proof
		if got := sweepJSON(t, shaOf(text), "--path", filepath.Join(dir, name)); got.ExitCode != 3 || got.Coverage.Partial != 1 {
			t.Errorf("%s as the place: %+v", name, got)
		}
	}
}

// Paths up to the system's limit are searched; what lies deeper can not be opened by its path, and is told.
func TestPathsAtTheLimit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const text, limit = "found\n", 4095
	path := dir
	for len(path)+201 < limit {
		path += "/" + strings.Repeat("d", 200)
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	last := path + "/" + strings.Repeat("f", limit-len(path)-1)
	if err := os.WriteFile(last, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := sweepJSON(t, shaOf(text), "--path", dir); len(got.Hits) != 1 || got.Hits[0].Path != last || got.Coverage.Proven != 1 {
		t.Errorf("a path of %d bytes: %+v", len(last), got)
	}
	deep, err := os.OpenRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	defer deep.Close()
	name := strings.Repeat("x", 250)
	if err := errors.Join(os.Remove(last), deep.Mkdir(name, 0o755), deep.WriteFile(name+"/"+name, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	if got := sweepJSON(t, shaOf(text), "--path", dir); got.ExitCode != 3 || got.Coverage.Proven != 0 || len(got.Gaps) != 1 || !strings.Contains(got.Gaps[0].Reason, "name too long") || len(got.Gaps[0].Reason) > 1000 {
		t.Errorf("deeper than the limit: %+v", got)
	}
}

// A folder of 200,000 entries is searched whole, in bounded memory.
func TestFolderOfManyEntries(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes 200,000 files")
	}
	dir := t.TempDir()
	const entries, most = 200_000, 1 << 20 // KiB; the race detector takes its share
	for i := range entries {
		if err := syscall.Mknod(filepath.Join(dir, strconv.Itoa(i)), syscall.S_IFREG|0o600, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "last"), []byte("found\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := hunterCommand(t, filepath.Join(t.TempDir(), "h.db"), "sweep", shaOf("found\n"), "--path", dir, "--json")
	told, err := cmd.Output()
	var got swept
	if jsonErr := json.Unmarshal(told, &got); jsonErr != nil || got.ExitCode != 1 || len(got.Hits) != 1 || got.Coverage.Proven != 1 {
		t.Errorf("%v, %v: %.1000s", err, jsonErr, told)
	}
	if use, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && use.Maxrss > most {
		t.Errorf("%d MiB of memory for %d entries", use.Maxrss>>10, entries)
	}
}
