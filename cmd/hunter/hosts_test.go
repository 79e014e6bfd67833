package main

import (
	"encoding/csv"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/report"
	"github.com/hunter-project/hunter/internal/results"
)

// hostsDB has three nodes, one of which has a name that wants to harm.
func hostsDB(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "h.db")
	s, err := results.Open(t.Context(), path, results.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, _ := s.DB()
	insert := func(id, hostname, platform, agent, version string, approved bool, ago time.Duration) {
		t.Helper()
		at := time.Now().Add(-ago).UTC().Format("2006-01-02T15:04:05.000Z")
		if _, err := w.ExecContext(t.Context(), `INSERT INTO node (id, key_hash, identifier, hostname, platform, host, agent, version, instance, secret, address, approved, enrolled_at, last_seen)
			VALUES (?1, CAST(?1 AS BLOB), ?2, ?2, ?3, '{"os":"Some OS"}', ?4, ?5, '', 'main', '', ?6, ?7, ?7)`, id, hostname, platform, agent, version, approved, at); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ExecContext(t.Context(), `INSERT INTO node_name (node, kind, value, first_seen) VALUES (?, 'hostname', ?, ?)`, id, hostname, at); err != nil {
			t.Fatal(err)
		}
	}
	insert("n1", "web-1", "linux", ledger.AgentOsquery, "5.23.0", true, time.Minute)
	insert("n2", "=cmd|' /c calc'!A0\x1b[2J\n\u202ex", "windows", ledger.AgentOsquery, "4.9.0", false, 48*time.Hour)
	insert("n3", "mac-3", "darwin", ledger.AgentHunter, "0.2", false, time.Hour)
	for id, l := range map[string]ledger.Look{
		"n1": {Able: true, Labels: map[string]bool{"server": true}}, "n2": {Able: true, Cannot: "osquery 4.9.0\x1b[31m is older than 5.5.1"},
	} {
		if err := s.TakeLook(t.Context(), id, l, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestHosts(t *testing.T) {
	t.Parallel()
	path := hostsDB(t)
	tell := func(want int, args ...string) (string, string) {
		t.Helper()
		var out, errs strings.Builder
		if code := run(t.Context(), append(append([]string{"hosts"}, args...), "--db", path), streams{out: &out, err: &errs}); code != want {
			t.Fatalf("%v: exit code %d, %s", args, code, errs.String())
		}
		return out.String(), errs.String()
	}
	ids := func(args ...string) string {
		t.Helper()
		var out []string
		text, _ := tell(0, append(args, "--json")...)
		for line := range strings.Lines(text) {
			var h report.HostJSON
			if err := json.Unmarshal([]byte(line), &h); err != nil {
				t.Fatal(err)
			}
			out = append(out, h.Endpoint)
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	for args, want := range map[string]string{
		"": "n1 n2 n3", "--platform linux --platform darwin": "n1 n3", "--label server": "n1", "--version 5": "n1", "--version 5.2": "", "--agent hunter": "n3",
		"--seen-since 1d": "n1 n3", "--unseen-since 1d": "n2", "--cannot": "n2", "--unapproved": "n2 n3", "--unapproved --platform darwin": "n3", "--host MAC-3": "n3",
		"--state hit": "", "--unseen-since 2001-01-01": "", "--label server --cannot": "",
	} {
		if got := ids(strings.Fields(args)...); got != want {
			t.Errorf("hosts %s: %q instead of %q", args, got, want)
		}
	}
	for args, want := range map[string]string{
		"--platform plan9": "--platform", "--agent fleet": "--agent", "--seen-since x": "--seen-since", "--unseen-since x": "--unseen-since", "approve": "host is due",
		"approve nobody": "nobody", "forget n1 nobody": "nobody",
	} {
		if _, errs := tell(2, strings.Fields(args)...); !strings.Contains(errs, want) {
			t.Errorf("hosts %s: %s", args, errs)
		}
	}
	text, _ := tell(0)
	rows, err := csv.NewReader(strings.NewReader(outOf(tell(0, "--csv")))).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	var told string
	for _, row := range rows {
		told += strings.Join(row, "\t")
		for _, cell := range row {
			if strings.HasPrefix(cell, "=") {
				t.Errorf("a formula: %q", cell)
			}
		}
	}
	for _, out := range []string{text, told, outOf(tell(0, "--json"))} {
		if strings.ContainsAny(out, "\x1b\u202e") || strings.Count(out, "older than 5.5.1") != 1 || !strings.Contains(out, "server") || !strings.Contains(out, "web-1") {
			t.Errorf("%q", out)
		}
	}
	if strings.Count(text, "\n") != 4 || !strings.Contains(text, "can't be asked: osquery 4.9.0") || strings.Count(text, "not approved: asked without a digest") != 2 {
		t.Errorf("%s", text)
	}
	if got, _ := tell(0, "approve", "mac-3", "n2"); got != "n3 approved\nn2 approved\n" {
		t.Errorf("%q", got)
	}
	if got, _ := tell(0, "unapprove", "n2", "--json"); got != `{"endpoint":"n2","schema":"hunter.node/1","state":"not approved"}`+"\n" || ids("--unapproved") != "n2" {
		t.Errorf("%q", got)
	}
	if got, _ := tell(0, "forget", "n2"); got != "n2 forgotten\n" || ids() != "n1 n3" {
		t.Errorf("%q, %q", got, ids())
	}
}

func outOf(out, _ string) string { return out }
