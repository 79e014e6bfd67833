package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A result that could not be written is an error, whatever command it is of.
func TestFullOutputIsAnError(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close() // nothing is in it
	dir := t.TempDir()
	db, hash := "--db="+filepath.Join(dir, "h.db"), "74dc260aa1b5de03b157cefa384e5384e591710d28b4db33b2f2e4d1539f9d16"
	var null strings.Builder
	if code := run(t.Context(), []string{"sweep", hash, "--path", dir, db}, streams{out: &null, err: &null}); code != 0 {
		t.Fatal(code, null.String())
	}
	for _, args := range [][]string{
		{"sweep", hash, "--path", dir}, {"plan", hash, "--path", dir}, {"pivot", hash}, {"runs"}, {"runs", "--csv"}, {"hits"}, {"findings"}, {"hosts"},
		{"why", hash}, {"why", hash, "--json"}, {"say"}, {"say", "--json"}, {"report"}, {"report", "--format", "csv"}, {"report", "--json"},
		{"intel", "stats"}, {"version"}, {"version", "--json"},
	} {
		var told strings.Builder
		if code := run(t.Context(), append(args, db), streams{out: full, err: &told}); code != 2 || !strings.Contains(told.String(), "no space left") {
			t.Errorf("%v: exit code %d, %q", args, code, told.String())
		}
	}
}
