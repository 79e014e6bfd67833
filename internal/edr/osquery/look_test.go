package osquery_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/ledger"
)

func someLabels() osquery.Looks {
	return osquery.Looks{Labels: map[string]string{"server": "SELECT 1 FROM file WHERE path = '/etc/passwd' -- a comment", "o-dd": "WITH x AS (SELECT 1) SELECT * FROM x WHERE 0"}}
}

// TestLooksGolden holds the words in which nodes are asked about themselves.
func TestLooksGolden(t *testing.T) {
	t.Parallel()
	for _, platform := range []string{"linux", "darwin", "windows"} {
		golden(t, "look-"+platform, page(someLabels().Queries(ledger.Node{Host: ledger.Host{Platform: platform}})))
	}
	if got := someLabels().Queries(ledger.Node{Host: ledger.Host{Platform: "freebsd"}}); len(got) != 0 {
		t.Errorf("a platform without words is asked: %+v", got)
	}
	if got := (osquery.Looks{}).Queries(ledger.Node{Host: ledger.Host{Platform: "linux"}}); len(got) != 1 {
		t.Errorf("without labels: %+v", got)
	}
}

func TestReadLook(t *testing.T) {
	t.Parallel()
	good := ledger.Row{"kind": "control", "md5": strings.Repeat("1", 32), "sha1": strings.Repeat("2", 40), "sha256": strings.Repeat("3", 64)}
	bad := ledger.Row{"kind": "control", "md5": "", "sha1": "", "sha256": ""}
	version := func(v string) ledger.Row { return ledger.Row{"kind": "meta", "name": v} }
	for name, c := range map[string]struct {
		agent string
		d     ledger.Delivery
		want  ledger.Look
	}{
		"able":            {ledger.AgentOsquery, ledger.Delivery{Rows: []ledger.Row{version("5.23.0"), good}}, ledger.Look{Able: true, Version: "5.23.0"}},
		"just new enough": {ledger.AgentOsquery, ledger.Delivery{Rows: []ledger.Row{version("5.5.1"), good}}, ledger.Look{Able: true, Version: "5.5.1"}},
		"too old": {ledger.AgentOsquery, ledger.Delivery{Rows: []ledger.Row{version("4.9.0"), good}},
			ledger.Look{Able: true, Version: "4.9.0", Cannot: "osquery 4.9.0 is older than 5.5.1"}},
		"old by its last number": {ledger.AgentOsquery, ledger.Delivery{Rows: []ledger.Row{version("5.5.0-12-gabc"), good}},
			ledger.Look{Able: true, Version: "5.5.0-12-gabc", Cannot: "osquery 5.5.0-12-gabc is older than 5.5.1"}},
		"hunter's own agent": {ledger.AgentHunter, ledger.Delivery{Rows: []ledger.Row{version("0.1.0"), good}}, ledger.Look{Able: true, Version: "0.1.0"}},
		"no number":          {ledger.AgentOsquery, ledger.Delivery{Rows: []ledger.Row{version("dev"), good}}, ledger.Look{Able: true, Version: "dev"}},
		"hash is blind": {ledger.AgentOsquery, ledger.Delivery{Rows: []ledger.Row{version("5.23.0"), bad}},
			ledger.Look{Able: true, Version: "5.23.0", Cannot: "hash gives nothing: /etc/passwd has empty digests"}},
		"no control": {ledger.AgentOsquery, ledger.Delivery{Rows: []ledger.Row{version("5.23.0")}},
			ledger.Look{Able: true, Version: "5.23.0", Note: "no file /etc/passwd: what it answers will be unverified"}},
		"no table": {ledger.AgentOsquery, ledger.Delivery{Status: 1, Message: "no such table: hash"},
			ledger.Look{Able: true, Cannot: "its tables are not those of osquery 5.5.1 or newer: no such table: hash"}},
		"another failure keeps what is known": {ledger.AgentOsquery, ledger.Delivery{Status: 1, Message: "distributed query is denylisted\x1b[2J"},
			ledger.Look{Note: `the first look failed: distributed query is denylisted\x1b[2J`}},
		"nothing":   {ledger.AgentOsquery, ledger.Delivery{}, ledger.Look{Note: "the first look came without its rows: no meta row"}},
		"cut short": {ledger.AgentOsquery, ledger.Delivery{Rows: []ledger.Row{version("5.23.0")}, Cut: "too large"}, ledger.Look{Note: "the first look came without its rows: too large"}},
	} {
		n := ledger.Node{Host: ledger.Host{Platform: "linux"}, Agent: c.agent}
		if diff := cmp.Diff(c.want, osquery.Looks{}.Read(n, ledger.Query{ID: "look"}, c.d)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestReadLabels(t *testing.T) {
	t.Parallel()
	l := someLabels()
	n := ledger.Node{Host: ledger.Host{Platform: "linux"}, Agent: ledger.AgentOsquery}
	all := l.Queries(n)[1]
	row := func(name string) ledger.Row { return ledger.Row{"kind": "label", "name": name} }
	got := l.Read(n, all, ledger.Delivery{Rows: []ledger.Row{row("server"), row("nobody asked"), {"kind": "x", "name": "o-dd"}}})
	if diff := cmp.Diff(ledger.Look{All: true, Labels: map[string]bool{"server": true, "o-dd": false}}, got); diff != "" {
		t.Error(diff)
	}
	got = l.Read(n, all, ledger.Delivery{Status: 1, Message: "no such table: registry"})
	if len(got.Again) != 2 || got.Labels != nil {
		t.Fatalf("%+v", got)
	}
	for i, name := range []string{"o-dd", "server"} {
		one := got.Again[i]
		if one.ID != "label:"+name || strings.Count(one.Text, "'label'") != 1 || !strings.Contains(one.Text, "'"+name+"'") {
			t.Errorf("%+v", one)
		}
		if diff := cmp.Diff(ledger.Look{Labels: map[string]bool{name: true}}, l.Read(n, one, ledger.Delivery{Rows: []ledger.Row{row(name)}})); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(ledger.Look{Labels: map[string]bool{name: false}}, l.Read(n, one, ledger.Delivery{Status: 1, Message: "no such table: registry"})); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(ledger.Look{Note: "label " + name + ": near \"x\": syntax error"}, l.Read(n, one, ledger.Delivery{Status: 1, Message: "near \"x\": syntax error"})); diff != "" {
			t.Error(diff)
		}
	}
	if got := l.Read(n, ledger.Query{ID: "other"}, ledger.Delivery{Rows: []ledger.Row{row("server")}}); got.Able || got.Labels != nil || got.Note == "" {
		t.Errorf("%+v", got)
	}
}

func TestCheckLabels(t *testing.T) {
	t.Parallel()
	if err := osquery.CheckLabels(someLabels().Labels); err != nil {
		t.Error(err)
	}
	err := osquery.CheckLabels(map[string]string{"Big": "SELECT 1", "a": "DROP TABLE x", "b": "SELECT 1; SELECT 2", "c": "", "d": "select " + strings.Repeat("1", 5000), "ok": " \nWITH\nx AS (SELECT 1) SELECT * FROM x"})
	for _, want := range []string{`label "Big"`, "label a:", "label b:", "label c:", "label d:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not refused: %v", want, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "ok") {
		t.Error(err)
	}
	many := map[string]string{}
	for i := range 17 {
		many[fmt.Sprint("l", i)] = "SELECT 1"
	}
	if err := osquery.CheckLabels(many); err == nil || !strings.Contains(err.Error(), "17 labels") {
		t.Error(err)
	}
}

// Whatever a node answers, only labels that were asked for come of it, and texts are bounded and safe to print.
func TestHostileLooks(t *testing.T) {
	t.Parallel()
	l := someLabels()
	rapid.Check(t, func(t *rapid.T) {
		n := ledger.Node{Host: ledger.Host{Platform: "windows"}, Agent: ledger.AgentOsquery}
		q := rapid.SampledFrom(l.Queries(n)).Draw(t, "question")
		d := ledger.Delivery{Status: rapid.IntRange(0, 1).Draw(t, "status"), Message: rapid.String().Draw(t, "message"), Cut: rapid.SampledFrom([]string{"", "x\x00"}).Draw(t, "cut")}
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			d.Rows = append(d.Rows, ledger.Row{
				"kind": rapid.SampledFrom([]string{"meta", "control", "label", ""}).Draw(t, "kind"), "name": rapid.String().Draw(t, "name"), "sha256": rapid.String().Draw(t, "sha256"),
			})
		}
		got := l.Read(n, q, d)
		for _, text := range []string{got.Version, got.Cannot, got.Note} {
			if len(text) > 600 || strings.ContainsAny(text, "\x00\x1b\n\r\u202e") {
				t.Fatalf("%q", text)
			}
		}
		for name := range got.Labels {
			if !slices.Contains(slices.Collect(maps.Keys(l.Labels)), name) {
				t.Fatalf("label %q", name)
			}
		}
	})
}
