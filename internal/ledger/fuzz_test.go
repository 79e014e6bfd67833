package ledger_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/hunter-project/hunter/internal/ledger"
)

// FuzzJudge reads bytes as the rows of an endpoint's answer. Whatever an endpoint says, nothing breaks; nothing is proven
// without exactly one good control; only hashes that were asked for are hits.
func FuzzJudge(f *testing.F) {
	full := func(q ledger.Query) []ledger.Row {
		rows := []ledger.Row{meta(), control()}
		for _, name := range ledger.ExpectedCounts(q) {
			rows = append(rows, row("count", "name", name))
		}
		return rows
	}
	queries := []ledger.Query{
		{ID: "running", Stage: ledger.Running, Engine: ledger.EngineEmbedded, Platform: "linux"}, {ID: "running", Stage: ledger.Running, Engine: ledger.EngineOsqueryd, Platform: "windows"},
		{ID: "autoruns", Stage: ledger.Autoruns, Engine: ledger.EngineEmbedded, Platform: "linux"}, {ID: "files", Stage: ledger.Files, Engine: ledger.EngineEmbedded, Platform: "linux", Root: "/home"},
		{ID: "files", Stage: ledger.Files, Engine: ledger.EngineOsqueryd, Platform: "darwin", Root: "/Users"}, {ID: "presence", Stage: ledger.Telemetry},
	}
	for i := range queries {
		queries[i].Hashes = append(queries[i].Hashes, sha(1))
	}
	for i, q := range queries {
		rows := append(full(q), row("hit", "path", "/home/x", "sha256", hex64(1)), row("unhashed", "path", "/home/y"), row("missing", "path", "/home/z"), ledger.Row{"kind": "present", "n": "1"})
		for _, seed := range [][]ledger.Row{full(q), rows, {}, {control()}, {meta(), control(), control()}} {
			text, err := json.Marshal(seed)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text, uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, which uint8) {
		var rows []ledger.Row
		if json.Unmarshal(text, &rows) != nil {
			return
		}
		q := queries[int(which)%len(queries)]
		v := ledger.Judge(q, ledger.Answer{Rows: rows})
		good := 0
		for _, r := range rows {
			if r["kind"] == "control" && ledger.GoodControl(r) {
				good++
			}
		}
		if v.Proven && (good != 1 || q.Stage == ledger.Telemetry) {
			t.Errorf("proven with %d good controls: %+v", good, v)
		}
		if !slices.Contains(ledger.States(), v.State) || v.State == ledger.Absent && !v.Proven || (v.State == ledger.Hit) != (len(v.Hits) > 0) {
			t.Errorf("%+v", v)
		}
		for _, h := range v.Hits {
			if !slices.Contains(q.Hashes, h.Matched) {
				t.Errorf("a hit of what nobody asked for: %+v", h)
			}
		}
		ledger.JudgeSearch(q, ledger.Answer{Rows: rows})
	})
}
