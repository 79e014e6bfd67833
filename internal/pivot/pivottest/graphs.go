package pivottest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// graphTests are the cases of what a pivot makes of the answers.
func graphTests() []test {
	return []test{
		{name: CaseReplay, run: replay},
		{name: CaseMemory, service: true, run: remembered},
		{name: CasePerReport, run: perReport},
		{name: CaseTrusted, run: trusted},
		{name: CasePerIndicator, run: perIndicator},
		{name: CaseJunk, run: junk},
		{name: CaseVictims, run: victims},
		{name: CaseCollision, run: collision},
		{name: CaseTLP, run: tlp},
		{name: CaseRaw, run: rawAnswers},
		{name: CaseSecrets, service: true, run: secrets},
	}
}

// recorder keeps what a service answers, and can answer so again.
type recorder struct {
	service http.Handler
	mu      sync.Mutex
	all     map[string]*httptest.ResponseRecorder
	strange []string // asked of the player and not recorded
}

// ServeHTTP records.
func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := question(r)
	out := httptest.NewRecorder()
	rec.service.ServeHTTP(out, r)
	rec.mu.Lock()
	rec.all[q] = out
	rec.mu.Unlock()
	give(w, out)
}

func give(w http.ResponseWriter, from *httptest.ResponseRecorder) {
	maps.Copy(w.Header(), from.Header())
	w.WriteHeader(from.Code)
	_, _ = w.Write(from.Body.Bytes()) // the client may have hung up
}

// player answers what was recorded.
func (rec *recorder) player() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := question(r)
		rec.mu.Lock()
		got := rec.all[q]
		if got == nil {
			rec.strange = append(rec.strange, q)
		}
		rec.mu.Unlock()
		if got == nil {
			w.WriteHeader(http.StatusGone)
			return
		}
		give(w, got)
	})
}

// replay gives the same answers again, a year later, to the same provider and to a new one.
func replay(p *probe) {
	w := p.world()
	opt := options()
	opt.Limits.Depth, opt.Follow = 2, []indicator.Relation{indicator.RelRelatedReport}
	seed := seedOf(sha256Of(sample(alertFile)))
	rec := &recorder{service: p.healthy(w), all: map[string]*httptest.ResponseRecorder{}}
	t := p.against("", rec, w, nil)
	g, err := t.expand(p.ctx(), seed, opt)
	if err != nil || !g.Complete || !known(g, sha256Of(sample(sibling))) {
		p.faultf("the pivot that is to be replayed: %v, %+v", err, g.Skipped)
		return
	}
	later := int64(365 * 24 * time.Hour)
	t.later.Store(later)
	p.equal("the same provider a year later", t, g, seed, opt)
	fresh := p.against("replayed", rec.player(), w, nil)
	fresh.later.Store(later)
	p.equal("a new provider a year later", fresh, g, seed, opt)
	if len(rec.strange) > 0 {
		p.faultf("the second time it asks what it did not ask the first time: %q", rec.strange)
	}
}

func (p *probe) equal(who string, t *trial, want *pivot.Graph, seed pivot.Seed, opt pivot.Options) {
	g, err := t.expand(p.ctx(), seed, opt)
	if err != nil {
		p.faultf("%s: %w", who, err)
		return
	}
	if a, b := p.bytes(want), p.bytes(g); a != b {
		p.faultf("%s makes another graph of the same answers: %s", who, difference(a, b))
	}
}

// difference shows the first line in which two texts differ.
func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d: %.200q, then %.200q", i+1, x[i], y[i])
		}
	}
	return fmt.Sprintf("%d lines, then %d", len(x), len(y))
}

