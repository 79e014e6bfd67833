package edr_test

import (
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// watcher notes the works for which it words questions.
type watcher struct {
	tool
	works *[]edr.Work
}

func (w watcher) Compile(ep edr.Endpoint, work edr.Work) ([]ledger.Query, error) {
	*w.works = append(*w.works, work)
	return w.tool.Compile(ep, work)
}

// What is red is asked blind, and what is not stays cheap; an endpoint that is not to learn anything is asked blind alone.
func TestRedIsAskedBlind(t *testing.T) {
	t.Parallel()
	files := []indicator.File{{SHA256: hex(indicator.SHA256, "a"), TLP: indicator.TLPRed}, {SHA256: hex(indicator.SHA256, "b"), TLP: indicator.TLPAmberStrict}, {SHA256: hex(indicator.SHA256, "c")}}
	say := func(desc edr.Description, blind string) (out string, tp edr.ToolPlan) {
		var works []edr.Work
		x := watcher{works: &works, tool: tool{desc: desc, ends: []edr.Endpoint{{ID: "h", Platform: "linux", Blind: blind}}}}
		tp = plan(t, files, x, edr.Selection{}, edr.DefaultSearch())
		for i, w := range works {
			for _, target := range w.Targets {
				out += target.Ask.Value[:1]
			}
			if w.Blind {
				out += "!"
			}
			out += " "
			if w.Chunk != i || w.Chunks != len(works) {
				t.Errorf("work %d is %d of %d", i, w.Chunk, w.Chunks)
			}
		}
		return strings.TrimSpace(out), tp
	}
	sha256 := []indicator.Kind{indicator.SHA256}
	fleet := edr.Description{Name: "fleet", Mode: ledger.Live, Kinds: sha256, Chunk: 1, Blind: true}
	here := edr.Description{Name: "this-machine", Mode: ledger.Live, Kinds: sha256, Local: true}
	archive := edr.Description{Name: "edr", Mode: ledger.Recorded, Kinds: sha256}
	talks := edr.Description{Name: "talks", Mode: ledger.Live, Kinds: sha256}
	for _, c := range []struct {
		desc        edr.Description
		blind, want string
	}{
		{fleet, "", "b c a!"}, {fleet, "not approved", "abc!"}, {here, "", "abc"}, {archive, "", "abc"}, {talks, "", "bc"},
	} {
		got, tp := say(c.desc, c.blind)
		if got != c.want {
			t.Errorf("%s, blind %q: %q is asked instead of %q", c.desc.Name, c.blind, got, c.want)
		}
		if left := len(tp.Unaskable); left != 0 != (c.desc.Name == "talks") || (left > 0 && !strings.Contains(tp.Unaskable[0].Reason, "tlp:red")) {
			t.Errorf("%s: %+v", c.desc.Name, tp.Unaskable)
		}
	}
	_, tp := say(talks, "not approved")
	if ep := tp.Endpoints[0]; len(ep.Queries) != 0 || !strings.Contains(ep.Endpoint.Cannot, "not approved") {
		t.Errorf("a tool that can only tell: %+v", ep)
	}
}
