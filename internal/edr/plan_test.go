package edr_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// tool is a tool in memory whose queries name the digests of their chunk.
type tool struct {
	desc edr.Description
	ends []edr.Endpoint
	err  error
}

func (t tool) Describe() edr.Description                         { return t.desc }
func (t tool) Endpoints(context.Context) ([]edr.Endpoint, error) { return t.ends, t.err }
func (t tool) Close() error                                      { return nil }
func (t tool) Ask(context.Context, edr.Endpoint, ledger.Query) (ledger.Answer, error) {
	return ledger.Answer{}, errors.New("planning asks nothing")
}

func (t tool) Compile(ep edr.Endpoint, w edr.Work) ([]ledger.Query, error) {
	q := ledger.Query{ID: fmt.Sprint(w.Chunk), Text: ep.ID}
	for _, x := range w.Targets {
		q.Hashes = append(q.Hashes, x.Ask)
	}
	return []ledger.Query{q}, nil
}

// archive is a recorded tool.
type archive struct{ tool }

func (a archive) Window(context.Context) (ledger.Window, error) {
	to := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	return ledger.Window{From: to.AddDate(0, 0, -30), To: to}, nil
}

func (a archive) Searches(w edr.Work) ([]ledger.Query, error) { return a.Compile(edr.Endpoint{}, w) }

func (a archive) Search(context.Context, ledger.Query) (ledger.Answer, error) {
	return ledger.Answer{}, errors.New("planning asks nothing")
}

func hex(kind indicator.Kind, c string) string { return strings.Repeat(c, kind.HexLen()) }

func fleet(kinds ...indicator.Kind) tool {
	return tool{
		desc: edr.Description{Name: "fleet", Mode: ledger.Live, Kinds: kinds, Chunk: 2},
		ends: []edr.Endpoint{
			{ID: "b", Hostname: "ws-2.example", Platform: "windows", Labels: []string{"office"}},
			{ID: "a", Hostname: "db-1.example", Platform: "linux", Labels: []string{"server"}},
			{ID: "c", Hostname: "old", Platform: "linux", Gone: "uninstalled"},
		},
	}
}

func plan(t *testing.T, files []indicator.File, x edr.Tool, sel edr.Selection, s edr.Search) edr.ToolPlan {
	t.Helper()
	p, err := edr.MakePlan(t.Context(), files, []edr.Tool{x}, sel, s)
	if err != nil {
		t.Fatal(err)
	}
	return p.Tools[0]
}

// No kind of digest is lost in silence: each file is asked by the first digest that the tool prefers, or is listed.
func TestKindByTool(t *testing.T) {
	t.Parallel()
	all := indicator.File{MD5: hex(indicator.MD5, "a"), SHA1: hex(indicator.SHA1, "b"), SHA256: hex(indicator.SHA256, "c")}
	old, modern := indicator.File{MD5: hex(indicator.MD5, "d")}, indicator.File{SHA256: hex(indicator.SHA256, "e")}
	empty := indicator.File{MD5: "d41d8cd98f00b204e9800998ecf8427e"}
	for _, c := range []struct {
		kinds     []indicator.Kind
		asks      []string
		unaskable []string
	}{
		{indicator.DigestKinds(), []string{"md5:" + old.MD5, "sha256:" + all.SHA256, "sha256:" + modern.SHA256}, []string{empty.MD5}},
		{[]indicator.Kind{indicator.MD5}, []string{"md5:" + all.MD5, "md5:" + old.MD5}, []string{empty.MD5, modern.SHA256}},
		{[]indicator.Kind{indicator.SHA1, indicator.SHA256}, []string{"sha1:" + all.SHA1, "sha256:" + modern.SHA256}, []string{empty.MD5, old.MD5}},
	} {
		got := plan(t, []indicator.File{modern, old, all, empty}, fleet(c.kinds...), edr.Selection{}, edr.Search{})
		var asks, unaskable []string
		for _, x := range got.Targets {
			asks = append(asks, x.Ask.String())
		}
		for _, u := range got.Unaskable {
			unaskable = append(unaskable, u.Value)
			if u.Tool != "fleet" || u.Reason == "" {
				t.Errorf("unaskable without a word: %+v", u)
			}
		}
		if diff := cmp.Diff(c.asks, asks) + cmp.Diff(c.unaskable, unaskable); diff != "" {
			t.Errorf("%v: %s", c.kinds, diff)
		}
	}
}

// Every target is in exactly one chunk of every endpoint that is asked, and the plan does not depend on the order.
func TestPlanLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 9).Draw(rt, "files")
		var files []indicator.File
		for i := range n {
			files = append(files, indicator.File{SHA256: hex(indicator.SHA256, fmt.Sprint(i)), Size: int64(rapid.IntRange(0, 2).Draw(rt, "size"))})
		}
		x := fleet(indicator.SHA256)
		x.desc.Chunk = rapid.IntRange(0, 4).Draw(rt, "chunk")
		a := plan(t, files, x, edr.Selection{}, edr.Search{})
		b := plan(t, rapid.Permutation(files).Draw(rt, "order"), x, edr.Selection{}, edr.Search{})
		if diff := cmp.Diff(a, b); diff != "" {
			rt.Fatal(diff)
		}
		for _, ep := range a.Endpoints {
			var asked []string
			for _, q := range ep.Queries {
				if x.desc.Chunk > 0 && len(q.Hashes) > x.desc.Chunk {
					rt.Fatalf("a chunk of %d", len(q.Hashes))
				}
				for _, h := range q.Hashes {
					asked = append(asked, h.Value)
				}
			}
			want := n
			if ep.Excluded != "" {
				want = 0
			}
			if slices.Sort(asked); len(slices.Compact(asked)) != want {
				rt.Fatalf("%s is asked %d of %d", ep.Endpoint.ID, len(asked), want)
			}
		}
	})
}