// remembered asks everything twice: the second time nothing goes out, for what is known and for what is not.
func remembered(p *probe) {
	w := p.world()
	t := p.with(w)
	ask := append(p.questions(t), func(ctx context.Context) answer {
		return t.related(ctx, sha256Of(sample("nobody knows this")), limits())
	})
	for _, q := range ask {
		one := q(p.ctx())
		two := q(p.ctx())
		if two.total() > 0 {
			p.faultf("%s: asked again, it makes %d requests in spite of its memory", two.what, two.total())
		}
		x, _ := json.Marshal(one.res) // plain data
		y, _ := json.Marshal(two.res)
		if !bytes.Equal(x, y) {
			p.faultf("%s: asked again, it answers otherwise", two.what)
		}
	}
}

// crowd is a report of 10,000 of which the source is sure of 40.
func (p *probe) crowd() (w World, sure []indicator.Indicator, others []string) {
	members := []Member{{File: sample(alertFile)}}
	for i := range 9999 {
		m := Member{Indicator: sha256Of(sample("crowd " + itoa(i))), Trust: Doubtful}
		if i%250 == 7 {
			m.Trust = Sure
			sure = append(sure, m.Indicator)
		} else {
			others = append(others, m.Indicator.Value)
		}
		members = append(members, m)
	}
	slices.Sort(others)
	return p.one(members...), sure, others
}

// maxMembers is max_per_report of the crowd's cases.
const maxMembers = 500

func crowded() pivot.Limits {
	lim := limits()
	lim.PerReport = maxMembers
	return lim
}

func perReport(p *probe) {
	w, _, _ := p.crowd()
	t := p.with(w)
	asked := []answer{t.related(p.ctx(), sha256Of(sample(alertFile)), crowded())}
	if p.s.Lacks[CaseReport] == "" {
		if _, ok := t.provider.(pivot.ReportPivoter); ok {
			asked = append(asked, t.report(p.ctx(), w.Reports[0].ID, crowded()))
		}
	}
	at := "report:" + p.s.Name + ":" + w.Reports[0].ID
	for _, a := range asked {
		p.well(a)
		if n := len(a.res.Edges); n < maxMembers*9/10 || n > maxMembers {
			p.faultf("%s: %d edges of a report of 10,000 with max_per_report %d", a.what, n, maxMembers)
		}
		if !slices.ContainsFunc(a.res.Cut, func(c pivot.Cut) bool {
			return c.At == at && c.Limit == "max_per_report" && c.Kept == maxMembers && c.Total >= 9_999 && c.Total <= 10_003 // with A's digests
		}) {
			p.faultf("%s: it is not told that the report was cut from 10,000 to %d: %+v", a.what, maxMembers, a.res.Cut)
		}
	}
	opt := options()
	opt.Limits.PerReport = 5
	g, err := p.with(p.big()).expand(p.ctx(), seedOf(sha256Of(sample(alertFile))), opt)
	if err != nil || g.Complete || len(g.Cut) == 0 || len(g.Nodes) > 5+3 {
		p.faultf("the pivot of a report of 301 with max_per_report 5: %v, %d nodes, cut %+v", err, len(g.Nodes), g.Cut)
	}
}

func trusted(p *probe) {
	w, sure, others := p.crowd()
	a := p.with(w).related(p.ctx(), sha256Of(sample(alertFile)), crowded())
	lost := 0
	for _, i := range sure {
		if !a.reaches(i) {
			lost++
		}
	}
	if lost > 0 {
		p.faultf("%s: of 40 members that the source is sure of, %d fell to the limit before the doubtful ones", a.what, lost)
	}
	kept := map[string]bool{}
	for _, e := range a.res.Edges {
		kept[e.To.Value] = true
	}
	for i, v := range others[:maxMembers-len(sure)-len(sample(alertFile).Digests())] {
		if !kept[v] {
			p.faultf("%s: of the equally trusted, number %d by value fell to the limit; they are kept by value", a.what, i)
			return
		}
	}
}

