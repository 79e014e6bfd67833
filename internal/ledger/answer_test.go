package ledger_test

import (
	"fmt"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// hex64 gives a sha256-shaped value that differs by n.
func hex64(n int) string { return fmt.Sprintf("%064x", n+0xabc000) }

func sha(n int) indicator.Indicator {
	return indicator.Indicator{Kind: indicator.SHA256, Value: hex64(n)}
}

// row makes a row of an answer with all its columns.
func row(kind string, cells ...string) ledger.Row {
	r := ledger.Row{"kind": kind}
	for _, c := range []string{"name", "path", "md5", "sha1", "sha256", "owner", "mtime", "cmdline"} {
		r[c] = ""
	}
	for _, c := range []string{"size", "pid", "n"} {
		r[c] = "0"
	}
	for i := 0; i+1 < len(cells); i += 2 {
		r[cells[i]] = cells[i+1]
	}
	return r
}

// seen is a file that a blind question hashed.
func seen(path, sha256 string) ledger.Row {
	return row("seen", "path", path, "size", "7", "md5", strings.Repeat("1a", 16), "sha1", strings.Repeat("2b", 20), "sha256", sha256)
}

func control() ledger.Row {
	return row("control", "path", "/etc/passwd", "md5", strings.Repeat("1a", 16), "sha1", strings.Repeat("2b", 20), "sha256", strings.Repeat("3c", 32))
}

func meta() ledger.Row { return row("meta", "name", "5.23.0", "size", "1764000000") }

func count(name string, n, size int) ledger.Row {
	return row("count", "name", name, "n", strconv.Itoa(n), "size", strconv.Itoa(size))
}

// model is an answer as an agent that works would make it.
type model struct {
	q                              ledger.Query
	hits, unhashed, missing        int
	hashed, leftout, noimage, self int
}

// good gives the answer of a model: rows that agree with each other.
func (m model) good() ledger.Answer {
	rows := []ledger.Row{meta(), control()}
	for i := range m.hits {
		if m.q.Blind {
			rows = append(rows, seen(fmt.Sprintf("/bad/%d", i), m.q.Hashes[0].Value))
			continue
		}
		rows = append(rows, row("hit", "path", fmt.Sprintf("/bad/%d", i), "size", "7", "sha256", m.q.Hashes[0].Value))
	}
	for i := range m.hashed {
		if m.q.Blind {
			rows = append(rows, seen(fmt.Sprintf("/good/%d", i), hex64(1000+i)))
		}
	}
	if m.q.Stage != ledger.Autoruns {
		for i := range m.missing {
			rows = append(rows, row("missing", "path", fmt.Sprintf("/gone/%d", i), "size", "7", "pid", strconv.Itoa(100+i)))
		}
	}
	for i := range m.unhashed {
		rows = append(rows, row("unhashed", "path", fmt.Sprintf("/locked/%d", i), "size", "7"))
	}
	for i := range m.noimage {
		rows = append(rows, row("noimage", "pid", strconv.Itoa(200+i)))
	}
	for i := range m.leftout {
		rows = append(rows, row("leftout", "path", fmt.Sprintf("/net/%d", i), "name", "nfs"))
	}
	for range m.self {
		rows = append(rows, row("self", "path", "/usr/bin/osqueryd", "pid", "77"))
	}
	hashed := m.hashed + m.hits
	counts := map[string]int{
		"candidates": hashed + m.unhashed + m.missing, "hashed": hashed, "unhashed": m.unhashed, "missing": m.missing, "hits": m.hits, "seen": hashed,
		"processes": hashed + 5, "first": 1, "kernel": 3, "ended": 1, "noimage": m.noimage, "self": m.self, "autoruns": hashed, "unresolved": 1,
		"root": 1, "dirs": 2, "files": hashed + m.unhashed + m.missing, "leftout": m.leftout, "privileged": 1, "fulldisk": 1,
	}
	for _, name := range ledger.ExpectedCounts(m.q) {
		rows = append(rows, count(name, counts[name], 0))
	}
	return ledger.Answer{Rows: rows}
}

// complete says that nothing of the model was left unread.
func (m model) complete() bool {
	return m.q.Stage == ledger.Autoruns || (m.unhashed == 0 && m.missing == 0 && m.noimage == 0)
}

func query(stage ledger.Stage, engine, platform string) ledger.Query {
	q := ledger.Query{
		ID: string(stage), Stage: stage, Engine: engine, Platform: platform, Hashes: []indicator.Indicator{sha(1), sha(2)}, MaxSize: 50 << 20,
	}
	if stage == ledger.Files {
		q.Root, q.MaxDepth = "/home", 40
	}
	return q
}

// anyModel draws a model; at least one file is hashed, as on every machine.
func anyModel(t *rapid.T) model {
	m := model{
		q: query(
			rapid.SampledFrom([]ledger.Stage{ledger.Running, ledger.Autoruns, ledger.Files}).Draw(t, "stage"),
			rapid.SampledFrom([]string{ledger.EngineEmbedded, ledger.EngineOsqueryd}).Draw(t, "engine"),
			rapid.SampledFrom([]string{"linux", "darwin", "windows"}).Draw(t, "platform")),
		hits: rapid.IntRange(0, 2).Draw(t, "hits"), unhashed: rapid.IntRange(0, 2).Draw(t, "unhashed"),
		missing: rapid.IntRange(0, 2).Draw(t, "missing"), hashed: rapid.IntRange(1, 9).Draw(t, "hashed"),
	}
	m.q.Blind = rapid.Bool().Draw(t, "blind")
	if m.q.Stage == ledger.Running {
		m.noimage = rapid.IntRange(0, 2).Draw(t, "noimage")
		if m.q.Engine == ledger.EngineOsqueryd {
			m.self = rapid.IntRange(0, 1).Draw(t, "self")
		}
	}
	if m.q.Stage == ledger.Files {
		m.leftout = rapid.IntRange(0, 2).Draw(t, "leftout")
	}
	return m
}

// anyRow draws a row as a confused or hostile agent could send it.
func anyRow(t *rapid.T) ledger.Row {
	kinds := []string{"", "meta", "control", "count", "hit", "unhashed", "missing", "noimage", "self", "leftout", "seen"}
	names := []string{"", "hashed", "candidates", "unhashed", "hits", "seen", "root", "self", "x"}
	return row(rapid.SampledFrom(kinds).Draw(t, "kind"),
		"name", rapid.SampledFrom(names).Draw(t, "name"),
		"path", rapid.SampledFrom([]string{"", "/locked/0", "/gone/0", "/x\xff"}).Draw(t, "path"),
		"n", rapid.SampledFrom([]string{"", "0", "1", "-1", "9223372036854775808", "1e3"}).Draw(t, "n"),
		"sha256", rapid.SampledFrom([]string{"", hex64(1), hex64(9), "zz"}).Draw(t, "sha256"))
}