func TestSelection(t *testing.T) {
	t.Parallel()
	files := []indicator.File{{SHA256: hex(indicator.SHA256, "c")}}
	for name, c := range map[string]struct {
		sel      edr.Selection
		ids      string
		excluded string
	}{
		"all":                 {edr.Selection{}, "a b c", "c"},
		"a host without case": {edr.Selection{Hosts: []string{"DB-1.example"}}, "a", ""},
		"a glob":              {edr.Selection{Hosts: []string{"*.example"}}, "a b", ""},
		"an id":               {edr.Selection{Hosts: []string{"b"}}, "b", ""},
		"a platform":          {edr.Selection{Platforms: []string{"linux"}}, "a c", "c"},
		"a label":             {edr.Selection{Labels: []string{"office"}}, "b", ""},
		"left out by name":    {edr.Selection{Exclude: []string{"ws-*"}}, "a b c", "b c"},
		"left out by label":   {edr.Selection{Exclude: []string{"server"}}, "a b c", "a c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ids, excluded []string
			for _, ep := range plan(t, files, fleet(indicator.SHA256), c.sel, edr.Search{}).Endpoints {
				ids = append(ids, ep.Endpoint.ID)
				if ep.Excluded != "" {
					excluded = append(excluded, ep.Endpoint.ID)
					if len(ep.Queries) > 0 {
						t.Errorf("%s is left out and asked", ep.Endpoint.ID)
					}
				}
			}
			if strings.Join(ids, " ") != c.ids || strings.Join(excluded, " ") != c.excluded {
				t.Errorf("endpoints %v, excluded %v", ids, excluded)
			}
		})
	}
	_, err := edr.MakePlan(t.Context(), files, []edr.Tool{fleet(indicator.SHA256)}, edr.Selection{Hosts: []string{"nobody"}}, edr.Search{})
	if err == nil || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("an unknown host: %v", err)
	}
}

// A tool that can't list its endpoints is one target that says so, and a host that only it may have is no fault.
func TestToolWithoutList(t *testing.T) {
	t.Parallel()
	x := fleet(indicator.SHA256)
	x.err = errors.New("HTTP 401")
	got := plan(t, []indicator.File{{SHA256: hex(indicator.SHA256, "c")}}, x, edr.Selection{Hosts: []string{"nobody"}}, edr.Search{})
	if len(got.Endpoints) != 1 || got.Endpoints[0].Endpoint.ID != edr.AllEndpoints || !strings.Contains(got.Endpoints[0].Failed, "HTTP 401") {
		t.Errorf("plan %+v", got.Endpoints)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := edr.MakePlan(ctx, nil, []edr.Tool{x}, edr.Selection{}, edr.Search{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the end of the caller: %v", err)
	}
}

func TestRecordedPlan(t *testing.T) {
	t.Parallel()
	a := archive{fleet(indicator.MD5)}
	a.desc.Mode = ledger.Recorded
	a.ends = append(a.ends, edr.Endpoint{ID: "z", Hostname: "z", LastSeen: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)})
	a.ends[1].Behind = "offline"
	var files []indicator.File
	for _, c := range []string{"1", "2", "3"} {
		files = append(files, indicator.File{MD5: hex(indicator.MD5, c), Size: 7})
	}
	s := edr.DefaultSearch()
	s.Unsized = edr.UnsizedSkip
	got := plan(t, append(files, indicator.File{MD5: hex(indicator.MD5, "4")}), a, edr.Selection{}, s)
	if len(got.Searches) != 2 || len(got.Narrowed) != 0 || got.Window.From.IsZero() {
		t.Errorf("plan %+v", got)
	}
	for _, ep := range got.Endpoints {
		asked := ep.Endpoint.ID == "a" || ep.Endpoint.ID == "b"
		if asked != (len(ep.Queries) == 1) || ep.Scope != "what was recorded from 2026-10-26 to 2026-11-25" {
			t.Errorf("endpoint %+v", ep)
		}
		if ep.Endpoint.ID == "a" && ep.Queries[0].Behind != "offline" {
			t.Errorf("what it lacks is not told: %+v", ep.Queries)
		}
		if ep.Endpoint.ID == "z" && ep.Asleep != "last seen 2026-09-01" {
			t.Errorf("asleep: %q", ep.Asleep)
		}
	}
	if got = plan(t, files, a, edr.Selection{Hosts: []string{"z"}}, s); len(got.Searches) != 0 {
		t.Errorf("nobody is awake, and %d searches are planned", len(got.Searches))
	}
}

func TestSizesRaiseTheLimit(t *testing.T) {
	t.Parallel()
	p, err := edr.MakePlan(t.Context(), []indicator.File{{SHA256: hex(indicator.SHA256, "c"), Size: 80 << 20}}, []edr.Tool{fleet(indicator.SHA256)}, edr.Selection{}, edr.Search{})
	if err != nil || p.Search.MaxSize != 80<<20 || len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "50 MiB to 80 MiB") {
		t.Errorf("%+v, %v", p.Search, err)
	}
}