func perIndicator(p *probe) {
	const all, most = 30, 10
	w := World{}
	for i := range all {
		at := (i * 7) % all // not in order of time
		w.Reports = append(w.Reports, Report{
			ID: p.s.reportID(at + 1), Title: "Report " + itoa(at), Published: published().AddDate(0, 0, -at),
			Members: []Member{{File: sample(alertFile)}, {File: sample("of report " + itoa(at))}},
		})
	}
	lim := limits()
	lim.PerIndicator = most
	a := p.with(w).related(p.ctx(), sha256Of(sample(alertFile)), lim)
	p.well(a)
	for at := range all {
		if there := a.reaches(sample("of report " + itoa(at)).Digests()...); there != (at < most) {
			p.faultf("%s: the report that is number %d by age is followed: %v; max_reports is %d, the newest first", a.what, at+1, there, most)
		}
	}
	if !slices.ContainsFunc(a.res.Cut, func(c pivot.Cut) bool {
		return c.At == a.ref.String() && c.Limit == "max_reports" && c.Kept == most && (c.Total == all || c.Total == 0)
	}) {
		p.faultf("%s: it is not told that %d reports were cut to %d: %+v", a.what, all, most, a.res.Cut)
	}
}

// refusals takes a world to what is hunted, and sees that none of the digests is, that each is told, and that B is.
func (p *probe) refusals(w World, never ...indicator.Indicator) {
	g, err := p.with(w).expand(p.ctx(), seedOf(sha256Of(sample(alertFile))), options())
	if err != nil {
		p.faultf("a pivot: %w", err)
		return
	}
	files, refused := pivot.Hunted(g, options(), nil, clock())
	if !holds(files, sha256Of(sample(sibling))) {
		p.faultf("what should be hunted is not")
	}
	for _, d := range never {
		if holds(files, d) {
			p.faultf("%s is hunted", d)
		}
	}
	for _, d := range never {
		told := slices.ContainsFunc(refused, func(r pivot.Refused) bool { return r.Kind == d.Kind && r.Value == d.Value && r.Reason != "" }) ||
			slices.ContainsFunc(g.Skipped, func(s pivot.Skip) bool { return s.Indicator == d.String() || strings.Contains(s.Reason, d.Value) })
		if !told && d.Kind == indicator.SHA256 {
			p.faultf("%s is left out without a word", d)
		}
	}
}

func junk(p *probe) {
	members := []Member{{File: sample(alertFile)}, {File: sample(sibling)}}
	var never []indicator.Indicator
	for _, text := range []string{"", "\n", "\x00"} {
		f := FileOf(text)
		members = append(members, Member{File: f})
		never = append(never, f.Digests()...)
	}
	p.refusals(p.one(members...), never...)
}

func victims(p *probe) {
	f := sample("the victim's own")
	p.refusals(p.one(Member{File: sample(alertFile)}, Member{File: sample(sibling)}, Member{File: f, Trust: Victim}), f.Digests()...)
}

// collision: two files claim one sha256. Neither is the other's sibling, and that is reported.
func collision(p *probe) {
	one, two := sample("one"), sample("two")
	two.SHA256, one.SHA1, two.SHA1 = one.SHA256, "", ""
	t := p.with(p.one(Member{File: sample(alertFile)}, Member{File: one}, Member{File: two}))
	g, err := t.expand(p.ctx(), seedOf(sha256Of(sample(alertFile))), options())
	if err != nil {
		p.faultf("a pivot: %w", err)
		return
	}
	if !slices.ContainsFunc(g.Collisions, func(c pivot.Collision) bool { return c.Digest == sha256Of(one) }) {
		p.faultf("two md5 for the sha256 %s are not reported: %+v", one.SHA256, g.Collisions)
	}
	for _, f := range g.Files {
		if f.SHA256 == one.SHA256 && f.MD5 != "" {
			p.faultf("of two md5 for one sha256, %s was taken", f.MD5)
		}
	}
}

