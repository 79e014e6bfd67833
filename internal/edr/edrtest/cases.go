package edrtest

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/goleak"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/secret"
)

// Hunted is the content of the file that is hunted.
const Hunted = "edrtest: the file that is hunted\n"

func sample(n int) indicator.File { return FileOf(fmt.Sprintf("edrtest sample %d\n", n)) }

// describe: a tool says at once and always the same what it is.
func describe(c *check) {
	d := c.make(World{}).Tool.Describe()
	if d.Name == "" || d.Type == "" || (d.Mode != ledger.Live && d.Mode != ledger.Recorded) || len(d.Kinds) == 0 || d.Chunk < 0 {
		c.errorf("it does not say what it is: %+v", d)
	}
	kinds := slices.Clone(d.Kinds)
	slices.Sort(kinds)
	for i, k := range kinds {
		if !k.IsDigest() || (i > 0 && kinds[i-1] == k) {
			c.errorf("it takes %v", d.Kinds)
		}
	}
	m := c.make(World{})
	if _, ok := m.Tool.(edr.Searcher); ok != (d.Mode == ledger.Recorded) {
		c.errorf("it is %s, and can search what was stored: %t", d.Mode, ok)
	}
	eps, err := m.Tool.Endpoints(c.ctx)
	if err != nil {
		c.errorf("list the endpoints: %v", err)
	}
	ids := map[string]bool{}
	for _, ep := range eps {
		if ep.ID == "" || ids[ep.ID] {
			c.errorf("the endpoint %+v has no id of its own", ep)
		}
		ids[ep.ID] = true
	}
	if !ids[m.First] || (len(ids) < 2 && !d.Local) {
		c.errorf("%d endpoints, and %q is among them: %t", len(ids), m.First, ids[m.First])
	}
}

// noHash: nothing to hunt is nothing asked.
func noHash(c *check) {
	o := c.hunt(c.ctx, c.make(World{Planted: []string{Hunted}}), nil, nil)
	if o.err != nil || len(o.queries) != 0 || len(o.plan.Endpoints) == 0 {
		c.errorf("%d queries, %d endpoints, %v", len(o.queries), len(o.plan.Endpoints), o.err)
	}
	for id, cov := range o.coverage {
		if cov.State != ledger.Unasked || cov.Proven {
			c.errorf("%s: %+v", id, cov)
		}
	}
}

// sizes: every digest of a set goes out, within the tool's bounds, and the one that is there is found.
func (c *check) sizes(n int) {
	files := []indicator.File{FileOf(Hunted)}
	for i := range n - 1 {
		files = append(files, sample(i))
	}
	o := c.found(World{Planted: []string{Hunted}}, files)
	kind := o.plan.Tool.Kinds[0]
	asked := o.asked()
	for _, f := range files {
		if !asked[indicator.Indicator{Kind: kind, Value: f.Digest(kind)}] {
			c.errorf("%s was not asked for", f.Digest(kind))
			break
		}
	}
	for _, q := range o.queries {
		if chunk := o.plan.Tool.Chunk; chunk > 0 && len(q.Hashes) > chunk {
			c.errorf("%s carries %d digests, at most %d are said", q.ID, len(q.Hashes), chunk)
		}
		if c.subject.MaxText > 0 && len(q.Text) > c.subject.MaxText {
			c.errorf("%s has %d bytes, at most %d are taken", q.ID, len(q.Text), c.subject.MaxText)
		}
		for _, h := range q.Hashes {
			if strings.ToLower(h.Value) != h.Value {
				c.errorf("%s asks for %s", q.ID, h)
			}
		}
	}
}

