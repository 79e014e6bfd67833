package threatscape

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// told is a report with the rows of an answer that are of it.
type told struct {
	report indicator.Report
	rows   []row
}

// reports groups rows by report, the newest first. Rows that name no report are left out and counted.
func (p *Provider) reports(rows []row) (out []told, lost int) {
	at := map[string]int{}
	for _, r := range rows {
		id := r.get("reportId")
		if !isID(id) {
			lost++
			continue
		}
		i, there := at[id]
		if !there {
			i = len(out)
			at[id] = i
			out = append(out, told{report: indicator.Report{Provider: p.name, ID: id, TLP: indicator.TLPAmber, Assumed: true}})
		}
		describe(&out[i].report, r)
		out[i].rows = append(out[i].rows, r)
	}
	for i := range out {
		slices.Sort(out[i].report.Families)
		slices.Sort(out[i].report.Actors)
	}
	slices.SortFunc(out, func(a, b told) int {
		return cmp.Or(b.report.Published.Compare(a.report.Published), cmp.Compare(a.report.ID, b.report.ID))
	})
	return out, lost
}

// describe adds what a row says of its report. Families and actors are tagged on rows: a report has those of all.
func describe(r *indicator.Report, from row) {
	r.Title = cmp.Or(r.Title, from.get("title"))
	r.Category = cmp.Or(r.Category, from.get("ThreatScape"))
	r.Type = cmp.Or(r.Type, from.get("intelligenceType"))
	r.Risk = cmp.Or(r.Risk, from.get("riskRating"))
	if r.Published.IsZero() {
		r.Published = timeOf(from.get("publishDate"))
	}
	const most = 50
	add := func(list *[]string, value string) {
		if !isNone(value) && len(*list) < most && !slices.Contains(*list, value) {
			*list = append(*list, value)
		}
	}
	add(&r.Families, from.get("malwareFamily"))
	add(&r.Actors, from.get("actor"))
}

// members makes edges of what reports name.
type members struct {
	provider string
	from     pivot.Ref
	relation indicator.Relation
	raw      string
	limit    int // of each report; 0 is none
}

// add puts the members of one report into a result: the most trusted of them, and all that is a victim's own, which is
// told and never hunted. Of an indicator that is tagged twice the best counts, and the victim's tag beside it.
func (m members) add(res *pivot.Result, r told) {
	best := map[indicator.Indicator]member{}
	victims := map[indicator.Indicator]member{}
	for _, row := range r.rows {
		f, isFile := row.file()
		if isFile {
			res.Files = append(res.Files, f)
		}
		for _, one := range row.members() {
			if m.itself(one.ind, f) {
				continue
			}
			list := best
			if one.victim {
				list = victims
			}
			if old, there := list[one.ind]; !there || one.confidence > old.confidence {
				list[one.ind] = one
			}
		}
	}
	list := sorted(best)
	if m.limit > 0 && len(list) > m.limit {
		res.Cut = append(res.Cut, pivot.Cut{Provider: m.provider, At: "report:" + r.report.Ref(), Limit: "max_per_report", Kept: m.limit, Total: len(list)})
		list = list[:m.limit]
	}
	for _, one := range list {
		res.Edges = append(res.Edges, m.edge(one, m.relation, r.report))
	}
	for _, one := range sorted(victims) {
		res.Edges = append(res.Edges, m.edge(one, indicator.RelVictim, r.report))
	}
}

// itself reports whether a member is what was asked about, or a digest of the same file.
func (m members) itself(ind indicator.Indicator, f indicator.File) bool {
	from, ok := m.from.Indicator()
	switch {
	case !ok:
		return false
	case ind.Kind == indicator.Filename && from.Kind == indicator.Filename:
		return strings.EqualFold(ind.Value, from.Value)
	case ind.Kind.IsDigest() && from.Kind.IsDigest() && f.Digest(from.Kind) == from.Value:
		return true
	}
	return ind == from
}

func (m members) edge(one member, rel indicator.Relation, r indicator.Report) pivot.Edge {
	return pivot.Edge{
		From: m.from, To: pivot.IndicatorRef(one.ind), Relation: rel, Provider: m.provider, Report: r.Ref(), Confidence: one.confidence,
		Time: one.at, Raw: m.raw, TLP: r.TLP,
	}
}

// sorted gives members in the order in which a limit takes them.
func sorted(all map[indicator.Indicator]member) []member {
	out := make([]member, 0, len(all))
	for _, one := range all {
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b member) int {
		return cmp.Or(cmp.Compare(b.confidence, a.confidence), cmp.Compare(a.ind.Kind, b.ind.Kind), cmp.Compare(a.ind.Value, b.ind.Value))
	})
	return out
}

// statements remembers the files that answers stated in full, so that nobody is asked for their other digests.
type statements struct {
	mu   sync.Mutex
	all  map[indicator.Indicator]stated
	size int // of the answers that are held, in bytes
}

// stated is a file with the answer that says so.
type stated struct {
	file indicator.File
	raw  pivot.Raw
	at   time.Time
}

// maxHeld bounds what statements hold; over it, they begin anew.
const maxHeld = 64 << 20

// keep takes the files of an answer that have all digests and a size.
func (s *statements) keep(got answer, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size += len(got.raw.Body); s.all == nil || s.size > maxHeld {
		s.all, s.size = map[indicator.Indicator]stated{}, len(got.raw.Body)
	}
	for _, r := range got.rows {
		f, ok := r.file()
		if !ok || f.Size == 0 || len(f.Digests()) < len(indicator.DigestKinds()) {
			continue
		}
		for _, d := range f.Digests() {
			if _, there := s.all[d]; !there {
				s.all[d] = stated{file: f, raw: got.raw, at: now.Add(-got.age)}
			}
		}
	}
}

func (s *statements) find(ctx context.Context, d indicator.Indicator, now time.Time, long time.Duration) (stated, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, there := s.all[d]
	if !there || !httpx.Holds(ctx, known.at, now, long) {
		return stated{}, false
	}
	return known, true
}