// tlp: what is above the provider's label is not asked; the label itself is.
func tlp(p *probe) {
	for label, allowed := range map[indicator.TLP]bool{indicator.TLPAmber: false, indicator.TLPRed: false, indicator.TLPGreen: true} {
		w := p.world()
		t := p.against(string(label), p.healthy(w), w, func(s *Setup) { s.MaxTLP = indicator.TLPGreen })
		opt := options()
		opt.TLP = label
		g, err := t.expand(p.ctx(), seedOf(sha256Of(sample(alertFile))), opt)
		asked, _ := t.svc.requests()
		switch {
		case err != nil:
			p.faultf("%s: %w", label, err)
		case !allowed && (len(asked) > 0 || len(g.Edges) > 0):
			p.faultf("a hunt of tlp:%s with max_tlp green: %d requests, %d edges", label, len(asked), len(g.Edges))
		case !allowed && !slices.ContainsFunc(g.Skipped, func(s pivot.Skip) bool { return strings.Contains(s.Reason, "max_tlp") }):
			p.faultf("a hunt of tlp:%s with max_tlp green: it is not said that nobody was asked: %+v", label, g.Skipped)
		case allowed && len(g.Edges) == 0:
			p.faultf("a hunt of tlp:%s with max_tlp green found nothing", label)
		}
	}
}

// rawAnswers: each edge names the bytes that it rests on, as they came.
func rawAnswers(p *probe) {
	t := p.with(p.world())
	for _, ask := range p.questions(t) {
		a := ask(p.ctx())
		for _, r := range a.res.Raw {
			if t.svc != nil && !t.svc.answeredWith(r.Digest) {
				p.faultf("%s: the raw answer %s was never given", a.what, r.Digest)
			}
		}
		for _, e := range a.res.Edges {
			if p.s.Stored == nil || e.Raw == "" {
				continue
			}
			body, err := p.s.Stored(t.provider, e.Raw)
			if sum := sha256.Sum256(body); err != nil || hex.EncodeToString(sum[:]) != e.Raw {
				p.faultf("%s: the stored answer %s: %d bytes that are not it, %v", a.what, e.Raw, len(body), err)
			}
		}
		if t.svc != nil && a.total() > 0 && len(a.res.Raw) == 0 {
			p.faultf("%s: %d requests and no raw answer", a.what, a.total())
		}
	}
}

// echo repeats to the client all that it sent.
func echo(n int, kind string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(n)
		_, _ = fmt.Fprintf(w, "%s %s\n", r.Method, r.URL.RequestURI()) // the client may have hung up
		_ = r.Header.Write(w)
		_, _ = w.Write([]byte(question(r)))
	})
}

// secrets: whatever the service repeats, no secret comes out. What every case lets out is looked through as well.
func secrets(p *probe) {
	if len(p.s.Secrets) == 0 {
		p.skipped = "it has no secrets"
		return
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		p.texts = append(p.texts, said{"the configuration as " + verb, fmt.Sprintf(verb, p.s.Config)})
	}
	if text, err := json.Marshal(p.s.Config); err == nil {
		p.texts = append(p.texts, said{"the configuration as JSON", string(text)})
	}
	for _, n := range []int{200, 301, 400, 401, 403, 404, 429, 500} {
		for _, kind := range []string{"text/html", "application/json"} {
			w := p.world()
			name := itoa(n) + " that repeats the request"
			t := p.against(name, echo(n, kind), w, nil)
			for _, ask := range p.questions(t) {
				ask(p.ctx())
			}
			_, _ = t.expand(p.ctx(), seedOf(sha256Of(sample(alertFile))), options()) // what it lets out is looked through
		}
	}
	w := p.world()
	w.Reports[0].Title = "it repeats " + p.s.Secrets[0]
	t := p.against("a good answer that repeats a key", p.healthy(w), w, nil)
	for _, ask := range p.questions(t) {
		ask(p.ctx())
	}
	text, values := t.svc.saw()
	if len(values) == 0 && !slices.ContainsFunc(p.s.Secrets, func(s string) bool { return strings.Contains(text, s) }) {
		p.faultf("no request carries a secret: what is looked for could not be found")
	}
}