// found: the planted file is found where it is and nowhere else.
func (c *check) found(w World, files []indicator.File) outcome {
	m := c.make(w)
	o := c.hunt(c.ctx, m, files, nil)
	if o.err != nil || len(o.errs) > 0 {
		c.errorf("%v, %v", o.err, o.errs)
		return o
	}
	for id, cov := range o.coverage {
		if want := id == m.First; (cov.State == ledger.Hit) != want || (len(o.hits[id]) > 0) != want {
			c.errorf("endpoint %s: %+v, hits %+v", id, cov, o.hits[id])
		}
		if o.plan.Tool.Mode == ledger.Recorded && cov.Proven {
			c.errorf("a recorded tool proves: %+v", cov)
		}
	}
	ids := map[string]bool{}
	for _, q := range o.queries {
		for _, h := range q.Hashes {
			ids[h.String()] = true
		}
	}
	for id, hits := range o.hits {
		for _, h := range hits {
			known := FileOf(Hunted)
			if h.Matched.Value != known.Digest(h.Matched.Kind) || !ids[h.Matched.String()] {
				c.errorf("endpoint %s: a hit of %s, which is not there or was not asked for", id, h.Matched)
			}
			for _, k := range indicator.DigestKinds() {
				got := map[indicator.Kind]string{indicator.SHA256: h.SHA256, indicator.SHA1: h.SHA1, indicator.MD5: h.MD5}[k]
				if got != "" && got != known.Digest(k) {
					c.errorf("endpoint %s: a hit with %s %q", id, k, got)
				}
			}
		}
	}
	if len(o.hits[m.First]) == 0 {
		c.errorf("the planted file was not found: %+v", o.coverage)
	}
	return o
}

// nothingFound: a sound world without the file is a "no", or there would be none that the other cases could refuse.
func nothingFound(c *check) {
	o := c.hunt(c.ctx, c.make(World{Planted: []string{"something else"}}), []indicator.File{FileOf(Hunted)}, nil)
	if o.err != nil || len(o.coverage) == 0 {
		c.errorf("%d endpoints, %v", len(o.coverage), o.err)
	}
	for id, cov := range o.coverage {
		want := ledger.Absent
		if o.plan.Tool.Mode == ledger.Recorded {
			want = ledger.NotSeen
		}
		if cov.State != want || cov.Proven != (want == ledger.Absent) {
			c.errorf("endpoint %s: %+v, errors %v", id, cov, o.errs)
		}
	}
}

// kind: what a tool takes is asked and found by it; what it does not take is unaskable by name.
func (c *check) kind(k indicator.Kind) {
	var f indicator.File
	f.SetDigest(k, FileOf(Hunted).Digest(k))
	m := c.make(World{Planted: []string{Hunted}})
	d := m.Tool.Describe()
	if slices.Contains(d.Kinds, k) {
		o := c.hunt(c.ctx, m, []indicator.File{f}, nil)
		hits := o.hits[m.First]
		if o.err != nil || len(hits) == 0 || hits[0].Matched != f.Best() {
			c.errorf("hits %+v, %v", hits, o.err)
		}
		return
	}
	o := c.hunt(c.ctx, m, []indicator.File{f}, nil)
	want := edr.Unaskable{Value: f.Best().Value, Kind: k, Tool: d.Name}
	if o.err != nil || len(o.queries) != 0 || len(o.plan.Unaskable) != 1 {
		c.errorf("%d queries, unaskable %+v, %v", len(o.queries), o.plan.Unaskable, o.err)
		return
	}
	got := o.plan.Unaskable[0]
	if want.Reason = got.Reason; got != want || got.Reason == "" {
		c.errorf("unaskable %+v", got)
	}
	// A work that slipped through all the same must not go out.
	w := edr.Work{Targets: []edr.Target{{Ask: f.Best(), File: f}}, Search: edr.DefaultSearch(), Chunks: 1}
	if s, ok := m.Tool.(edr.Searcher); ok {
		if qs, err := s.Searches(w); err == nil && len(qs) > 0 {
			c.errorf("it words a search for %s: %v", k, qs[0].Text)
		}
	}
}

var fullDigest = regexp.MustCompile(`\b([0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})\b`)

