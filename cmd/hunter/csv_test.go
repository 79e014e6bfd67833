package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// CSV has one header for all runs, and every hit of each: a list that was cut would look whole.
func TestCSVIsOneWholeTable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const files = 1200 // more than a run's JSON lists
	for i := range files {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte("hello\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const hello = "b1946ac92492d2347c6235b4d2611184"
	reports := t.TempDir()
	hunts := filepath.Join(reports, "h.yaml")
	if err := os.WriteFile(hunts, fmt.Appendf(nil, "version: 1\ndefaults: {seed: {hashes: [%s]}, search: {where: [files], paths: {linux: [%q], darwin: [%q]}}}\n"+
		"hunts: [{name: a, report: [{format: csv, path: a.csv}]}, {name: b}]\n", hello, dir, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	db := "--db=" + filepath.Join(t.TempDir(), "h.db")
	t.Cleanup(func() {
		if text, err := os.ReadFile(filepath.Join(reports, "a.csv")); err != nil || strings.Count(string(text), "\n") != 1+files {
			t.Errorf("the hunt's own report: %d lines, %v", strings.Count(string(text), "\n"), err)
		}
	})
	for _, c := range []struct {
		args []string
		runs int
	}{
		{[]string{"run", hunts, "--csv"}, 2}, {[]string{"report", "--since", "1d", "--format", "csv"}, 2}, {[]string{"report", "--csv"}, 1},
		{[]string{"run", "--resume", "last", "--csv"}, 1}, {[]string{"hits", "--csv"}, 2},
	} {
		var out, errs strings.Builder
		want := 1
		if c.args[0] == "hits" {
			want = 0
		}
		if code := run(t.Context(), append(c.args, db), streams{out: &out, err: &errs}); code != want {
			t.Fatalf("%v: exit code %d, %s", c.args, code, errs.String())
		}
		rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
		if err != nil || len(rows) != 1+c.runs*files || strings.Count(out.String(), "matched_kind") != 1 {
			t.Errorf("%v: %d rows, %v", c.args, len(rows), err)
		}
	}
}
