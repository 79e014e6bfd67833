package pivottest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// answerTests are the cases of a service that is well.
func answerTests() []test {
	return []test{
		{name: CaseDescribe, run: describes},
		{name: CaseEmpty, run: emptySet},
		{name: CaseOne, run: oneKnown},
		{name: CaseSizes, run: sizes},
		{name: CaseNames, run: names},
		{name: CaseMany, run: many},
		{name: CaseMixed, run: mixed},
		{name: CaseEveryKind, run: everyKind},
		{name: CaseUnsupported, run: unsupported},
		{name: CaseUnknown, run: unknown},
		{name: CaseReport, reports: true, run: report},
		{name: CaseNoReport, reports: true, run: noReport},
		{name: CaseRelated, reports: true, run: relatedReports},
		{name: CaseRecorded, run: recorded},
	}
}

func describes(p *probe) {
	t := p.against("", p.healthy(p.world()), p.world(), func(s *Setup) { s.MaxTLP = indicator.TLPGreen })
	d := t.provider.Describe()
	kinds := func(all []indicator.Kind) string {
		if all == nil {
			all = indicator.Kinds()
		}
		var out []string
		for _, k := range all {
			out = append(out, string(k))
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	if d.Name != p.s.Name || d.Type == "" {
		p.faultf("Describe: the name is %q instead of %q, the type %q", d.Name, p.s.Name, d.Type)
	}
	if got, want := kinds(d.Kinds), kinds(p.s.Kinds); got != want {
		p.faultf("Describe: kinds %s instead of %s", got, want)
	}
	if d.MaxTLP != indicator.TLPGreen {
		p.faultf("Describe: max_tlp is %q instead of green", d.MaxTLP)
	}
	if d.Local != p.s.local() {
		p.faultf("Describe: Local is %v", d.Local)
	}
	if asked, _ := t.svc.requests(); len(asked) > 0 {
		p.faultf("to be made and described, the provider asked %d times", len(asked))
	}
}

// well sees that a question went without a word of complaint, and that nothing was asked twice.
func (p *probe) well(a answer) {
	if a.err != nil || len(a.res.Skipped) > 0 {
		p.faultf("%s: %s", a.what, a.reasons())
	}
	for q, n := range a.asked {
		if n > 1 {
			p.faultf("%s: %q was asked %d times", a.what, q, n)
		}
	}
}

func emptySet(p *probe) {
	a := p.with(p.world()).resolve(p.ctx())
	p.well(a)
	if len(a.res.Files)+len(a.res.Edges)+len(a.res.Reports)+a.total() > 0 {
		p.faultf("%s: %d requests, %d files", a.what, a.total(), len(a.res.Files))
	}
}

// reaches reports whether an answer leads to any of the indicators.
func (a answer) reaches(all ...indicator.Indicator) bool {
	return slices.ContainsFunc(a.res.Edges, func(e pivot.Edge) bool {
		ind, ok := e.To.Indicator()
		return ok && slices.Contains(all, ind)
	})
}

// file finds the file object of a digest.
func (a answer) file(d indicator.Indicator) (indicator.File, bool) {
	var set indicator.FileSet
	for _, f := range a.res.Files {
		set.Add(f)
	}
	return set.Lookup(d)
}

// same reports whether two file objects have the same digests.
func same(a, b indicator.File) bool { return slices.Equal(a.Digests(), b.Digests()) }

func oneKnown(p *probe) {
	w := p.world()
	t := p.with(w)
	file := sample(alertFile)
	for _, k := range indicator.DigestKinds() {
		if !p.takes(k) {
			continue
		}
		a := t.resolve(p.ctx(), indicator.Indicator{Kind: k, Value: file.Digest(k)})
		p.well(a)
		if f, _ := a.file(a.indicator()); !same(f, file) {
			p.faultf("%s by %s: the file object is %v, not %v", a.what, k, f.Digests(), file.Digests())
		}
	}
	a := t.related(p.ctx(), sha256Of(file), limits())
	p.well(a)
	if len(a.res.Cut) > 0 {
		p.faultf("%s: cut though nothing was too many: %+v", a.what, a.res.Cut)
	}
	p.members(a, w.Reports[0], sha256Of(file))
	p.members(a, w.Reports[1], sha256Of(file))
	for _, e := range a.res.Edges {
		if e.Relation == indicator.RelSameReport && e.Confidence == 0 {
			p.faultf("%s: the edge to %s has no confidence though the source is sure", a.what, e.To)
		}
	}
}

// indicator is what was asked.
func (a answer) indicator() indicator.Indicator {
	ind, _ := a.ref.Indicator()
	return ind
}

// members sees that an answer holds a report with all its members but the one that was asked for.
func (p *probe) members(a answer, r Report, asked indicator.Indicator) {
	at := slices.IndexFunc(a.res.Reports, func(got indicator.Report) bool { return got.ID == r.ID })
	if at < 0 {
		p.faultf("%s: the report %s is missing", a.what, r.ID)
		return
	}
	if got := a.res.Reports[at]; got.Title != r.Title || !got.Published.Equal(r.Published) {
		p.faultf("%s: the report %s is %q of %s instead of %q of %s", a.what, r.ID, got.Title, got.Published, r.Title, r.Published)
	}
	for _, m := range r.Members {
		if !m.Has(asked) && !a.reaches(m.All()...) {
			p.faultf("%s: nothing leads to %s of the report %s", a.what, m.All()[0], r.ID)
		}
	}
}

func sizes(p *probe) {
	file := sample(alertFile)
	a := p.with(p.world()).resolve(p.ctx(), sha256Of(file))
	if f, _ := a.file(sha256Of(file)); f.Size != file.Size {
		p.faultf("%s: %d bytes instead of %d", a.what, f.Size, file.Size)
	}
}

func names(p *probe) {
	file := sample(alertFile)
	a := p.with(p.world()).resolve(p.ctx(), sha256Of(file))
	if f, _ := a.file(sha256Of(file)); !slices.Contains(f.Names, file.Names[0]) {
		p.faultf("%s: the names are %q instead of %q", a.what, f.Names, file.Names)
	}
}

// many asks for 500 digests of which every second one is known, in 25 reports.
func many(p *probe) {
	w := World{}
	var ask []indicator.Indicator
	for r := range 25 {
		w.Reports = append(w.Reports, Report{ID: p.s.reportID(r + 1), Title: "Report " + itoa(r), Published: published()})
		for i := range 10 {
			f := sample(itoa(r) + "/" + itoa(i))
			w.Reports[r].Members = append(w.Reports[r].Members, Member{File: f})
			ask = append(ask, sha256Of(f), sha256Of(sample("unknown "+itoa(r)+"/"+itoa(i))))
		}
	}
	a := p.with(w).resolve(p.ctx(), ask...)
	p.well(a)
	missing, invented := 0, 0
	for i, d := range ask {
		f, ok := a.file(d)
		switch {
		case i%2 == 0 && len(f.Digests()) != 3:
			missing++
		case i%2 == 1 && ok:
			invented++
		}
	}
	if missing+invented > 0 {
		p.faultf("%s: %d of 250 known files are missing, %d of 250 unknown ones are there", a.what, missing, invented)
	}
	if a.total() > 2*len(ask) {
		p.faultf("%s took %d requests", a.what, a.total())
	}
}

// mixed gives a pivot what people paste: upper case, several kinds, and what is no file hash.
func mixed(p *probe) {
	t := p.with(p.world())
	upper := strings.ToUpper(sample(alertFile).SHA256)
	sha512 := strings.Repeat("7e", 64)
	imphash := "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
	g, err := t.expand(p.ctx(), seedOf(
		indicator.Indicator{Kind: indicator.SHA256, Value: upper},
		indicator.Indicator{Kind: indicator.MD5, Value: sample(sibling).MD5},
		indicator.Indicator{Kind: indicator.SHA1, Value: sample(elsewhere).SHA1},
		indicator.Indicator{Kind: "sha512", Value: sha512}, indicator.Indicator{Kind: "imphash", Value: imphash},
	), options())
	if err != nil || len(g.Skipped) > 0 {
		p.faultf("a pivot of mixed kinds: %v, %+v", err, g.Skipped)
	}
	for _, f := range []indicator.File{sample(alertFile), sample(sibling), sample(elsewhere)} {
		if !slices.ContainsFunc(g.Files, func(got indicator.File) bool { return same(got, f) }) {
			p.faultf("a pivot of mixed kinds: the file %s is not known in full", f.SHA256)
		}
	}
	files, _ := pivot.Hunted(g, options(), nil, clock())
	for _, f := range files {
		if f.MD5 == imphash {
			p.faultf("the imphash is hunted as an md5")
		}
	}
	if t.svc == nil {
		return
	}
	text, _ := t.svc.saw()
	for name, v := range map[string]string{"an upper case digest": upper, "a sha512": sha512, "an imphash": imphash} {
		if strings.Contains(text, v) {
			p.faultf("the service was asked for %s", name)
		}
	}
}

// everyKind asks by everything that the provider says it takes.
func everyKind(p *probe) {
	t := p.with(p.world())
	to := sample(sibling).Digests()
	for _, k := range indicator.Kinds() {
		if !p.takes(k) {
			continue
		}
		ind, ok := samples()[k]
		if k.IsDigest() {
			ind, ok = indicator.Indicator{Kind: k, Value: sample(alertFile).Digest(k)}, true
		}
		if !ok {
			p.faultf("the suite has no sample of the kind %s", k)
			continue
		}
		a := t.related(p.ctx(), ind, limits())
		p.well(a)
		if !a.reaches(to...) {
			p.faultf("%s leads not to what its report names (requests: %q)", a.what, a.order)
		}
	}
}

// unsupported asks straight for what Describe says it does not take.
func unsupported(p *probe) {
	t := p.with(p.world())
	all := []indicator.Indicator{
		{Kind: "sha512", Value: strings.Repeat("7e", 64)}, {Kind: "imphash", Value: "0f1e2d3c4b5a69788796a5b4c3d2e1f0"}, {Kind: "", Value: "x"},
	}
	for _, k := range indicator.Kinds() {
		if i, ok := samples()[k]; ok && !p.takes(k) {
			all = append(all, i)
		}
	}
	for _, i := range all {
		for _, a := range []answer{t.related(p.ctx(), i, limits()), t.resolve(p.ctx(), i)} {
			if a.total() > 0 || len(a.res.Edges)+len(a.res.Files)+len(a.res.Reports) > 0 {
				p.faultf("%s, a kind it does not take: %d requests, %d edges, %d files", a.what, a.total(), len(a.res.Edges), len(a.res.Files))
			}
		}
	}
}

// unknown asks for what nobody knows: each form of that is an answer, not a failure and not asked again.
func unknown(p *probe) {
	services := map[string]http.Handler{"": p.healthy(p.world())}
	for _, r := range p.s.Unknown {
		services[r.Name] = r
	}
	for name, h := range services {
		t := p.against(name, h, p.world(), nil)
		d := sha256Of(sample("nobody knows this"))
		for _, a := range []answer{t.related(p.ctx(), d, limits()), t.resolve(p.ctx(), d)} {
			p.well(a)
			if len(a.res.Edges)+len(a.res.Files)+len(a.res.Reports)+len(a.res.Cut) > 0 {
				p.faultf("%s: something is known of what nobody knows: %+v", a.what, a.res)
			}
		}
		t = p.against(name, h, p.world(), nil)
		if g, err := t.expand(p.ctx(), seedOf(d), options()); err != nil || !g.Complete {
			p.faultf("%s: the pivot of an unknown hash is not complete: %v, %+v", name, err, g.Skipped)
		}
	}
}

func report(p *probe) {
	w := p.world()
	a := p.with(w).report(p.ctx(), w.Reports[0].ID, limits())
	p.well(a)
	p.members(a, w.Reports[0], indicator.Indicator{})
}

func noReport(p *probe) {
	services := map[string]http.Handler{"": p.healthy(p.world())}
	for _, r := range slices.Concat(p.s.Unknown, p.s.UnknownReport) {
		services[r.Name] = r
	}
	for name, h := range services {
		a := p.against(name, h, p.world(), nil).report(p.ctx(), p.s.reportID(99), limits())
		if a.err != nil || len(a.res.Edges)+len(a.res.Reports)+len(a.res.Files) > 0 {
			p.faultf("%s, which does not exist: %v, %d edges, %d reports", a.what, a.err, len(a.res.Edges), len(a.res.Reports))
		}
		for q, n := range a.asked {
			if n > 1 {
				p.faultf("%s, which does not exist: %q was asked %d times", a.what, q, n)
			}
		}
	}
}

func relatedReports(p *probe) {
	w := p.world()
	t := p.with(w)
	a := t.report(p.ctx(), w.Reports[0].ID, limits())
	to := pivot.ReportRef(p.s.Name + ":" + w.Reports[2].ID)
	if !slices.ContainsFunc(a.res.Edges, func(e pivot.Edge) bool { return e.To == to && e.Relation == indicator.RelRelatedReport }) {
		p.faultf("%s: nothing leads to the related report %s", a.what, to)
	}
	opt := options()
	opt.Follow = []indicator.Relation{indicator.RelRelatedReport}
	g, err := t.expand(p.ctx(), seedOf(sha256Of(sample(alertFile))), opt)
	if err != nil || !known(g, sha256Of(sample("H"))) {
		p.faultf("a pivot that follows related reports does not reach what they name: %v", err)
	}
}

// known reports whether a graph has a node.
func known(g *pivot.Graph, i indicator.Indicator) bool {
	return slices.ContainsFunc(g.Nodes, func(n pivot.Node) bool { return n.Ref == pivot.IndicatorRef(i) })
}

// recorded puts the provider before the answers that its subject brings.
func recorded(p *probe) {
	if len(p.s.Recorded) == 0 {
		p.skipped = "the subject brings no recorded answers"
		return
	}
	for _, r := range p.s.Recorded {
		p.replayed(r)
	}
}

func (p *probe) replayed(r Recorded) {
	opt := options()
	opt.Limits.Depth = max(r.Depth, 1)
	seed := pivot.Seed{Report: r.Report}
	if !r.Ask.IsZero() {
		seed = seedOf(r.Ask)
	}
	g, err := p.against(r.Name, r.Service, World{}, nil).expand(p.ctx(), seed, opt)
	if err != nil {
		p.faultf("%s: %w", r.Name, err)
		return
	}
	for _, want := range r.Files {
		at := slices.IndexFunc(g.Files, func(got indicator.File) bool { return got.Best() == want.Best() })
		if at < 0 || !same(g.Files[at], want) || (want.Size != 0 && g.Files[at].Size != want.Size) {
			p.faultf("%s: the file %s is not known as it should be", r.Name, want.Best())
		}
	}
	for _, i := range r.Reached {
		if !known(g, i) {
			p.faultf("%s: %s is not reached", r.Name, i)
		}
	}
	hunted, _ := pivot.Hunted(g, opt, nil, clock())
	for _, i := range r.Refused {
		if holds(hunted, i) {
			p.faultf("%s: %s is hunted", r.Name, i)
		}
	}
}

// holds reports whether a digest is of any of the files.
func holds(files []indicator.File, d indicator.Indicator) bool {
	return slices.ContainsFunc(files, func(f indicator.File) bool { return slices.Contains(f.Digests(), d) })
}