// stableTexts: the same work has the same words, in whatever order it is given, and again after the tool was made anew.
func stableTexts(c *check) {
	files := []indicator.File{FileOf(Hunted), sample(1), sample(2)}
	var first []string
	for i := range 3 {
		m := c.make(World{})
		o := c.hunt(c.ctx, m, files, nil)
		var texts []string
		for _, q := range o.queries {
			texts = append(texts, q.ID+"\n"+q.Text)
			for _, digest := range fullDigest.FindAllString(q.Text, -1) {
				if !slices.ContainsFunc(q.Hashes, func(h indicator.Indicator) bool { return h.Value == digest }) {
					c.errorf("%s has a digest that is not among its hashes: %s", q.ID, digest)
				}
			}
		}
		if i == 0 {
			first = texts
		}
		if o.err != nil || len(texts) == 0 || (m.Search.Paths == nil && !slices.Equal(texts, first)) {
			c.errorf("%q, then %q, %v", first, texts, o.err)
		}
		same := c.hunt(c.ctx, m, files, nil)
		for j, q := range same.queries {
			if j >= len(texts) || q.ID+"\n"+q.Text != texts[j] {
				c.errorf("the same tool words the same work in another way: %q", q.Text)
			}
		}
		slices.Reverse(files)
	}
}

// atTheSameTime: a campaign asks from several goroutines.
func atTheSameTime(c *check) {
	m := c.make(World{Planted: []string{Hunted}})
	var wg sync.WaitGroup
	all := make([]outcome, 4)
	for i := range all {
		wg.Go(func() { all[i] = c.hunt(c.ctx, m, []indicator.File{FileOf(Hunted), sample(i)}, nil) })
	}
	wg.Wait()
	for _, o := range all {
		if o.err != nil || len(o.errs) > 0 || len(o.hits[m.First]) == 0 {
			c.errorf("%v, %v, hits %v", o.err, o.errs, o.hits)
		}
	}
}

// secrets: whatever goes wrong, no text shows a secret.
func secrets(c *check) {
	if len(c.subject.Secrets) == 0 {
		return
	}
	worlds := []World{{}}
	for _, f := range Faults() {
		if c.subject.Lacks[f] == "" && f != LooksEmpty && f != Hang {
			worlds = append(worlds, World{Fault: f})
		}
	}
	for _, w := range worlds {
		w.Planted = []string{Hunted}
		m := c.make(w)
		said := c.hunt(c.ctx, m, []indicator.File{FileOf(Hunted)}, m.Vanish).said(m.Tool)
		for _, s := range c.subject.Secrets {
			if secret.Redact(said, secret.New(s)) != said {
				c.errorf("a secret shows when this is wrong: %q", w.Fault)
			}
		}
	}
}

func closedTwice(c *check) {
	m := c.make(World{})
	c.hunt(c.ctx, m, []indicator.File{FileOf(Hunted)}, nil)
	for range 2 {
		if err := m.Tool.Close(); err != nil {
			c.errorf("close: %v", err)
		}
	}
}

// patience is how long the suite waits for what should come at once, before it says that it does not.
const patience = 20 * time.Second

// cancel: a question that hangs ends with its context, with an error and no answer, and leaves no goroutine.
func cancel(c *check) {
	reached := make(chan struct{})
	var once sync.Once
	m := c.make(World{Planted: []string{Hunted}, Fault: Hang, Reached: func() { once.Do(func() { close(reached) }) }})
	before := goleak.IgnoreCurrent()
	ctx, stop := context.WithCancel(c.ctx)
	defer stop()
	done := make(chan outcome, 1)
	go func() { done <- c.hunt(ctx, m, []indicator.File{FileOf(Hunted)}, nil) }()
	select {
	case <-reached:
	case o := <-done:
		c.errorf("nothing hung: %v, %v", o.err, o.errs)
		return
	case <-time.After(patience):
		c.errorf("nothing was asked")
	}
	stop()
	select {
	case o := <-done:
		if o.late > 0 || (o.err == nil && len(o.errs) == 0) {
			c.errorf("a cancelled question has an answer: %+v", o.answers)
		}
		c.noNo(o)
	case <-time.After(patience):
		c.errorf("it does not end with its context")
		return
	}
	if err := m.Tool.Close(); err != nil {
		c.errorf("close: %v", err)
	}
	if err := goleak.Find(before); err != nil {
		c.errorf("goroutines are left: %v", err)
	}
}
